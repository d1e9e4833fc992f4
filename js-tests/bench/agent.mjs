/**
 * What is in the world of a subject, a process or a page, and does there what the driver asks for. A subject is a module
 * with `name`, `title` and `open(place)`, which gives a store: `set(key, value)`, `get(key)`, `close()`, and where it can
 * `update(key, change)`, `getIn(path)`, `batch(entries)`, `keys()`, `append(key, element)`, `setBytes(key, bytes)` and
 * `getBytes(key)`. Their answers may be promises.
 */
import { sizedDocument } from './documents.mjs'
import { manyKey, workloadOf } from './workloads.mjs'

/** So many documents are put together. */
const FILLED = 500
const clock = () => performance.now()

export class Agent {
  #subject
  #folder
  #stores = new Map()
  #prepared = new Map()

  #platform

  /**
   * `folder` is put before the places: where the subject keeps what it stores. `platform` says `memory()`, the bytes in use,
   * and `stored(place)`, those on the disk.
   */
  constructor(subject, platform, folder = '') {
    this.#subject = subject
    this.#platform = platform
    this.#folder = folder
  }

  about() {
    const { title, only, inWorker, volatile } = this.#subject
    return { title, only, inWorker, volatile }
  }

  /** What the store at a place can do beyond `set` and `get`. */
  async open(at) {
    const store = await this.#subject.open(`${this.#folder}${at}`)
    const can = Object.keys(store)
    this.#stores.set(at, { ...fallbacks(store), ...store })
    return can
  }

  async close(at) {
    await this.#stores.get(at).close()
    this.#stores.delete(at)
  }

  /** Fails if the subject does not give back what it was given. Gives how many of 64 updates at once it kept. */
  async check(at) {
    const store = this.#stores.get(at)
    const [value, other] = [sizedDocument('10K', 5), sizedDocument('200B', 6)]
    await store.set('check', value)
    expect(await store.get('check'), value, 'get')
    expect(await store.getIn(['check', 'people', 3, 'address', 'city']), 'London', 'getIn')
    await store.update('check', () => other)
    expect(await store.get('check'), other, 'update')
    await this.#checkMore(store)
    await store.set('count', { count: 0 })
    await Promise.all(Array.from({ length: 64 }, () => store.update('count', ({ count }) => ({ count: count + 1 }))))
    return (await store.get('count')).count
  }

  async #checkMore(store) {
    const bytes = new Uint8Array(3000).map((_, at) => at)
    if (store.batch) {
      await store.batch([
        ['check a', { a: 1 }],
        ['check b', { b: 2 }],
      ])
      expect([await store.get('check a'), await store.get('check b')], [{ a: 1 }, { b: 2 }], 'batch')
    }
    if (store.setBytes) {
      await store.setBytes('check bytes', bytes)
      expect([...(await store.getBytes('check bytes'))], [...bytes], 'bytes')
    }
    if (store.append) await store.append('check log', { a: 1 })
    if (store.keys) {
      const before = (await store.keys()).length
      await store.set(`check new ${before}`, 1)
      expect((await store.keys()).length, before + 1, 'the number of keys')
    }
  }

  async prepare(at, id, ...more) {
    this.#prepared.set(`${at} ${id}`, await workloadOf(id).prepare(this.#stores.get(at), ...more))
  }

  /** Does a prepared workload `count` times; how long it took, in ms. */
  async slice(at, id, count) {
    const [store, prepared] = [this.#stores.get(at), this.#prepared.get(`${at} ${id}`)]
    const began = clock()
    await workloadOf(id).run(store, count, prepared)
    return clock() - began
  }

  /** Puts so many documents of a size; `false` as soon as that is going to take more than so many seconds. */
  async fill(at, count, size, seconds) {
    const store = this.#stores.get(at)
    const began = clock()
    for (let n = 0; n < count; n += FILLED) {
      const entries = Array.from({ length: Math.min(FILLED, count - n) }, (_, i) => [
        manyKey(n + i),
        sizedDocument(size, n + i),
      ])
      if (store.batch) await store.batch(entries)
      else await Promise.all(entries.map(([key, value]) => store.set(key, value)))
      const spent = (clock() - began) / 1000
      if (spent > 0.5 && (spent / (n + FILLED)) * count > seconds) return false
    }
    return true
  }

  /** Opens what was closed, `count` times, each time until the first value; how long that took, in ms. */
  async reopen(at, count) {
    let spent = 0
    for (let n = 0; n < count; n++) {
      await this.close(at)
      const began = clock()
      await this.open(at)
      await this.#stores.get(at).get(manyKey(1))
      spent += clock() - began
    }
    return spent
  }

  set(at, key, value) {
    return this.#stores.get(at).set(key, value)
  }

  memory() {
    return this.#platform.memory()
  }

  stored(at) {
    return this.#platform.stored(`${this.#folder}${at}`)
  }

  /** Lets go of what was prepared. */
  forget(at, id) {
    this.#prepared.delete(`${at} ${id}`)
  }
}

/** What a subject has no verb for, as its users would write it. Such an update is not atomic. */
const fallbacks = (store) => ({
  update: async (key, change) => store.set(key, change(await store.get(key))),
  getIn: async ([key, ...steps]) => steps.reduce((value, step) => value[step], await store.get(key)),
})

function expect(found, wanted, what) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) {
    throw new Error(`${what} gave ${JSON.stringify(found)?.slice(0, 200)}`)
  }
}
