import { Growing } from './growing.js'
import { Loader } from './load.js'
import { isOf, isStore } from './store.js'

/** How a browser, a worker, or any place that has `fetch` loads the full module. */
export const web = {
  bindings: () => import('./wasm/web.js'),
  module: () => fetch(new URL('./wasm/web_bg.wasm', import.meta.url)),
  copy: async () => (await import('./wasm/web-copy.js')).default,
  fetch: (url) => fetch(url),
  instantiate: (bindings, module) => bindings.default({ module_or_path: module }),
}

/** The one of all entries of the package. */
export const loader = new Loader(web)

/** What keeps a small module from loading is told by the full one. */
const small = { ...web, copy: () => Promise.reject(new Error('there is no copy')) }

/** The module that does no more than most need at once. */
const lean = new Loader({
  ...small,
  bindings: () => import('./wasm/lean.js'),
  module: () => fetch(new URL('./wasm/lean_bg.wasm', import.meta.url)),
})

/** The lean module with encryption. */
const encrypted = new Loader({
  ...small,
  bindings: () => import('./wasm/encrypted.js'),
  module: () => fetch(new URL('./wasm/encrypted_bg.wasm', import.meta.url)),
})

/** The full module with what is shared with Clojure. */
const clojure = new Loader({
  ...web,
  bindings: () => import('./wasm/clojure.js'),
  module: () => fetch(new URL('./wasm/clojure_bg.wasm', import.meta.url)),
  copy: async () => (await import('./wasm/clojure-copy.js')).default,
})

/** Which module has the store of a name in memory: no other one sees it. */
const homes = new Map()

/** What the small modules do not read in a config, not even to refuse it. */
const HEAVY = ['cache', 'compressor', 'layout', 'path', 'access', 'syncBlob']

/** The small module that is enough for this config, if one is. */
function smallFor({ backend, serializer = 'cbor', serializers, encryptor, ...more }) {
  const isPlain = serializer === 'cbor' && serializers.length === 0
  if (backend !== 'indexeddb' || !isPlain || HEAVY.some((option) => more[option] !== undefined)) return undefined
  if (encryptor === undefined) return lean
  return encryptor.type === 'aes-blake3' ? encrypted : undefined
}

/** Whether this config says that it needs the module for what is shared with Clojure. */
function isShared({ layout, serializer, compressor, encryptor }) {
  const isClojures = encryptor !== undefined && encryptor.type !== 'aes-blake3'
  const codecs = ['fressian', 'edn'].includes(serializer) || compressor === 'zstd' || isClojures
  return codecs || layout === 'konserve'
}

/** The functions of the module that this config needs: of a small one as long as that is enough. */
export async function load(wasm, config) {
  const [module, first] = [moduleOf(config), smallFor(config)]
  if (!first || module === clojure || wasm !== undefined || module.running) return functions(module, wasm)
  try {
    return growing(await first.load())
  } catch {
    return functions(module)
  }
}

/** Which of the two heavy modules opens a store. Stores of one module can be copied, and be tiers of each other. */
function moduleOf(config) {
  const { backend, id, frontendConfig, backendConfig } = config
  const tiers = [frontendConfig, backendConfig].filter(isStore)
  if (tiers.some((tier) => isOf(tier, loader.running))) return loader
  const module = isShared(config) || clojure.running ? clojure : loader
  if (backend !== 'memory' || id === undefined) return module
  if (!homes.has(id)) homes.set(id, module)
  return homes.get(id)
}

async function functions(module, wasm) {
  const [bindings, { withDatabases }] = await Promise.all([module.load(wasm), module === clojure ? forClojure() : {}])
  return withDatabases ? withDatabases(bindings) : or(bindings, () => functions(clojure))
}

const forClojure = () => import('./clojure.js')

function growing(bindings) {
  const full = () => functions(moduleOf({}))
  const open = async (mode, config) =>
    new Growing(await bindings.open(mode, config), async () => (await full()).open('connect', config))
  const deleteStore = async (config) => (await full()).deleteStore(config)
  // A database may be Clojure's, or a store may have been made with what the lean module does not write.
  const next = async ({ name }) => ((await (await forClojure()).isClojures(name)) ? functions(clojure) : full())
  return or({ open, storeExists: bindings.storeExists, deleteStore }, next)
}

/** Whether no module has here what this config asks for. */
const isElsewhere = ({ backend }) => backend === 'file' || (backend === 'indexeddb' && typeof indexedDB === 'undefined')

/** These functions, and where they are not enough for a store, those that `next(config)` promises. */
function or(first, next) {
  const either =
    (name) =>
    async (...given) => {
      const config = given.at(-1)
      const attempt = () => first[name](...given)
      try {
        return await (typeof config.backend === 'object' ? config.backend.tried(attempt) : attempt())
      } catch (error) {
        if (error.code !== 'UNSUPPORTED' || isElsewhere(config)) throw error
        return (await next(config))[name](...given)
      }
    }
  return { open: either('open'), storeExists: either('storeExists'), deleteStore: either('deleteStore') }
}
