/** Bare IndexedDB, whose keys are found by a cursor over the values, as one must who has what is known of a key beside it. */
import { openDatabase, openRaw } from '../raw-indexeddb.mjs'

export const title = 'raw IndexedDB, a cursor over the values'
/** It is there for listing only. */
export const only = ['list', 'open']

export async function open(name) {
  const raw = await openRaw(name, 'relaxed')
  const database = await openDatabase(name, [])
  const keys = () =>
    new Promise((resolve, reject) => {
      const found = []
      const request = database.transaction('values').objectStore('values').openCursor()
      request.onerror = () => reject(request.error)
      request.onsuccess = () => {
        const cursor = request.result
        if (!cursor) return resolve(found)
        found.push(cursor.key)
        cursor.continue()
      }
    })
  return { ...raw, keys, close: () => (raw.close(), database.close()) }
}
