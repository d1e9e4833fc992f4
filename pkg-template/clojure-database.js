/* global indexedDB, IDBKeyRange */

import { KonserveError } from './error.js'

/** The object store has the empty name, its keys are `<uuid>.ksv`, its values Blobs of whole blobs. */
const STORE = ''
const TYPE = 'application/octet-stream'
const isName = (key) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.ksv$/.test(key)
/** What damaged blobs that were set aside have at the end of their names: nobody reads those. */
const DAMAGED = '.damaged'
/** How many heads a page of a listing has. */
const PAGE = 64
/** So many bytes are read at first where a head is wanted: most heads are shorter. */
const HEAD = 1024
/** How long another tab may keep a database from being opened or deleted, in milliseconds. */
const PATIENCE = 5000

/**
 * A database as Clojure's konserve has it in browsers, with the methods that `own.js` gives to a backing; `object.rs` calls
 * them. Bytes of a Blob cannot be read while a transaction is open, so whoever writes holds the database's Web Lock.
 */
export class ClojureDatabase {
  sync = false
  atomicBatches = true
  shared = true
  persistent = true
  #name
  #durability
  #connection
  #latest

  constructor(name, durability = 'relaxed') {
    if (typeof name !== 'string') throw invalid('the backend indexeddb needs a name for its database')
    if (!['relaxed', 'strict'].includes(durability)) {
      throw invalid(`there is no durability ${String(durability)}; use relaxed or strict`)
    }
    this.#name = name
    this.#durability = durability
  }

  exists() {
    return isClojures(this.#name)
  }

  async open(create) {
    if (typeof indexedDB === 'undefined' || !globalThis.navigator?.locks) {
      const message =
        "a database in konserve's layout needs IndexedDB and Web Locks: use a page or worker that came over https or from localhost, or another backend"
      throw new KonserveError('UNSUPPORTED', message)
    }
    const database = await opened(this.#name, create)
    if (!database) return false
    const stores = [...database.objectStoreNames]
    if (stores.includes(STORE)) {
      this.#connection = Promise.resolve(this.#watched(database))
      return true
    }
    database.close()
    if (stores.includes('m') && stores.includes('v')) {
      throw invalid('the database holds a store in the sealed layout; leave the layout out, or use another name')
    }
    throw foreign()
  }

  async destroy() {
    if (await this.exists()) await requested('deleting the database', () => indexedDB.deleteDatabase(this.#name))
  }

  /** The whole blobs; or with `heads` bytes that begin with the head, and have all of it. */
  read(names, heads = false) {
    return telling('reading', async () => {
      const found = await this.#within('readonly', (rows) => names.map((name) => rows.get(name)))
      return Promise.all(found.map(({ result }) => result && (heads ? headOf(result) : bytesOf(result))))
    })
  }

  /** `writes` are `[name, change, expect]`; `checkOf` says what tells the states of a blob apart. See `object.rs`. */
  commit(writes, checkOf) {
    return this.#alone(async () => {
      const checked = writes.filter(([, , expect]) => expect !== undefined)
      const found = await this.read(
        checked.map(([name]) => name),
        true,
      )
      const conflict = checked.find(([, , expect], at) => !meets(found[at], expect, checkOf))
      return conflict ? conflict[0] : this.#write(writes)
    })
  }

  update(name, step) {
    return this.#alone(async () => {
      const change = step((await this.read([name]))[0])
      if (change !== false) await this.#write([[name, change]])
    })
  }

