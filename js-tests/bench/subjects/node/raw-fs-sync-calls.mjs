import fs from 'node:fs'
import { join } from 'node:path'

export const title = 'raw fs, *Sync'

export function open(folder) {
  fs.mkdirSync(folder, { recursive: true })
  const temporary = join(folder, '.temporary')
  const put = (name, data) => {
    fs.writeFileSync(temporary, data, { flag: 'wx' })
    fs.renameSync(temporary, join(folder, name))
  }
  return {
    set: (key, value) => put(key, JSON.stringify(value)),
    get: (key) => JSON.parse(fs.readFileSync(join(folder, key))),
    update: (key, change) => put(key, JSON.stringify(change(JSON.parse(fs.readFileSync(join(folder, key)))))),
    keys: () => fs.readdirSync(folder),
    append: (key, element) => fs.appendFileSync(join(folder, key), `${JSON.stringify(element)}\n`),
    setBytes: put,
    getBytes: (key) => fs.readFileSync(join(folder, key)),
    close() {},
  }
}
