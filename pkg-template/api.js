import { encodeValue } from './encode.js'
import { KonserveError } from './error.js'
import { derive, secretOf } from './keys.js'
import { own } from './own.js'
import { Records } from './records.js'
import { ownSerializers } from './serializers.js'
import { asTier, isStore, Store, SyncStore, walk } from './store.js'
import { checkTiers, forModule, TIER_OPTIONS } from './tiers.js'
import { Uuid } from './values.js'

const OPTIONS = [
  ...['backend', 'id', 'path', 'name', 'syncBlob', 'access', 'durability'],
  ...['layout', 'serializer', 'serializers', 'records', 'keywords', 'compressor', 'encryptor', 'wasm'],
  ...TIER_OPTIONS,
]

const later = async (promise, next) => next(await promise)
const atOnce = (result, next) => next(result)

/** The functions of the package; `load(wasm, config)` gives the wasm module, or a promise of it. */
export function asyncApi(load, options) {
  const functions = api(load, options, { Store, suffix: '', then: later })
  return mapped(functions, (call) => async (config) => call(config))
}

/** The functions of `konserve/sync`; `load` gives the wasm module. */
export function syncApi(load, options) {
  return api(load, options, { Store: SyncStore, suffix: 'Sync', then: atOnce })
}

function api(load, { files = false } = {}, { Store, suffix, then }) {
  const called = (name, act) => (config) => {
    const { wasm, ...checked } = checkedConfig(name, config, files)
    return then(load(wasm, checked), (bindings) =>
      then(forModule(checked, asTier, then), (plain) => act(bindings, plain, checked)),
    )
  }
  const opening = (name, mode) =>
    called(name, (bindings, plain, config) =>
      then(bindings[`open${suffix}`](mode, plain), (raw) => walk(new Store(raw, config), config)),
    )
  return {
    createStore: opening('createStore', 'create'),
    connectStore: opening('connectStore', 'connect'),
    openStore: opening('openStore', 'open'),
    storeExists: called('storeExists', (bindings, config) => bindings[`storeExists${suffix}`](config)),
    deleteStore: called('deleteStore', (bindings, config) =>
      then(bindings[`deleteStore${suffix}`](config), () => undefined),
    ),
  }
}

function mapped(functions, change) {
  return Object.fromEntries(Object.entries(functions).map(([name, call]) => [name, change(call)]))
}

function invalid(message, cause) {
  return new KonserveError('INVALID_CONFIG', message, cause === undefined ? {} : { cause })
}

/** A plain copy of the configuration, with its backend; what else is right in it, the core decides. */
export function checkedConfig(name, config, files) {
  if (config === null || typeof config !== 'object') {
    throw invalid(`${name} needs a configuration, such as { backend: 'memory' }`)
  }
  const copy = copyOf(config)
  const unknown = Object.keys(copy).find((option) => !OPTIONS.includes(option))
  if (unknown !== undefined) throw invalid(`${name} has no option ${unknown}; there are ${OPTIONS.join(', ')}`)
  copy.backend ??= usualBackend(copy, files)
  if (copy.backend === undefined) {
    const choice =
      "{ backend: 'file', path } in Node, { backend: 'indexeddb', name } in a browser, { backend: 'memory' }"
    throw invalid(`${name} was given no backend, and there is no usual one for this configuration here: say ${choice}`)
  }
  if (typeof copy.backend === 'object' && copy.backend !== null) copy.backend = own(copy.backend)
  else if (typeof copy.backend !== 'string') {
    throw invalid(`${name} needs a backend by its name, such as 'memory', or an object that is one`)
  }
  if (copy.id instanceof Uuid) copy.id = copy.id.text
  if (copy.encryptor !== undefined) copy.encryptor = encryptorOf(copy.encryptor)
  checkTiers(copy, (tier) => checkedConfig(name, tier, files), isStore)
  if (copy.records !== undefined || copy.keywords !== undefined) copy.records = new Records(copy.records, copy.keywords)
  Object.assign(copy, ownSerializers(copy, copy.records))
  return copy
}

/** The encryptor as the core has it: its key as it is, or where Clojure has it, as CBOR. */
function encryptorOf(encryptor) {
  const shape =
    "encryptor is { type: 'aes-blake3', key }, for stores shared with Clojure 'aes' or 'aes-gcm', or left out"
  if (encryptor === null || typeof encryptor !== 'object') throw invalid(shape)
  const { type, key, ...more } = copyOf(encryptor)
  const [unknown] = Object.keys(more)
  if (unknown !== undefined) throw invalid(`encryptor has no option ${unknown}; ${shape}`)
  if (!['aes-blake3', 'aes', 'aes-gcm'].includes(type)) throw invalid(`encryptor.type is none that there is; ${shape}`)
  if (key === undefined) throw invalid(`encryptor.key is missing; ${shape}`)
  if (type === 'aes-blake3') return { type, key: secretOf(key, 'encryptor.key'), derive }
  try {
    return { type, key: encodeValue(key, 'encryptor.key') }
  } catch (error) {
    throw invalid(error.message, error)
  }
}

function copyOf(config) {
  try {
    return { ...config }
  } catch (error) {
    throw invalid('the configuration could not be read: see the cause', error)
  }
}

function usualBackend({ path }, files) {
  if (files) return path === undefined ? undefined : 'file'
  return typeof indexedDB === 'undefined' ? undefined : 'indexeddb'
}
