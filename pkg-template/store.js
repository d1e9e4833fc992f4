import { bytesOf, chunksOf, lendTo, pour, rangeOf } from './binary.js'
import { Changes } from './changes.js'
import { unlessAborted } from './chunks.js'
import { decode, decodeEntries, decodeFound, decodeMeta, decodeMetas } from './decode.js'
import { encodeBatch, encodeKeyAsPath, encodeKey, encodeKeys, encodeMeta, encodePath, encodeValue } from './encode.js'
import { KonserveError } from './error.js'
import { cutoff, unreferenced } from './guard.js'
import { WriteHooks } from './hooks.js'
import { lentLater, lentNow, secretOf, secretsOf } from './keys.js'
import { kindOf } from './kinds.js'
import { AsyncListing, AsyncLog, Listing, stoppable } from './listing.js'
import { iterables, streams, watcher } from './moving.js'
import { databaseOf, hasCopies, walkLater, walkNow } from './tiers.js'

const later = (promise, next) => promise.then(next)
const atOnce = (result, next) => next(result)
const nothing = () => undefined

/** The verbs, written once: `then` goes on after a promise, or at once. */
class Verbs {
  #raw
  #then
  #Listing
  #hooks
  #moving
  #records
  #presence

  constructor(raw, then, Listing, moving, records, presence) {
    this.#raw = raw
    this.#then = then
    this.#Listing = Listing
    this.#hooks = new WriteHooks(raw, records)
    this.#moving = moving
    this.#records = records
    this.#presence = presence
  }

  get(key, notFound) {
    return this.#get(encodeKeyAsPath(key), key, notFound)
  }

  getIn(path, notFound) {
    return this.#get(encodePath(path, this.#records), path[0], notFound)
  }

