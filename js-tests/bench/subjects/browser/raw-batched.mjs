/** Bare IndexedDB, relaxed, where what waits shares the next transaction, and the changes of one key are put once. */
import { completed, openDatabase, openRaw } from '../raw-indexeddb.mjs'

export const title = 'raw IndexedDB, relaxed, waiting writes share one'

export async function open(name) {
  const raw = await openRaw(name, 'relaxed')
  const database = await openDatabase(name, [])
  const write = sharing(database)
  const set = (key, value) => write(key, () => value, true)
  return {
    ...raw,
    set,
    setBytes: set,
    update: (key, make) => write(key, make, false),
    batch: (entries) => Promise.all(entries.map(([key, value]) => set(key, value))),
    close: () => {
      raw.close()
      database.close()
    },
  }
}

/** Gives `write(key, make, blind)`: puts what `make` makes of what is there, which a blind one does not look at. */
function sharing(database) {
  let waiting = []
  let running = false
  const flush = async () => {
    while (waiting.length > 0) {
      const now = waiting
      waiting = []
      const transaction = database.transaction('values', 'readwrite', { durability: 'relaxed' })
      for (const [key, changes] of Map.groupBy(now, ({ key }) => key)) {
        put(transaction.objectStore('values'), key, changes)
      }
      await completed(transaction).then(
        () => now.forEach(({ resolve }) => resolve()),
        (error) => now.forEach(({ reject }) => reject(error)),
      )
    }
    running = false
  }
  return (key, make, blind) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, make, blind, resolve, reject })
      if (running) return
      running = true
      queueMicrotask(flush)
    })
}

function put(store, key, changes) {
  const from = (value) =>
    store.put(
      changes.reduce((before, { make }) => make(before), value),
      key,
    )
  if (changes[0].blind) return from()
  const reading = store.get(key)
  reading.onsuccess = () => from(reading.result)
}
