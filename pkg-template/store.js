import { decode } from './decode.js'
import { encodeKeyAsPath, encodeKey, encodePath, encodeValue } from './encode.js'
import { KonserveError } from './error.js'
import { kindOf } from './kinds.js'
import { AsyncListing, AsyncLog, Listing } from './listing.js'

const later = (promise, next) => promise.then(next)
const atOnce = (result, next) => next(result)
const nothing = () => undefined

/** The verbs, written once: `then` goes on after a promise, or at once. */
class Verbs {
  #raw
  #then
  #Listing

  constructor(raw, then, Listing) {
    this.#raw = raw
    this.#then = then
    this.#Listing = Listing
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

  keys(query) {
    return new this.#Listing(() => this.#raw.pages(queryOf(query, false)))
  }

  entries(query) {
    return new this.#Listing(() => this.#raw.pages(queryOf(query, true)))
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
    encodeKey(key)
    return this.#raw.pages(encodeValue({ log: key }, 'log', key))
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
    const { query, signal } = sweepOptions(options)
    const open = () => {
      const pages = this.#raw.pages(query)
      const next = () => {
        signal?.throwIfAborted()
        return pages.next()
      }
      return { next, free: () => pages.free() }
    }
    return this.#then(new this.#Listing(open).toArray(), (keys) => new Set(keys))
  }

  cutoff() {
    return this.#raw.cutoff()
  }

  withUnreferencedWrites(fn) {
    const writing = this.#raw.writing()
    const free = () => writing.free()
    return this.#then === later ? called(fn).finally(free) : finishing(free, fn)
  }

  close() {
    return this.#then(this.#raw.close(), nothing)
  }
}

/** A store whose methods return promises. */
export class Store extends Verbs {
  constructor(raw) {
    super(raw, later, AsyncListing)
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
    super(raw, atOnce, Listing)
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
  const query = {
    before: timeOf(before, 'before'),
    keep: [...keep],
    ...(batchSize !== undefined && { batch: batchSize }),
  }
  return { query: encodeValue(query, 'sweep'), signal }
}

function writeOptions(options = {}) {
  const { meta, expires } = known(options, ['meta', 'expires'], 'a write')
  return {
    meta: meta === undefined ? undefined : encodeValue(meta, 'meta'),
    expires: expires === undefined ? undefined : timeOf(expires, 'expires'),
  }
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
