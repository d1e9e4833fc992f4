/** Bare `fs` by callbacks: a document is a file, written to a temporary one and renamed, with or without fsync. */
import fs from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const closed = (handle, failed, next) => fs.close(handle, (error) => next(failed ?? error))

function write(path, data, durable, next) {
  if (!durable) return fs.writeFile(path, data, { flag: 'wx' }, next)
  fs.open(path, 'wx', (error, handle) => {
    if (error) return next(error)
    fs.writeFile(handle, data, (error) => {
      if (error) return closed(handle, error, next)
      fs.fsync(handle, (error) => closed(handle, error, next))
    })
  })
}

function syncFolder(folder, next) {
  fs.open(folder, 'r', (error, handle) => {
    if (error) return next(error)
    fs.fsync(handle, (error) => closed(handle, error, next))
  })
}

export function openRaw(folder, durable) {
  fs.mkdirSync(folder, { recursive: true })
  let temporaries = 0
  const put = promisify((name, data, next) => {
    const temporary = join(folder, `.${temporaries++}`)
    write(temporary, data, durable, (error) => {
      if (error) return next(error)
      fs.rename(temporary, join(folder, name), (error) => (error || !durable ? next(error) : syncFolder(folder, next)))
    })
  })
  const read = promisify((name, next) => fs.readFile(join(folder, name), next))
  const set = (key, value) => put(key, JSON.stringify(value))
  return {
    set,
    batch: (entries) => Promise.all(entries.map(([key, value]) => set(key, value))),
    get: promisify((key, next) =>
      fs.readFile(join(folder, key), (error, bytes) => next(error, bytes && JSON.parse(bytes))),
    ),
    keys: promisify((next) => fs.readdir(folder, next)),
    append: promisify((key, element, next) => {
      fs.open(join(folder, key), 'a', (error, handle) => {
        if (error) return next(error)
        fs.write(handle, `${JSON.stringify(element)}\n`, (error) =>
          error || !durable ? closed(handle, error, next) : fs.fsync(handle, (error) => closed(handle, error, next)),
        )
      })
    }),
    setBytes: put,
    getBytes: read,
    close() {},
  }
}
