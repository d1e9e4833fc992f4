/** A store in the npm package `level`: LevelDB in Node, IndexedDB through its own layer in browsers. */
import { Level } from 'level'

const BYTES = { valueEncoding: 'view' }

/** The database stays its owner's to close, and holds nothing but the store. One process has it open at a time. */
export class LevelBacking {
  capability = { persistent: true, atomicBatches: true }
  #database

  /** @param {Level} database */
  constructor(database) {
    this.#database = database
  }

  read(names) {
    return this.#database.getMany(names, BYTES)
  }

  /** `sync` waits for the disk; browsers know nothing of it. */
  write(writes) {
    const operations = writes.map(({ name, blob }) =>
      blob ? { type: 'put', key: name, value: blob } : { type: 'del', key: name },
    )
    return this.#database.batch(operations, { ...BYTES, sync: true })
  }

  names(after, limit) {
    return this.#database.keys({ gt: after, limit }).all()
  }
}

/** A store's place in the folder, or in a browser the database, of this name. */
export const levelAt = (location) => new LevelBacking(new Level(location))
