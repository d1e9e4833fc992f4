import startSqlite from '@sqlite.org/sqlite-wasm'

export const title = 'sqlite-wasm on OPFS, WAL, inside its worker'
/** Its files have synchronous handles only there. What a page pays for the way to the worker is not measured. */
export const inWorker = true

/** The file handles of a place. Nobody else can have them until they are let go. */
const pools = new Map()

async function poolOf(name) {
  if (pools.has(name)) return pools.get(name).unpauseVfs()
  const sqlite = await startSqlite()
  const pool = await sqlite.installOpfsSAHPoolVfs({ name, directory: `/${name}`, initialCapacity: 6 })
  pools.set(name, pool)
  return pool
}

export async function open(name) {
  const pool = await poolOf(name)
  const database = new pool.OpfsSAHPoolDb('/store.sqlite')
  database.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS v (k TEXT PRIMARY KEY, v);
    CREATE TABLE IF NOT EXISTS log (n INTEGER PRIMARY KEY, v)`)
  return verbs(database, pool)
}

function verbs(database, pool) {
  const statements = []
  const prepare = (sql) => statements[statements.push(database.prepare(sql)) - 1]
  const [putting, getting] = [prepare('INSERT OR REPLACE INTO v VALUES (?, ?)'), prepare('SELECT v FROM v WHERE k = ?')]
  const adding = prepare('INSERT INTO log (v) VALUES (?)')
  const setBytes = (key, value) => putting.bind([key, value]).stepReset()
  const getBytes = (key) => {
    const found = getting.bind([key]).step() ? getting.get(0) : undefined
    getting.reset()
    return found
  }
  const set = (key, value) => setBytes(key, JSON.stringify(value))
  const get = (key) => JSON.parse(getBytes(key))
  return {
    set,
    get,
    update: (key, change) => database.transaction(() => set(key, change(get(key)))),
    batch: (entries) => database.transaction(() => entries.forEach(([key, value]) => set(key, value))),
    keys: () => database.selectValues('SELECT k FROM v'),
    append: (_, element) => adding.bind([JSON.stringify(element)]).stepReset(),
    setBytes,
    getBytes,
    close() {
      statements.forEach((statement) => statement.finalize())
      database.close()
      pool.pauseVfs()
    },
  }
}
