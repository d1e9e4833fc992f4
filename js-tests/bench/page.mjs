/** In a browser: IndexedDB stores against bare IndexedDB, one transaction for each operation. */
import { openStore } from '/konserve/index.js'
import { encryptionWorkloads, measure } from './workloads.mjs'

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

async function rawIndexedDb(name, durability) {
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore('values')
  const database = await done(opening)
  return {
    set: (key, value) =>
      new Promise((resolve, reject) => {
        const transaction = database.transaction('values', 'readwrite', { durability })
        transaction.objectStore('values').put(value, key)
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      }),
    get: (key) => done(database.transaction('values').objectStore('values').get(key)),
  }
}

async function konserve(name, durability, encryptor) {
  const store = await openStore({ backend: 'indexeddb', name, durability, encryptor })
  return {
    set: (key, value) => store.assoc(key, value),
    get: (key) => store.get(key),
    setBytes: (key, bytes) => store.bassoc(key, bytes),
    getBytes: (key) => store.bget(key),
  }
}

export async function benchBrowser(options) {
  const tables = []
  for (const durability of ['relaxed', 'strict']) {
    const subjects = [
      ['raw IndexedDB, a transaction each', await rawIndexedDb(`raw ${durability}`, durability)],
      ['konserve', await konserve(`konserve ${durability}`, durability)],
    ]
    tables.push({ title: `Chromium, \`durability: '${durability}'\``, results: await measure(subjects, options) })
  }
  const encryptor = { type: 'aes-blake3', key: new Uint8Array(32) }
  const subjects = [
    ['not encrypted', await konserve('plain', 'relaxed')],
    ['encrypted', await konserve('encrypted', 'relaxed', encryptor)],
  ]
  const results = await measure(subjects, options, encryptionWorkloads())
  tables.push({ title: 'Chromium, encryption (relaxed)', results })
  return tables
}
