import localforage from 'localforage'

export const title = 'localforage'

export async function open(name) {
  const store = localforage.createInstance({ name, driver: localforage.INDEXEDDB })
  await store.ready()
  const set = (key, value) => store.setItem(key, value)
  const get = (key) => store.getItem(key)
  return { set, get, keys: () => store.keys(), setBytes: set, getBytes: get, close() {} }
}
