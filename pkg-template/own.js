/**
 * A backing of the application's own, as the core asks for it: turns are taken, expectations kept and answers checked
 * here. The application writes `read`, `write` and `names`; `docs/backings.md` says what they do.
 *
 * Where the application's methods return results and no promises, so do these.
 */
import { KonserveError } from './error.js'

/** The name of the store's record; no blob is named so. */
const RECORD = 'konserve.store'
/** That of its copy, which an encrypted store has. */
const RECORD_COPY = 'konserve.store-copy'
const nameOf = (second) => (second ? RECORD_COPY : RECORD)
/** What damaged blobs are called that were set aside: this, and their name. */
const DAMAGED = 'konserve.damaged.'
const isBlob = (name) => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}\.ksv$/.test(name)
/** What blobs in konserve's layout begin with. */
const SHARED_LAYOUT = 1
/** How many names a page of a listing has: their blobs are read whole. */
const PAGE = 64
/** How often an update begins again because somebody else wrote. */
const MAX_TRIES = 32

/** Whether both are the same bytes, or none. */
const isSame = (one, other) =>
  one === undefined || other === undefined
    ? one === other
    : one.length === other.length && one.every((byte, at) => byte === other[at])

/** Goes on with a result now, or when its promise is settled. */
const then = (result, next) => (result instanceof Promise ? result.then(next) : next(result))

const wrapped = new WeakMap()

/** The same for the same object: it knows whether a store has it open, and who writes what. */
export function own(object) {
  if (!wrapped.has(object)) wrapped.set(object, new Own(object))
  return wrapped.get(object)
}

class Own {
  #object
  #taken = false
  /** While somebody tries to open this, whether it was closed again. */
  #trying
  /** Who writes a name, and will be done when the promise is settled. */
  #turns = new Map()

  constructor(object) {
    const missing = ['read', 'write', 'names'].find((name) => typeof object[name] !== 'function')
    if (missing) {
      const message = `the backend has no method ${missing}; a backing of one's own needs read, write and names`
      throw new KonserveError('INVALID_CONFIG', message)
    }
    this.#object = object
    const { sync, atomicBatches, shared, persistent } = object.capability ?? {}
    Object.assign(this, { sync, atomicBatches, shared, persistent })
  }

  exists() {
    return then(this.record(), (record) => record !== undefined || then(this.#names(''), (names) => names.some(isBlob)))
  }

  /** Whether there was something to open, or it may be made. What is not shared is opened once at a time. */
  open(create) {
    return then(create || this.exists(), (found) => {
      if (found && this.#taken) {
        const message =
          'an open store has this backing; close that one, or make the backing one that can be shared (capability.shared)'
        throw new KonserveError('STORE_LOCKED', message)
      }
      this.#taken = found && !this.shared
      return found
    })
  }

  destroy() {
    const from = (after) =>
      then(this.#names(after), (names) => {
        const ours = names.filter((name) => isBlob(name) || name.startsWith(DAMAGED))
        const writes = ours.map((name) => ({ name }))
        return then(writes.length > 0 && this.#write(writes), () => names.length > 0 && from(names.at(-1)))
      })
    return then(from(''), () => this.#write([{ name: RECORD_COPY }, { name: RECORD }]))
  }

  read(names) {
    return then(this.#call('read', names), (found) => {
      const right =
        Array.isArray(found) &&
        found.length === names.length &&
        found.every((blob) => blob === undefined || blob === null || blob instanceof Uint8Array)
      if (!right) throw strange('read', 'no array of as many blobs')
      return found.map((blob) => blob ?? undefined)
    })
  }

  /**
   * `writes` are `[name, change, expect]`, see `object.rs`. Gives what was there for each, or a name in conflict. `check`
   * gives of a blob what an expectation has: in konserve's layout other bytes than in the sealed one.
   */
  commit(writes, check = checkOf) {
    const names = writes.map(([name]) => name)
    return this.#inTurn(names, () => {
      const blind = writes.every(([, change, expect]) => change && expect === undefined)
      return then(blind ? [] : this.read(names), (found) => this.#commit(writes, found, check))
    })
  }

  #commit(writes, found, check) {
    const conflict = writes.find(([, , expect], at) => !meets(found[at], expect, check))
    if (conflict) return conflict[0]
    const changes = writes.filter(([, change]) => change !== false)
    const done = writes.map(([, change], at) => change !== null || found[at] !== undefined)
    if (changes.length === 0) return done
    return then(this.#write(changes.map((write) => this.#asked(...write))), (name) => name ?? done)
  }

  update(name, step) {
    const attempt = (tries) =>
      then(this.read([name]), ([found]) => {
        const change = step(found)
        if (change === false) return undefined
        const write = this.#asked(name, change, found === undefined ? null : checkOf(found))
        return then(this.#write([write]), (conflict) => {
          if (conflict === undefined) return undefined
          if (tries < MAX_TRIES) return attempt(tries + 1)
          throw new KonserveError('CONFLICT', `others wrote ${name} ${MAX_TRIES} times while it was updated; try again`)
        })
      })
    return this.#inTurn([name], () => attempt(1))
  }

