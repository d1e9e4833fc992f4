/**
 * Who has an encrypted database open, in all tabs and workers: whoever puts it under a new key needs it alone, since nobody
 * else would know that key. Web Locks tell it; where there are none, nobody is known to be alone.
 */
import { KonserveError } from './error.js'
import { databaseOf } from './tiers.js'

/** Notes that a store is being opened, until it is closed; `STORE_LOCKED` while the database is put under a new key. */
export async function enter(config) {
  const { locks } = globalThis.navigator ?? {}
  const database = databaseOf(config)
  if (!locks || database === undefined || config.encryptor?.type !== 'aes-blake3') return undefined
  const presence = new Presence(locks, database)
  await presence.enter()
  return presence
}

class Presence {
  #locks
  /** Held by one who writes a new key, and for a moment by whoever opens. */
  #door
  /** Held by all who have it open. */
  #room
  #leave
  #left

  constructor(locks, database) {
    this.#locks = locks
    this.#door = `konserve rekey ${database}`
    this.#room = `konserve open ${database}`
  }

  enter() {
    return this.#locks.request(this.#door, { mode: 'shared', ifAvailable: true }, (open) => {
      if (open) return this.#stay()
      throw new KonserveError('STORE_LOCKED', 'the store is being put under a new key; open it when that is done')
    })
  }

  #stay() {
    return new Promise((resolve, reject) => {
      this.#left = this.#locks.request(this.#room, { mode: 'shared' }, () => {
        resolve()
        return new Promise((leave) => (this.#leave = leave))
      })
      this.#left.catch(reject)
    })
  }

  /** Resolves when nobody sees it there any more. */
  leave() {
    this.#leave()
    return this.#left
  }

  /** What `act(alone)` gives; while it works nobody else comes in. */
  alone(act) {
    return this.#locks.request(this.#door, { ifAvailable: true }, async (closed) => {
      const { held } = await this.#locks.query()
      const present = held.filter(({ name }) => name === this.#room)
      return act(closed !== null && present.length === 1)
    })
  }
}
