/** Node: file stores against bare callback `fs`, which writes a temporary file and renames it, with and without fsync. */
import fs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openStore } from 'konserve'
import { encryptionWorkloads, measure } from './workloads.mjs'

function rawFs(folder, durable) {
  fs.mkdirSync(folder)
  const file = (key) => join(folder, `${key}.json`)
  const sync = (path, flags, next) =>
    fs.open(path, flags, (error, handle) =>
      error ? next(error) : fs.fsync(handle, (failed) => fs.close(handle, (error) => next(failed ?? error))),
    )
  const write = (path, text, next) => {
    if (!durable) return fs.writeFile(path, text, { flag: 'wx' }, next)
    fs.open(path, 'wx', (error, handle) => {
      if (error) return next(error)
      fs.write(handle, text, (error) => {
        if (error) return next(error)
        fs.fsync(handle, (failed) => fs.close(handle, (error) => next(failed ?? error)))
      })
    })
  }
  let temporaries = 0
  const set = (key, value, next) => {
    const temporary = `${file(key)}.${temporaries++}`
    write(temporary, JSON.stringify(value), (error) => {
      if (error) return next(error)
      fs.rename(temporary, file(key), (error) => (error || !durable ? next(error) : sync(folder, 'r', next)))
    })
  }
  const get = (key, next) => fs.readFile(file(key), (error, bytes) => next(error, bytes && JSON.parse(bytes)))
  return { set: promisify(set), get: promisify(get), close() {} }
}

async function konserve(path, syncBlob, encryptor) {
  const store = await openStore({ path, syncBlob, encryptor })
  return {
    set: (key, value) => store.assoc(key, value),
    get: (key) => store.get(key),
    setBytes: (key, bytes) => store.bassoc(key, bytes),
    getBytes: (key) => store.bget(key),
    close: () => store.close(),
  }
}

/** The tables of Node: each against the first of its subjects. */
export async function benchNode(options) {
  const folder = await mkdtemp(join(tmpdir(), 'konserve-bench-'))
  const tables = []
  for (const [title, durable] of [
    ['Node, without fsync (`syncBlob: false`)', false],
    ['Node, with fsync of file and folder (the default)', true],
  ]) {
    const subjects = [
      ['raw `fs`, callbacks', rawFs(join(folder, `raw ${durable}`), durable)],
      ['konserve', await konserve(join(folder, `konserve ${durable}`), durable)],
    ]
    tables.push({ title, results: await measure(subjects, options) })
    for (const [, subject] of subjects) await subject.close()
  }
  const encryptor = { type: 'aes-blake3', key: new Uint8Array(32) }
  const subjects = [
    ['not encrypted', await konserve(join(folder, 'plain'), false)],
    ['encrypted', await konserve(join(folder, 'encrypted'), false, encryptor)],
  ]
  const results = await measure(subjects, options, encryptionWorkloads())
  tables.push({ title: 'Node, encryption (without fsync)', results })
  for (const [, subject] of subjects) await subject.close()
  await rm(folder, { recursive: true })
  return tables
}