  /** Moves a blob, if it is there and damaged, to a name where nothing looks for it. */
  setAside(name, isDamaged) {
    const move = ([found]) => {
      if (found === undefined || !isDamaged(found)) return false
      const writes = [{ name: DAMAGED + name, blob: found }, this.#asked(name, null, checkOf(found))]
      return then(this.#write(writes), (conflict) => conflict === undefined)
    }
    return this.#inTurn([name], () => then(this.read([name]), move))
  }

  page(after) {
    return then(this.#names(after), (names) => {
      if (names.length === 0) return undefined
      const blobs = names.filter(isBlob)
      return then(this.read(blobs), (found) => [...blobs.flatMap((name, at) => [name, found[at]]), names.at(-1)])
    })
  }

  record(second) {
    return then(this.read([nameOf(second)]), ([record]) => record)
  }

  /** Puts a copy of the record if `there` is what is there. */
  putRecord([bytes, second, there]) {
    const name = nameOf(second)
    return this.#inTurn([name], () =>
      then(this.record(second), (found) => {
        if (!isSame(found, there)) return false
        const expect = there === undefined ? null : undefined
        return then(this.#write([this.#asked(name, bytes, expect)]), (conflict) => conflict === undefined)
      }),
    )
  }

  close() {
    const waiting = [...this.#turns.values()]
    return then(waiting.length > 0 ? Promise.all(waiting) : undefined, () => {
      this.#taken = false
      if (this.#trying) this.#trying.closed = true
      else return this.#close()
    })
  }

  #close() {
    return this.#object.close && this.#call('close')
  }

  /** Acts, which may open this and close it again: where that is UNSUPPORTED the object stays open, for another try. */
  async tried(act) {
    const trying = (this.#trying = { closed: false })
    try {
      return await act()
    } catch (error) {
      if (trying.closed && error.code !== 'UNSUPPORTED') await this.#close()
      throw error
    } finally {
      this.#trying = undefined
    }
  }

  /** Acts when all who write one of these names are done. */
  #inTurn(names, act) {
    const before = names.flatMap((name) => this.#turns.get(name) ?? [])
    const acting = before.length > 0 ? Promise.all(before).then(act) : act()
    if (!(acting instanceof Promise)) return acting
    const done = acting.then(
      () => {},
      () => {},
    )
    for (const name of names) this.#turns.set(name, done)
    return acting.finally(() => {
      for (const name of names) if (this.#turns.get(name) === done) this.#turns.delete(name)
    })
  }

  /** A write as the application gets it. What nobody else writes, it need not check. */
  #asked(name, change, expect) {
    const write = change ? { name, blob: change } : { name }
    if (this.shared && change?.[0] === SHARED_LAYOUT && expect !== undefined) {
      const message = "a backing that others write too cannot keep konserve's layout, whose blobs have no check"
      throw new KonserveError('UNSUPPORTED', message)
    }
    return this.shared && expect !== undefined ? { ...write, expect } : write
  }

  /** The name in conflict, if there is one. */
  #write(writes) {
    return then(this.#call('write', writes), (name) => {
      if (name === undefined || name === null) return undefined
      if (writes.some((write) => write.name === name)) return name
      throw strange('write', 'something that is no name of what was to be written')
    })
  }

  #names(after) {
    return then(this.#call('names', after, PAGE), (names) => {
      const ascending = (name, at) => typeof name === 'string' && name > (at === 0 ? after : names[at - 1])
      if (Array.isArray(names) && names.every(ascending)) return names
      throw strange('names', `no array of names in ascending order, all after the one it was given`)
    })
  }

  #call(method, ...args) {
    const failed = (cause) => {
      const message = `the method ${method} of the backing failed: see the cause`
      throw new KonserveError('BACKEND', message, { cause })
    }
    let result
    try {
      result = this.#object[method](...args)
    } catch (error) {
      failed(error)
    }
    return typeof result?.then === 'function' ? Promise.resolve(result).catch(failed) : result
  }
}

/** Bytes 8 to 19 of a blob: the check of what it was when it was read. */
const checkOf = (blob) => (blob.length < 20 ? undefined : blob.subarray(8, 20))

/** Whether what is there is what is expected: `undefined` is anything, `null` nothing, bytes a blob with this check. */
function meets(found, expect, check) {
  if (expect === undefined) return true
  if (expect === null || found === undefined) return expect === null && found === undefined
  return check(found)?.every((byte, at) => byte === expect[at]) ?? false
}

function strange(method, what) {
  return new KonserveError(
    'BACKEND',
    `the method ${method} of the backing gave ${what}; this is a defect of the backing`,
  )
}
