import { decodeEvent } from './decode.js'
import { KonserveError } from './error.js'

/** The functions that are told of every write, by their ids. They are called through `raw`, one after another. */
export class WriteHooks {
  #raw
  #records
  #hooks = new Map()

  constructor(raw, records) {
    this.#raw = raw
    this.#records = records
  }

  add(id, fn) {
    if (typeof fn !== 'function') throw new KonserveError('INVALID_VALUE', 'a write hook is a function')
    this.#raw.hook('hooks', true, (bytes) => {
      for (const [id, hook] of [...this.#hooks]) {
        call(`the write hook ${String(id)}`, () => hook(decodeEvent(bytes, this.#records)))
      }
    })
    this.#hooks.set(id, fn)
  }

  remove(id) {
    if (this.#hooks.delete(id) && this.#hooks.size === 0) this.#raw.hook('hooks', true)
  }
}

/** Calls what a user gave to be told of something. Its errors are reported, and harm nobody. */
export function call(what, fn, argument) {
  const report = (error) => console.error(`konserve: ${what} failed:`, error)
  try {
    const answer = fn(argument)
    if (typeof answer?.then === 'function') answer.then(undefined, report)
  } catch (error) {
    report(error)
  }
}
