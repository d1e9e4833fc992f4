/** Bare IndexedDB with a small head for each value, in an object store of their own: what a list of keys needs is read alone. */
import { completed, done, openDatabase } from '../raw-indexeddb.mjs'

export const title = 'raw IndexedDB, heads apart'
/** It is there for listing only. */
export const only = ['list', 'open']

export async function open(name) {
  const database = await openDatabase(name, ['heads', 'values'])
  const writing = (act) => {
    const transaction = database.transaction(['heads', 'values'], 'readwrite', { durability: 'relaxed' })
    act((key, value) => {
      transaction.objectStore('heads').put(new Uint8Array(100), key)
      transaction.objectStore('values').put(value, key)
    })
    return completed(transaction)
  }
  return {
    set: (key, value) => writing((put) => put(key, value)),
    get: (key) => done(database.transaction('values').objectStore('values').get(key)),
    batch: (entries) => writing((put) => entries.forEach(([key, value]) => put(key, value))),
    async keys() {
      const heads = database.transaction('heads').objectStore('heads')
      const [keys] = await Promise.all([done(heads.getAllKeys()), done(heads.getAll())])
      return keys
    },
    close: () => database.close(),
  }
}
