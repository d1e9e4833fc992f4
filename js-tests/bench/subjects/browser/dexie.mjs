import { Dexie } from 'dexie'

export const title = 'Dexie'

export async function open(name) {
  const database = new Dexie(name)
  database.version(1).stores({ values: '', log: '++' })
  await database.open()
  const { values, log } = database
  const set = (key, value) => values.put(value, key)
  return {
    set,
    get: (key) => values.get(key),
    update: (key, change) =>
      database.transaction('rw', values, async () => values.put(change(await values.get(key)), key)),
    batch: (entries) =>
      values.bulkPut(
        entries.map(([, value]) => value),
        entries.map(([key]) => key),
      ),
    keys: () => values.toCollection().primaryKeys(),
    append: (_, element) => log.add(element),
    setBytes: set,
    getBytes: (key) => values.get(key),
    close: () => database.close(),
  }
}