  setAside(name, isDamaged) {
    return this.#alone(async () => {
      const [found] = await this.read([name])
      if (found === undefined || !isDamaged(found)) return false
      await this.#write([
        [name + DAMAGED, found],
        [name, null],
      ])
      return true
    })
  }

  /** `[name, head, name, head…, last name]` of what comes after a name; `undefined` after the last page. */
  page(after) {
    return telling('reading', async () => {
      // Binary keys come right after all texts.
      const texts = IDBKeyRange.bound(after, new ArrayBuffer(0), true, true)
      const [{ result: names }, { result: found }] = await this.#within('readonly', (rows) => [
        rows.getAllKeys(texts, PAGE),
        rows.getAll(texts, PAGE),
      ])
      if (names.length === 0) return undefined
      const heads = names.map(async (name, at) => (isName(name) ? [name, await headOf(found[at])] : []))
      return [...(await Promise.all(heads)).flat(), names.at(-1)]
    })
  }

  /** There is none: whoever shares the database would take it for a blob. */
  async record() {
    return undefined
  }

  async close() {
    const connection = this.#connection
    this.#connection = undefined
    if (connection) (await connection).close()
  }

  /** For each write whether it did something: a delete of nothing does not. */
  #write(writes) {
    return telling('writing', async () => {
      const before = await this.#within('readwrite', (rows) =>
        writes.map(([name, change]) => {
          const there = change === null ? rows.getKey(name) : undefined
          if (change) rows.put(new Blob([change], { type: TYPE }), name)
          else if (there) rows.delete(name)
          return there
        }),
      )
      return before.map((there) => there === undefined || there.result !== undefined)
    })
  }

  /** The requests that `act` makes of the object store, once their transaction is complete. */
  async #within(mode, act) {
    const transaction = await this.#begin(mode)
    return new Promise((resolve, reject) => {
      const requests = act(transaction.objectStore(STORE))
      transaction.oncomplete = () => resolve(requests)
      transaction.onabort = () => reject(transaction.error ?? new Error('the browser closed the database'))
    })
  }

  /** A connection that the browser, or another tab that deletes the database, took away is opened again. */
  async #begin(mode) {
    const options = { durability: this.#durability }
    try {
      return (await this.#connected()).transaction(STORE, mode, options)
    } catch (error) {
      if (error.name !== 'InvalidStateError') throw error
      this.#connection = undefined
      return (await this.#connected()).transaction(STORE, mode, options)
    }
  }

  #connected() {
    const connect = async () => {
      const database = await opened(this.#name, false)
      if (database?.objectStoreNames.contains(STORE)) return this.#watched(database)
      database?.close()
      throw foreign()
    }
    return (this.#connection ??= connect().catch((error) => {
      this.#connection = undefined
      throw error
    }))
  }

  #watched(database) {
    this.#latest = database
    const forget = () => {
      // There may be another one by now.
      if (this.#latest === database) this.#connection = undefined
    }
    database.onclose = forget
    database.onversionchange = () => {
      forget()
      database.close()
    }
    return database
  }

  /** Acts while nobody else writes the database. */
  #alone(act) {
    return navigator.locks.request(`konserve ${this.#name}`, act)
  }
}

/** Whether there is a database of this name that is laid out as Clojure's konserve does it. */
export async function isClojures(name) {
  const database = typeof indexedDB !== 'undefined' && typeof name === 'string' && (await opened(name, false))
  if (!database) return false
  database.close()
  return database.objectStoreNames.contains(STORE)
}

/** The open database; `undefined` where there is none and none is to be made. */
async function opened(name, create) {
  return requested('opening the database', () => {
    const request = indexedDB.open(name)
    request.onupgradeneeded = () => {
      if (create && !request.late) request.result.createObjectStore(STORE)
      else request.transaction.abort()
    }
    return request
  })
}

/** The result of a request of the factory's, which other tabs may hold up; `undefined` where an upgrade was aborted. */
function requested(doing, begin) {
  return telling(
    doing,
    () =>
      new Promise((resolve, reject) => {
        const request = begin()
        const timer = setTimeout(() => {
          request.late = true
          const message = `${doing}: another tab or worker keeps it open; close that one, then try again`
          reject(new KonserveError('BLOCKED', message))
        }, PATIENCE)
        request.onsuccess = () => {
          clearTimeout(timer)
          if (request.late) request.result?.close()
          resolve(request.result)
        }
        request.onerror = () => {
          clearTimeout(timer)
          if (request.error.name === 'AbortError') resolve(undefined)
          else reject(request.error)
        }
      }),
  )
}

async function bytesOf(stored) {
  const blob = stored instanceof Blob ? stored : new Blob([stored])
  return new Uint8Array(await blob.arrayBuffer())
}

async function headOf(stored) {
  const blob = stored instanceof Blob ? stored : new Blob([stored])
  const start = await bytesOf(blob.slice(0, HEAD))
  const length = start.length < 20 ? 0 : 20 + new DataView(start.buffer).getUint32(4)
  return length <= start.length ? start : bytesOf(blob.slice(0, length))
}

/** Whether what is there is what is expected: `null` nothing, bytes a blob with this check. */
function meets(found, expect, checkOf) {
  if (expect === null || found === undefined) return expect === null && found === undefined
  return checkOf(found)?.every((byte, at) => byte === expect[at]) ?? false
}

const CODES = { QuotaExceededError: 'QUOTA_EXCEEDED', SecurityError: 'PERMISSION_DENIED' }
const ADVICE = {
  QUOTA_EXCEEDED: 'the browser refuses more data for this site; delete something, or ask for more',
  PERMISSION_DENIED: 'the browser does not allow IndexedDB here',
  BACKEND: "the browser's database failed: see the cause",
}

async function telling(doing, act) {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof KonserveError) throw cause
    const code = CODES[cause?.name] ?? 'BACKEND'
    throw new KonserveError(code, `${doing}: ${ADVICE[code]}`, { cause })
  }
}

const invalid = (message) => new KonserveError('INVALID_CONFIG', message)

function foreign() {
  const message = 'there is no store of this name, or the database belongs to something else; use another name'
  return new KonserveError('STORE_NOT_FOUND', message)
}
