/** Bare IndexedDB, a transaction for each operation. */
export const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

export const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })

export function openDatabase(name, stores) {
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () =>
    stores.forEach((store) => opening.result.createObjectStore(store, { autoIncrement: store === 'log' }))
  return done(opening)
}

/** Puts what `change` makes of the value of a key, inside a transaction. */
export function change(store, key, change) {
  const reading = store.get(key)
  reading.onsuccess = () => store.put(change(reading.result), key)
}

export async function openRaw(name, durability) {
  const database = await openDatabase(name, ['values', 'log'])
  const writing = (act, stores = 'values') => {
    const transaction = database.transaction(stores, 'readwrite', { durability })
    act(transaction.objectStore(stores))
    return completed(transaction)
  }
  const values = () => database.transaction('values').objectStore('values')
  const set = (key, value) => writing((store) => store.put(value, key))
  const get = (key) => done(values().get(key))
  return {
    set,
    get,
    update: (key, make) => writing((store) => change(store, key, make)),
    batch: (entries) => writing((store) => entries.forEach(([key, value]) => store.put(value, key))),
    keys: () => done(values().getAllKeys()),
    append: (_, element) => writing((store) => store.add(element), 'log'),
    setBytes: set,
    getBytes: get,
    close: () => database.close(),
  }
}
