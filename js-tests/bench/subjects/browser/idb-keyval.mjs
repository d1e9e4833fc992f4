import { createStore, get, keys, set, setMany, update } from 'idb-keyval'

export const title = 'idb-keyval'

export function open(name) {
  const store = createStore(name, 'values')
  return {
    set: (key, value) => set(key, value, store),
    get: (key) => get(key, store),
    update: (key, change) => update(key, change, store),
    batch: (entries) => setMany(entries, store),
    keys: () => keys(store),
    setBytes: (key, bytes) => set(key, bytes, store),
    getBytes: (key) => get(key, store),
    close() {},
  }
}
