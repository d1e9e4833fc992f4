import persist from 'node-persist'

export const title = 'node-persist'
/** It lists keys by reading all files at once: of more of them it needs gigabytes. */
export const most = 5000

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
