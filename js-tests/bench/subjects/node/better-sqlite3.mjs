import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

export const title = 'better-sqlite3, WAL, synchronous normal'

export function open(folder) {
  mkdirSync(folder, { recursive: true })
  const database = new Database(join(folder, 'store.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  database.exec(`CREATE TABLE IF NOT EXISTS v (k TEXT PRIMARY KEY, v);
    CREATE TABLE IF NOT EXISTS log (n INTEGER PRIMARY KEY, v)`)
  const putting = database.prepare('INSERT OR REPLACE INTO v VALUES (?, ?)')
  const getting = database.prepare('SELECT v FROM v WHERE k = ?').pluck()
  const listing = database.prepare('SELECT k FROM v').pluck()
  const adding = database.prepare('INSERT INTO log (v) VALUES (?)')
  const set = (key, value) => putting.run(key, JSON.stringify(value))
  const get = (key) => JSON.parse(getting.get(key))
  return {
    set,
    get,
    update: database.transaction((key, change) => set(key, change(get(key)))),
    batch: database.transaction((entries) => entries.forEach(([key, value]) => set(key, value))),
    keys: () => listing.all(),
    append: (_, element) => adding.run(JSON.stringify(element)),
    setBytes: (key, bytes) => putting.run(key, bytes),
    getBytes: (key) => getting.get(key),
    close: () => database.close(),
  }
}
