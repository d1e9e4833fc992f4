import { bytesOf, chunksOf, lendTo, notBinary, pour, rangeOf } from './binary.js'
import { Changes } from './changes.js'
import { decode } from './decode.js'
import { encodeBatch, encodeKeyAsPath, encodeKey, encodeKeys, encodePath, encodeValue } from './encode.js'
import { KonserveError } from './error.js'
import { cutoff, unreferenced } from './guard.js'
import { WriteHooks } from './hooks.js'
import { kindOf } from './kinds.js'
import { AsyncListing, AsyncLog, Listing } from './listing.js'
import { iterables, streams, watcher } from './moving.js'

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

  constructor(raw, then, Listing, moving) {
    this.#raw = raw
    this.#then = then
    this.#Listing = Listing
    this.#hooks = new WriteHooks(raw)
    this.#moving = moving
  }

  get(key, notFound) {
    return this.#get(encodeKeyAsPath(key), notFound)
  }

  getIn(path, notFound) {
    return this.#get(encodePath(path), notFound)
  }

  #get(path, notFound) {
    return this.#then(this.#raw.get(path), (bytes) => (bytes === undefined ? notFound : decode(bytes)))
  }

  exists(key) {
    return this.#raw.exists(encodeKey(key))
  }

  getMeta(key) {
    return this.#then(this.#raw.getMeta(encodeKey(key)), decodeIfAny)
  }

  assoc(key, value, options) {
    return this.#assoc(encodeKeyAsPath(key), key, value, options)
  }

  assocIn(path, value, options) {
    return this.#assoc(encodePath(path), path[0], value, options)
  }

  #assoc(path, key, value, options) {
    const { meta, expires } = writeOptions(options)
    return this.#then(this.#raw.assoc(path, encodeValue(value, 'value', key), meta, expires), nothing)
  }

  update(key, fn, options) {
    return this.#update(encodeKeyAsPath(key), key, fn, options)
  }

  updateIn(path, fn, options) {
    return this.#update(encodePath(path), path[0], fn, options)
  }

  /** The result is read from the bytes of the last call of `fn`: what `fn` does to its values later does not show. */
  #update(path, key, fn, options) {
    if (typeof fn !== 'function') {
      throw new KonserveError('INVALID_VALUE', 'an update needs a function that makes the new value of the old', {
        key,
      })
    }
    const { meta, expires } = writeOptions(options)
    let last
    const step = (before) => {
      const keep = (value) => {
        const after = encodeValue(value, 'value', key)
        last = [before, after]
        return after
      }
      const value = fn(decodeIfAny(before))
      return this.#then === later && isThenable(value) ? Promise.resolve(value).then(keep) : keep(value)
    }
    return this.#then(this.#raw.update(path, step, meta, expires), () => last.map(decodeIfAny))
  }

  dissoc(key) {
    return this.#raw.dissoc(encodeKeyAsPath(key))
  }

  dissocIn(path) {
    return this.#raw.dissoc(encodePath(path))
  }

  bassoc(key, input, options) {
    const at = encodeKey(key)
    const { meta, expires, signal } = writeOptions(options, 'signal')
    const put = (bytes) => this.#then(this.#raw.bassoc(at, bytes, meta, expires), nothing)
    const bytes = bytesOf(input)
    if (bytes !== undefined) {
      signal?.throwIfAborted()
      return put(bytes)
    }
    if (this.#then === atOnce) throw notBinary('ArrayBuffer or string: a synchronous store waits for no stream')
    const chunks = chunksOf(input)
    return this.#raw.writer(at, meta, expires).then((writer) => pour(writer, chunks, signal))
  }

  bget(key, what = {}, options = {}) {
    if (typeof what === 'function' && this.#then === later) {
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
      decode(bytes).forEach((answer, at) => answer.length > 0 && found.set(asked[at], answer[0]))
      return found
    })
  }

  multiAssoc(entries, options) {
    const all = entriesOf(entries)
    const batch = encodeBatch(all, saidOf(options))
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
    return new this.#Listing(() => this.#raw.pages(queryOf(query, false)))
  }

  entries(query) {
    return new this.#Listing(() => this.#raw.pages(queryOf(query, true)))
  }

  verify(options = {}) {
    const { repair = false, signal } = known(options, ['repair', 'onProgress', 'signal'], 'verify')
    signal?.throwIfAborted()
    return this.#then(this.#raw.verify(repair, watcher(options)), decode)
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
    const copy = (to) => this.#raw.copyTo(to, existing, watcher(options))
    const to = store.#raw
    return this.#then(to.grown ? to.grown().then(copy) : copy(to), ([copied]) => copied)
  }

  append(key, element, options) {
    const { meta, expires } = writeOptions(options)
    const bytes = encodeValue(element, 'element', key)
    return this.#then(this.#raw.append(encodeKey(key), bytes, meta, expires), nothing)
  }

  log(key) {
    const open = () => this.#log(key)
    return this.#then === later ? new AsyncLog(open) : new Listing(open).toArray()
  }

  #log(key) {
    return this.#raw.log(encodeKey(key))
  }

  /** `fn` is awaited only where it gives a promise: most do not, and logs are long. */
  reduceLog(key, fn, init) {
    if (typeof fn !== 'function') {
      throw new KonserveError('INVALID_VALUE', 'reduceLog needs a function of what there is and the next element', {
        key,
      })
    }
    const pages = this.#log(key)
    const free = () => pages.free()
    return this.#then === later
      ? reduceLater(pages, fn, init).finally(free)
      : finishing(free, () => reduce(pages, fn, init))
  }

  sweep(options) {
    const { wanted, signal } = sweepOptions(options)
    const open = () => {
      const pages = this.#raw.sweep(wanted)
      const next = () => {
        signal?.throwIfAborted()
        return pages.next()
      }
      return { next, free: () => pages.free() }
    }
    return this.#then(new this.#Listing(open).toArray(), (keys) => new Set(keys))
  }

  cutoff() {
    return cutoff(this.#raw)
  }

  withUnreferencedWrites(fn) {
    const done = unreferenced(this.#raw)
    return this.#then === later ? called(fn).finally(done) : finishing(done, fn)
  }

  close() {
    return this.#then(this.#raw.close(), nothing)
  }
}

/** A store whose methods return promises. */
export class Store extends Verbs {
  #changes

  constructor(raw, { backend, name }) {
    super(raw, later, AsyncListing, streams)
    const shared = backend === 'indexeddb' && typeof BroadcastChannel === 'function'
    this.#changes = new Changes(raw, shared ? `konserve ${raw.id()} ${name}` : undefined)
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
    return super.close().finally(() => this.#changes.close())
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
  constructor(raw) {
    super(raw, atOnce, Listing, iterables)
  }

  [Symbol.dispose ?? Symbol.for('Symbol.dispose')]() {
    this.close()
  }
}

function decodeIfAny(bytes) {
  return bytes === undefined ? undefined : decode(bytes)
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

function reduce(pages, fn, init) {
  let all = init
  for (let page = pages.next(); page !== undefined; page = pages.next()) {
    for (const element of decode(page)) all = fn(all, element)
  }
  return all
}

async function reduceLater(pages, fn, init) {
  let all = init
  for (let page = await pages.next(); page !== undefined; page = await pages.next()) {
    for (const element of decode(page)) {
      all = fn(all, element)
      if (isThenable(all)) all = await all
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

/** What a write says, and what it may say beside that. */
function writeOptions(options = {}, ...more) {
  const { meta, expires, ...rest } = known(options, ['meta', 'expires', ...more], 'a write')
  return {
    ...rest,
    meta: meta === undefined ? undefined : encodeValue(meta, 'meta'),
    expires: expires === undefined ? undefined : timeOf(expires, 'expires'),
  }
}

/** What a write of a batch says, not encoded yet. */
function saidOf(options = {}) {
  const { meta, expires } = known(options, ['meta', 'expires'], 'a write')
  return { meta, expires: expires === undefined ? undefined : timeOf(expires, 'expires') }
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
  const { type, prefix } = known(query, ['type', 'prefix'], 'a listing')
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
