import persist from 'node-persist'

export const title = 'node-persist'

export async function open(dir) {
  const storage = persist.create({ dir, writeQueue: false })
  await storage.init()
  return {
    set: (key, value) => storage.setItem(key, value),
    get: (key) => storage.getItem(key),
    keys: () => storage.keys(),
    close() {},
  }
}
