import { Growing } from './growing.js'
import { Loader } from './load.js'

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

/** The module that does no more than most need at once. What keeps it from loading is told by the full one. */
const lean = new Loader({
  ...web,
  bindings: () => import('./wasm/lean.js'),
  module: () => fetch(new URL('./wasm/lean_bg.wasm', import.meta.url)),
  copy: () => Promise.reject(new Error('there is no copy')),
})

/** Whether the lean module is enough for this config. */
function isLean({ backend, cache, compressor = 'none', serializer, serializers }) {
  const isPlain = typeof serializer !== 'object' && serializers.length === 0 && compressor === 'none'
  return backend === 'indexeddb' && cache === undefined && isPlain
}

/** The functions of the module that this config needs: of the lean one as long as that is enough. */
export async function load(wasm, config) {
  if (!isLean(config) || wasm !== undefined || loader.running) return loader.load(wasm)
  try {
    return growing(await lean.load())
  } catch {
    return loader.load()
  }
}

function growing(bindings) {
  const full = async (mode, config) => (await loader.load()).open(mode, config)
  const lean = async (mode, config) => new Growing(await bindings.open(mode, config), () => full('connect', config))
  return {
    // A store may have been made with what the lean module does not write.
    open: (mode, config) =>
      lean(mode, config).catch((error) => {
        if (error.code !== 'UNSUPPORTED') throw error
        return full(mode, config)
      }),
    storeExists: bindings.storeExists,
    deleteStore: async (config) => (await loader.load()).deleteStore(config),
  }
}
