import { decode } from './decode.js'
import { encodeKeys } from './encode.js'
import { KonserveError } from './error.js'
import { call } from './hooks.js'

/** So many changes wait for a slow reader; then they are dropped, and it is told that some were lost. */
const MAX_WAITING = 1024

/** The writes of a store, and those of other tabs and workers, for whoever listens. Nothing is done while nobody does. */
export class Changes {
  #raw
  #channel
  /** What is called with each change. */
  #readers = new Set()
  /** What ends the iterations that are under way. */
  #ends = new Set()
  /** By the listener that was given, what ends it. */
  #listeners = new Map()

  /** `name` is that of the channel to others, if there may be any; `copies` says whether what they write makes copies old. */
  constructor(raw, name, copies) {
    this.#raw = raw
    if (name === undefined) return
    const channel = new Channel(name, copies ? forgetting(raw) : undefined)
    this.#channel = channel
    // It must not hold on to the store, which may be dropped without being closed.
    raw.hook('channel', false, (bytes) => channel.post(bytes))
  }

  add(type, listener, { once = false, signal } = {}) {
    if (type !== 'change') throw new KonserveError('INVALID_VALUE', `a store has no event ${String(type)}, only change`)
    if (typeof listener !== 'function' && typeof listener?.handleEvent !== 'function') {
      throw new KonserveError('INVALID_VALUE', 'a listener is a function, or an object with a method handleEvent')
    }
    if (this.#listeners.has(listener) || signal?.aborted) return
    const forget = () => this.remove(type, listener)
    const reader = (change) => {
      if (once) forget()
      const handle = (event) => (typeof listener === 'function' ? listener(event) : listener.handleEvent(event))
      call("a listener to 'change'", handle, { type, ...change })
    }
    this.#join(reader)
    // The signal may outlive the store, and is told that nobody listens any more.
    this.#listeners.set(listener, () => {
      signal?.removeEventListener('abort', forget)
      this.#leave(reader)
    })
    signal?.addEventListener('abort', forget)
  }

  remove(type, listener) {
    const leave = type === 'change' && this.#listeners.get(listener)
    if (!leave) return
    this.#listeners.delete(listener)
    leave()
  }

  /** The changes from now on, until `signal`, the reader or the end of the store ends it. */
  iterate({ signal } = {}) {
    let waiting = []
    let ended = false
    const asking = []
    const reader = (change) => {
      if (asking.length > 0) asking.shift()({ done: false, value: change })
      else if (waiting.length < MAX_WAITING) waiting.push(change)
      else waiting = [{ lost: true }]
    }
    const end = () => {
      ended = true
      this.#ends.delete(end)
      this.#leave(reader)
      signal?.removeEventListener('abort', stop)
      for (const answer of asking.splice(0)) answer({ done: true, value: undefined })
    }
    const stop = () => {
      waiting = []
      end()
    }
    this.#join(reader)
    this.#ends.add(end)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
    return {
      async next() {
        if (waiting.length > 0) return { done: false, value: waiting.shift() }
        return ended ? { done: true, value: undefined } : new Promise((answer) => asking.push(answer))
      },
      async return(value) {
        stop()
        return { done: true, value }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** The store is closed: what was written is still told. */
  close() {
    for (const end of this.#ends) end()
    for (const listener of [...this.#listeners.keys()]) this.remove('change', listener)
    this.#channel?.close()
  }

  #join(reader) {
    if (this.#readers.size === 0) {
      this.#raw.hook('changes', false, (bytes) => this.#tell(decode(bytes), 'local'))
      this.#channel?.listen((write) => this.#tell(write, 'remote'))
    }
    this.#readers.add(reader)
  }

  #leave(reader) {
    if (!this.#readers.delete(reader) || this.#readers.size > 0) return
    this.#raw.hook('changes', false)
    this.#channel?.listen(undefined)
  }

  #tell({ op, key, keys = [key] }, origin) {
    for (const reader of [...this.#readers]) reader({ op, keys, origin })
  }
}

/** How long, in ms, and how many writes are kept for who has begun to listen and is not known to do so yet. */
const RECENT = 1000
const MAX_RECENT = 4096

/**
 * The way to the other tabs and workers that have the same store. A message costs as much as a small write, so nothing is
 * posted while nobody listens. Who does holds a lock of the browser's, and says since when to those who looked before. As long
 * as that is not known, and where there are no such locks, everything is posted.
 */
class Channel {
  #name
  #channel
  #waiting = []
  /** Of the last moment: what was not posted, and when it was written. */
  #recent = []
  #closed = false
  /** What is called with the writes of each message before anybody hears of them; without writes, of one that is lost. */
  #forget
  #tell
  /** Whether nobody else listens; `undefined` as long as that is not known. */
  #alone
  /** The last look for others. */
  #looking
  /** Gives the lock of a listener back. */
  #leave

  constructor(name, forget) {
    this.#name = name
    this.#forget = forget
    if (forget) this.#enter()
  }

  #open() {
    if (this.#channel) return this.#channel
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.onmessage = ({ data }) => this.#receive(data)
    this.#channel.onmessageerror = () => this.#forget?.()
    this.#look()
    return this.#channel
  }

  /** All that is done at once, as the writes of one transaction are, goes in one message. */
  post(bytes) {
    if (this.#alone) this.#keep(bytes)
    else if (this.#waiting.push(bytes) === 1) queueMicrotask(() => this.#flush())
  }

  #flush() {
    if (this.#waiting.length > 0) this.#send(arrayOf(this.#waiting))
    this.#waiting = []
  }

  #keep(bytes) {
    const at = Date.now()
    if (this.#recent.push({ at, bytes }) > MAX_RECENT || this.#recent[0].at < at - 2 * RECENT)
      this.#recent = this.#recent.filter((write) => write.at >= at - RECENT).slice(-MAX_RECENT / 2)
  }

  #send(message) {
    if (!this.#closed) this.#open().postMessage(message)
  }

  #receive(data) {
    if (data instanceof Uint8Array) {
      if (!this.#forget && !this.#tell) return
      const writes = decode(data)
      this.#forget?.(writes)
      if (this.#tell) writes.forEach(this.#tell)
    } else if (data?.since === undefined) this.#look()
    else this.#heard(data.since)
  }

  /** Somebody listens, who is told what was written since then. */
  #heard(since) {
    this.#alone = false
    for (const { at, bytes } of this.#recent.splice(0)) if (at >= since) this.post(bytes)
  }

  get #locks() {
    return globalThis.navigator?.locks
  }

  get #listening() {
    return `konserve listens ${this.#name} `
  }

  /** Asks the browser whether others listen. Who begins meanwhile says so. */
  async #look() {
    const look = (this.#looking = {})
    this.#alone = undefined
    const { held } = (await this.#locks?.query().catch(() => undefined)) ?? {}
    if (look === this.#looking)
      this.#alone ??=
        held?.every(({ name }) => !name.startsWith(this.#listening) || name === this.#leave?.lock) ?? false
  }

  /** Begins or ends to listen. */
  listen(tell) {
    if (this.#closed) return
    this.#tell = tell
    if (tell) this.#enter()
    else if (!this.#forget && this.#leave) this.#exit()
  }

  #enter() {
    if (this.#leave) return
    const say = { since: Date.now() }
    this.#send(say)
    const lock = this.#listening + Math.random()
    const held = new Promise((leave) => (this.#leave = Object.assign(leave, { lock })))
    // Who looked after the first message, and before the lock was held, hears the second.
    const told = () => {
      this.#send(say)
      return held
    }
    this.#locks?.request(lock, told).catch(() => {})
  }

  #exit() {
    this.#leave?.()
    this.#leave = undefined
    this.#send({})
  }

  close() {
    this.#flush()
    if (this.#leave) this.#exit()
    this.#closed = true
    this.#channel?.close()
  }
}

/** Forgets the copies of what was written, as long as there is a store: the channel must not hold on to it. */
function forgetting(raw) {
  const store = new WeakRef(raw)
  return (writes) => {
    const keys = writes?.flatMap(({ key, keys = [key] }) => keys)
    store.deref()?.invalidate(keys && encodeKeys(keys))
  }
}

/** The CBOR array of items that are CBOR: one buffer is cheaper to post than many. */
function arrayOf(items) {
  const array = new Uint8Array(items.reduce((size, { length }) => size + length, 5))
  array[0] = 0x9a
  new DataView(array.buffer).setUint32(1, items.length)
  let at = 5
  for (const item of items) {
    array.set(item, at)
    at += item.length
  }
  return array
}
