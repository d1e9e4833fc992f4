import { unlessAborted } from './chunks.js'
import { encodeValue } from './encode.js'
import { KonserveError } from './error.js'
import { lentLater, lentNow, secretOf } from './keys.js'
import { own } from './own.js'
import { enter } from './presence.js'
import { Records } from './records.js'
import { ownSerializers } from './serializers.js'
import { asTier, isStore, Store, SyncStore, walk } from './store.js'
import { checkTiers, forModule, TIER_OPTIONS } from './tiers.js'
import { Uuid } from './values.js'

const OPTIONS = [
  ...['backend', 'id', 'path', 'name', 'syncBlob', 'access', 'durability'],
  ...['layout', 'serializer', 'serializers', 'records', 'keywords', 'compressor', 'encryptor', 'wasm', 'signal'],
  ...TIER_OPTIONS,
]

const later = async (promise, next) => next(await promise)
const atOnce = (result, next) => next(result)

/** The functions of the package; `load(wasm, config)` gives the wasm module, or a promise of it. */
export function asyncApi(load, options) {
  const functions = api(load, options, { Store, suffix: '', then: later, until: untilAborted, lend: lentLater, enter })
  return mapped(functions, (call) => async (config) => call(config))
}

/** The functions of `konserve/sync`; `load` gives the wasm module. */
export function syncApi(load, options) {
  const now = { suffix: 'Sync', then: atOnce, until: neverAborted, lend: lentNow, enter: () => undefined }
  return api(load, options, { Store: SyncStore, ...now })
}

function api(load, { files = false } = {}, { Store, suffix, then, until, lend, enter }) {
  const called = (name, act) => (config) => {
    const { wasm, signal, ...checked } = checkedConfig(name, config, files)
    if (checked.encryptor?.type === 'aes-blake3') Object.assign(checked.encryptor, lend(signal))
    const acted = () =>
      then(load(wasm, checked), (bindings) =>
        then(forModule(checked, asTier, then), (plain) => act(bindings, plain, checked)),
      )
    return signal === undefined ? acted() : until(signal, acted)
  }
  const opening = (name, mode) =>
    called(name, (bindings, plain, config) =>
      then(enter(config), (presence) => {
        const opened = then(bindings[`open${suffix}`](mode, plain), (raw) =>
          walk(new Store(raw, config, presence), config),
        )
        presence && opened.catch(() => presence.leave())
        return opened
      }),
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

/** What is done until the signal is aborted. A store that opens nevertheless is closed: nobody has it. */
async function untilAborted(signal, act) {
  signal.throwIfAborted()
  const done = act()
  try {
    return await unlessAborted(done, signal)
  } catch (error) {
    if (signal.aborted) done.then((store) => store?.close?.()).catch(() => undefined)
    throw error
  }
}

function neverAborted() {
  throw invalid('signal is for functions that return promises; konserve/sync waits for nothing')
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
  if (type === 'aes-blake3') return { type, key: secretOf(key, 'encryptor.key') }
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
