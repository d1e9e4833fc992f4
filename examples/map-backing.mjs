/** A backing of one's own, as small as it can be: a store that is kept in a Map. `docs/backings.md` builds it step by step. */
import { pathToFileURL } from 'node:url'
import process from 'node:process'
import { openStore } from 'konserve'

export class MapBacking {
  capability = { sync: true, atomicBatches: true }
  #blobs = new Map()

  /** The blobs of these names, in the order asked for; `undefined` where there is none. */
  read(names) {
    return names.map((name) => this.#blobs.get(name))
  }

  /** Puts what has a blob and deletes what has none, all together. */
  write(writes) {
    for (const { name, blob } of writes) {
      if (blob) this.#blobs.set(name, blob)
      else this.#blobs.delete(name)
    }
  }

  /** At most `limit` names that come after this one, in ascending order. */
  names(after, limit) {
    const later = [...this.#blobs.keys()].filter((name) => name > after)
    return later.sort().slice(0, limit)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const store = await openStore({ backend: new MapBacking() })
  await store.assocIn(['user', 'name'], 'Ada')
  await store.updateIn(['user', 'visits'], (visits = 0) => visits + 1)
  console.log(await store.get('user'))
  await store.close()
}
