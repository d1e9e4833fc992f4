import { join } from 'node:path'
import Keyv from 'keyv'
import { KeyvFile } from 'keyv-file'

export const title = 'keyv with keyv-file'

export function open(folder) {
  const keyv = new Keyv({ store: new KeyvFile({ filename: join(folder, 'all.json') }) })
  return {
    set: (key, value) => keyv.set(key, value),
    get: (key) => keyv.get(key),
    batch: (entries) => keyv.setMany(entries.map(([key, value]) => ({ key, value }))),
    close: () => keyv.disconnect(),
  }
}
