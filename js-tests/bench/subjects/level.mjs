/** A database of the Level family as a subject. Its values are JSON, its binaries a part of their own. */
export async function openLevel(Level, place) {
  const database = new Level(place, { valueEncoding: 'json' })
  await database.open()
  const binaries = database.sublevel('binaries', { valueEncoding: 'view' })
  return {
    set: (key, value) => database.put(key, value),
    get: (key) => database.get(key),
    batch: (entries) => database.batch(entries.map(([key, value]) => ({ type: 'put', key, value }))),
    keys: () => database.keys().all(),
    setBytes: (key, bytes) => binaries.put(key, bytes),
    getBytes: (key) => binaries.get(key),
    close: () => database.close(),
  }
}