  #get(path, key, notFound) {
    return this.#then(this.#raw.get(path), (bytes) => (bytes === undefined ? notFound : this.#decode(bytes, key)))
  }

  #decode(bytes, key) {
    return bytes === undefined ? undefined : decode(bytes, this.#records, key)
  }

  #encode(value, name, key) {
    return encodeValue(value, name, key, this.#records)
  }

  exists(key) {
    return this.#raw.exists(encodeKey(key))
  }

  getMeta(key) {
    const read = (bytes) => (bytes === undefined ? undefined : decodeMeta(bytes, this.#records))
    return this.#then(this.#raw.getMeta(encodeKey(key)), read)
  }

  assoc(key, value, options) {
    return this.#assoc(encodeKeyAsPath(key), key, value, options)
  }

  assocIn(path, value, options) {
    return this.#assoc(encodePath(path, this.#records), path[0], value, options)
  }

  #assoc(path, key, value, options) {
    const { meta, expires, compressor } = this.#said(options, 'compressor')
    const bytes = this.#encode(value, 'value', key)
    return this.#then(this.#raw.assoc(path, bytes, meta, expires, compressor), nothing)
  }

  update(key, fn, options) {
    return this.#update(encodeKeyAsPath(key), key, fn, options)
  }

  updateIn(path, fn, options) {
    return this.#update(encodePath(path, this.#records), path[0], fn, options)
  }

  /**
   * The result is read from the bytes of the last call of `fn`: what `fn` does to its values later does not show. A signal
   * counts until there are such bytes: what is being committed is not called back.
   */
  #update(path, key, fn, options) {
    if (typeof fn !== 'function') {
      throw new KonserveError('INVALID_VALUE', 'an update needs a function that makes the new value of the old', {
        key,
      })
    }
    const { meta, expires, compressor, signal } = this.#said(options, 'signal', 'compressor')
    signal?.throwIfAborted()
    let last
    const step = (before) => {
      last = undefined
      signal?.throwIfAborted()
      const keep = (value) => {
        signal?.throwIfAborted()
        const after = this.#encode(value, 'value', key)
        last = [before, after]
        return after
      }
      const value = fn(this.#decode(before, key))
      if (this.#then === atOnce || !isThenable(value)) return keep(value)
      return unlessAborted(Promise.resolve(value), signal).then(keep)
    }
    const updating = this.#raw.update(path, step, meta, expires, compressor)
    const updated = this.#then === atOnce ? updating : unlessAborted(updating, signal, () => last === undefined)
    return this.#then(updated, () => last.map((bytes) => this.#decode(bytes, key)))
  }

  dissoc(key) {
    return this.#raw.dissoc(encodeKeyAsPath(key))
  }

  dissocIn(path) {
    return this.#raw.dissoc(encodePath(path, this.#records))
  }

  bassoc(key, input, options) {
    const at = encodeKey(key)
    const { meta, expires, compressor, signal } = this.#said(options, 'signal', 'compressor')
    const put = (bytes) => this.#then(this.#raw.bassoc(at, bytes, meta, expires, compressor), nothing)
    const bytes = bytesOf(input)
    if (bytes !== undefined) {
      signal?.throwIfAborted()
      return put(bytes)
    }
    const chunks = chunksOf(input)
    if (this.#then === atOnce) throw neverWaits('stream: give it the bytes')
    return this.#raw.writer(at, meta, expires).then((writer) => pour(writer, chunks, signal))
  }

  bget(key, what = {}, options = {}) {
    if (typeof what === 'function') {
      if (this.#then === atOnce) throw neverWaits('function: read the bytes, or a part of them')
      const at = encodeKey(key)
      const { signal } = known(options, ['signal'], 'a loan of a binary')
      signal?.throwIfAborted()
      return lendTo(what, signal, (use) => this.#raw.lend(at, use))
    }
    const range = rangeOf(known(what, ['start', 'end'], 'a read of a binary'))
    return this.#raw.bget(encodeKey(key), ...range)
  }

  multiGet(keys) {
    const asked = keysOf(keys)
    return this.#then(this.#raw.batch('get', encodeKeys(asked)), (bytes) => {
      const found = new Map()
      decodeFound(bytes, this.#records, asked).forEach(
        (answer, at) => answer.length > 0 && found.set(asked[at], answer[0]),
      )
      return found
    })
  }

  multiAssoc(entries, options) {
    const all = entriesOf(entries)
    const batch = encodeBatch(all, saidOf(options), this.#records)
    return this.#then(this.#raw.batch('assoc', batch), (bytes) => answers(bytes, (at) => all[at].key))
  }

  multiDissoc(keys) {
    const asked = keysOf(keys)
    return this.#then(this.#raw.batch('dissoc', encodeKeys(asked)), (bytes) => answers(bytes, (at) => asked[at]))
  }

  addWriteHook(id, fn) {
    this.#hooks.add(id, fn)
  }

  removeWriteHook(id) {
    this.#hooks.remove(id)
  }

  keys(query) {
    const read = (page) => decodeMetas(page, this.#records)
    return new this.#Listing(() => this.#raw.pages(queryOf(query, false)), read, query?.signal)
  }

  entries(query) {
    const read = (page) => decodeEntries(page, this.#records)
    return new this.#Listing(() => this.#raw.pages(queryOf(query, true)), read, query?.signal)
  }

  verify(options = {}) {
    const { repair = false, signal } = known(options, ['repair', 'onProgress', 'signal'], 'verify')
    signal?.throwIfAborted()
    return this.#then(this.#raw.verify(repair, watcher(options)), (bytes) => decode(bytes))
  }

  export(options = {}) {
    const watch = watcher(known(options, ['onProgress', 'signal'], 'an export'))
    return this.#moving.out(() => this.#raw.export(watch))
  }

  import(source, options = {}) {
    const { existing = 'error' } = known(options, ['existing', 'onProgress', 'signal'], 'an import')
    const put = this.#moving.in(source, options, watcher(options), (next) => this.#raw.import(existing, next))
    return this.#then(put, ([imported, skipped]) => ({ imported, skipped }))
  }

  copyTo(store, options = {}) {
    const { existing = 'error', signal } = known(options, ['existing', 'onProgress', 'signal'], 'a copy')
    signal?.throwIfAborted()
    if (store?.constructor !== this.constructor) {
      throw new KonserveError('INVALID_CONFIG', 'copyTo needs a store that the same functions of this package opened')
    }
    if (this.#then === later) return this.#copyLater(store, existing, options)
    return this.#raw.copyTo(store.#raw, existing, watcher(options))[0]
  }

  async #copyLater(store, existing, options) {
    const whole = (raw) => (raw.grown ? raw.grown() : raw)
    const [from, to] = await Promise.all([whole(this.#raw), whole(store.#raw)])
    if (to instanceof from.constructor) return (await from.copyTo(to, existing, watcher(options)))[0]
    // One wasm module cannot read another's store.
    return (await store.import(this.export(), options)).imported
  }

  append(key, element, options) {
    const { meta, expires } = this.#said(options)
    const bytes = this.#encode(element, 'element', key)
    return this.#then(this.#raw.append(encodeKey(key), bytes, meta, expires), nothing)
  }

  log(key, options = {}) {
    const { signal } = known(options, ['signal'], 'a log')
    const open = () => this.#log(key)
    const read = (page) => this.#decode(page, key)
    return this.#then === later ? new AsyncLog(open, read, signal) : new Listing(open, read, signal).toArray()
  }

  #log(key) {
    return this.#raw.log(encodeKey(key))
  }

  /** `fn` is awaited only where it gives a promise: most do not, and logs are long. */
  reduceLog(key, fn, init, options = {}) {
    if (typeof fn !== 'function') {
      throw new KonserveError('INVALID_VALUE', 'reduceLog needs a function of what there is and the next element', {
        key,
      })
    }
    const { signal } = known(options, ['signal'], 'reduceLog')
    const pages = stoppable(this.#log(key), signal)
    const read = (page) => pages.entries(this.#decode(page, key))
    return this.#then === later
      ? reduceLater(pages, read, fn, init, signal).finally(pages.free)
      : finishing(pages.free, () => reduce(pages, read, fn, init))
  }

  sweep(options) {
    const { wanted, signal } = sweepOptions(options)
    const open = () => stoppable(this.#raw.sweep(wanted), signal)
    return this.#then(new this.#Listing(open, (page) => decode(page)).toArray(), (keys) => new Set(keys))
  }

  cutoff() {
    return cutoff(this.#raw)
  }

  withUnreferencedWrites(fn) {
    const done = unreferenced(this.#raw)
    return this.#then === later ? called(fn).finally(done) : finishing(done, fn)
  }

  changePassphrase(options) {
    const { from, to } = known(options, ['from', 'to'], 'changePassphrase')
    return this.#changeKeys('change', [secretOf(from, 'from'), secretOf(to, 'to')])
  }

  addKey(key) {
    return this.#changeKeys('add', [secretOf(key, 'key')])
  }

  removeKey(key) {
    return this.#changeKeys('remove', [secretOf(key, 'key')])
  }

  #changeKeys(op, keys) {
    return this.#then(this.#raw.changeKeys(op, keys, this.#derivation()), nothing)
  }

  rekey(options) {
    const { keys, signal } = known(options, ['keys', 'onProgress', 'signal'], 'rekey')
    signal?.throwIfAborted()
    const [secrets, derive, watch] = [secretsOf(keys), this.#derivation(signal), watcher(options)]
    const rekey = (alone) => this.#raw.rekey(secrets, derive, watch, alone)
    return this.#presence ? this.#presence.alone(rekey) : rekey(false)
  }

  #derivation(signal) {
    return (this.#then === later ? lentLater(signal) : lentNow()).derive
  }

  flush() {
    return this.#then(this.#raw.flush(), nothing)
  }

  close() {
    return this.#then(this.#raw.close(), nothing)
  }

  /** What a write says beside the value. */
  #said(options, ...more) {
    // Most writes say nothing, and to find that out costs a tenth of a small one.
    if (options === undefined) return NOTHING_SAID
    const { meta, ...rest } = saidOf(options, ...more)
    return { ...rest, meta: meta === undefined ? undefined : encodeMeta(meta, this.#records) }
  }

  static isStore(store) {
    return #raw in store
  }

  /** Whether the running wasm module with these bindings made this store. */
  static isOf(store, bindings) {
    return bindings !== undefined && store.#raw instanceof bindings.RawStore
  }

  /** What stands for this store where it is a tier of another. */
  static asTier(store) {
    const raw = store.#raw
    return raw.grown ? raw.grown().then((full) => full.tier()) : raw.tier()
  }

  /** The store, after its front was given what the walk meets; closed again if that fails. */
  static walk(store, { sync }) {
    if (typeof sync !== 'object') return store
    const records = store.#records
    const end = (error) => {
      const thrown = () => {
        throw error
      }
      return store.#then === later ? store.close().then(thrown, thrown) : finishing(thrown, () => store.close())
    }
    try {
      const walking = store.#raw.walk(encodeKeys(sync.roots))
      if (store.#then === later) return walkLater(walking, sync.walk, records).then(() => store, end)
      walkNow(walking, sync.walk, records)
      return store
    } catch (error) {
      return end(error)
    }
  }
}

export const { asTier, isOf, walk } = Verbs
/** Whether this is an open store of this package. */
export const isStore = (given) => given !== null && typeof given === 'object' && Verbs.isStore(given)

/** A store whose methods return promises. */
export class Store extends Verbs {
  #changes
  #database

  #presence

  constructor(raw, config, presence) {
    super(raw, later, AsyncListing, streams, config.records, presence)
    this.#presence = presence
    this.#database = databaseOf(config, (store) => store.#database)
    const shared = this.#database !== undefined && typeof BroadcastChannel === 'function'
    const channel = shared ? `konserve ${raw.id()} ${this.#database}` : undefined
    this.#changes = new Changes(raw, channel, hasCopies(config))
  }

  changes(options) {
    return this.#changes.iterate(options)
  }

  addEventListener(type, listener, options) {
    this.#changes.add(type, listener, options)
  }

  removeEventListener(type, listener) {
    this.#changes.remove(type, listener)
  }

  close() {
    return super.close().finally(() => {
      this.#changes.close()
      return this.#presence?.leave()
    })
  }

  [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    return this.close()
  }
}

/** What a verb throws before it has a promise, its promise rejects with. */
for (const verb of [
  'get',
  'getIn',
  'exists',
  'getMeta',
  'assoc',
  'assocIn',
  'update',
  'updateIn',
  'dissoc',
  'dissocIn',
  'bassoc',
  'bget',
  'multiGet',
  'multiAssoc',
  'multiDissoc',
  'verify',
  'import',
  'copyTo',
  'append',
  'reduceLog',
  'sweep',
  'changePassphrase',
  'addKey',
  'removeKey',
  'rekey',
  'flush',
]) {
  const method = {
    [verb](...args) {
      try {
        return Verbs.prototype[verb].apply(this, args)
      } catch (error) {
        return Promise.reject(error)
      }
    },
  }
  Object.defineProperty(Store.prototype, verb, { value: method[verb], writable: true, configurable: true })
}

/** A store whose methods are done when they return. */
export class SyncStore extends Verbs {
  constructor(raw, { records }) {
    super(raw, atOnce, Listing, iterables, records)
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.close()
  }
}

function neverWaits(what) {
  return new KonserveError(
    'UNSUPPORTED',
    `a synchronous store waits for no ${what}, or open it with the promises of konserve`,
  )
}

/** Whether it is to be awaited. What cannot be looked at is a value, and refused as such. */
function isThenable(value) {
  try {
    return value !== null && typeof value === 'object' && typeof value.then === 'function'
  } catch {
    return false
  }
}

const called = async (fn) => fn()

function finishing(end, fn) {
  try {
    return fn()
  } finally {
    end()
  }
}

function reduce(pages, read, fn, init) {
  let all = init
  for (let page = pages.next(); page !== undefined; page = pages.next()) {
    for (const element of read(page)) all = fn(all, element)
  }
  return all
}

async function reduceLater(pages, read, fn, init, signal) {
  let all = init
  for (let page = await pages.next(); page !== undefined; page = await pages.next()) {
    for (const element of read(page)) {
      all = fn(all, element)
      if (isThenable(all)) all = await unlessAborted(Promise.resolve(all), signal)
    }
  }
  return all
}

function sweepOptions(options = {}) {
  const { keep, before, batchSize, signal } = known(options, ['keep', 'before', 'batchSize', 'signal'], 'a sweep')
  if (keep === null || typeof keep !== 'object' || typeof keep[Symbol.iterator] !== 'function') {
    throw new KonserveError('INVALID_CONFIG', 'a sweep needs keep: a set of keys, which may be empty')
  }
  if (before === undefined) {
    throw new KonserveError('INVALID_CONFIG', 'a sweep needs before: what was written then or later stays')
  }
  const wanted = {
    before: timeOf(before, 'before'),
    keep: [...keep],
    ...(batchSize !== undefined && { batch: batchSize }),
  }
  return { wanted: encodeValue(wanted, 'sweep'), signal }
}

const NOTHING_SAID = Object.freeze({ meta: undefined, expires: undefined, compressor: undefined, signal: undefined })

/** What a write says beside the value, not encoded yet, and what `more` it may say. */
function saidOf(options = {}, ...more) {
  const { meta, expires, compressor, signal } = known(options, ['meta', 'expires', ...more], 'a write')
  const until = expires === undefined ? undefined : timeOf(expires, 'expires')
  return { meta, expires: until, compressor: compressorOf(compressor), signal }
}

/** The number of a compressor, of which the core knows the name. */
function compressorOf(name) {
  if (name === undefined) return undefined
  const id = ['none', 'lz4', 'zstd'].indexOf(name)
  if (id >= 0) return id
  throw new KonserveError('INVALID_CONFIG', 'the compressor of a write is none, lz4 or zstd, or left out')
}

function keysOf(keys) {
  if (typeof keys === 'object' && typeof keys?.[Symbol.iterator] === 'function') return [...keys]
  throw new KonserveError('INVALID_KEY', 'several keys are an array of them, or another iterable')
}

/** The entries of a batch as `{ key, value, meta, expires }`. */
function entriesOf(entries) {
  return pairsOf(entries).map((pair) => {
    if (Array.isArray(pair) && (pair.length === 2 || pair.length === 3)) {
      const [key, value, options] = pair
      return { key, value, ...saidOf(options) }
    }
    throw new KonserveError('INVALID_VALUE', 'an entry of a batch is [key, value], or [key, value, { meta, expires }]')
  })
}

function pairsOf(entries) {
  const kind = entries !== null && typeof entries === 'object' ? kindOf(entries) : undefined
  if (kind === 'Object') return Object.entries(entries)
  if (kind === 'Map' || kind === 'Array') return [...entries]
  throw new KonserveError('INVALID_VALUE', 'a batch is a Map, a plain object, or an array of [key, value]')
}

/** For each key of a batch, whether it was there. */
function answers(bytes, keyAt) {
  return new Map(decode(bytes).map((answer, at) => [keyAt(at), answer]))
}

function timeOf(time, what) {
  if (typeof time === 'number') return time
  if (time !== null && typeof time === 'object' && kindOf(time) === 'Date') return time.getTime()
  throw new KonserveError('INVALID_VALUE', `${what} must be a Date, or milliseconds since 1970`)
}

function queryOf(query = {}, values) {
  const { type, prefix } = known(query, ['type', 'prefix', 'signal'], 'a listing')
  const asked = { values }
  if (type !== undefined) asked.type = type
  if (prefix !== undefined) asked.prefix = prefix
  return encodeValue(asked, 'query')
}

function known(options, names, what) {
  if (options === null || typeof options !== 'object') {
    throw new KonserveError('INVALID_CONFIG', `the options of ${what} must be an object: ${names.join(', ')}`)
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new KonserveError('INVALID_CONFIG', `${what} has no option ${unknown}; it has ${names.join(', ')}`)
  }
  return options
}
