import { open as openLmdb } from 'lmdb'

export const title = 'lmdb'

export function open(path) {
  const database = openLmdb({ path })
  const binaries = database.openDB({ name: 'binaries', encoding: 'binary' })
  return {
    set: (key, value) => database.put(key, value),
    get: (key) => database.get(key),
    update: (key, change) => database.transaction(() => database.put(key, change(database.get(key)))),
    batch: (entries) => database.transaction(() => entries.forEach(([key, value]) => database.put(key, value))),
    keys: () => database.getKeys().asArray,
    setBytes: (key, bytes) => binaries.put(key, bytes),
    getBytes: (key) => binaries.get(key),
    close: () => database.close(),
  }
}
