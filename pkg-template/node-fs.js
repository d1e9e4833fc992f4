/**
 * What a file store asks of a file system, done by Node's `fs`: once with callbacks, each method one promise, and once
 * synchronously. Errors are Node's own.
 *
 * Every method is written once, as a generator that yields the calls it wants made: `[name, ...arguments]`.
 */
// What Node has is imported as a whole: names of it would be copied one by one in the bundle, while a program starts.
import buffer from 'node:buffer'
import nodeFs from 'node:fs'
import os from 'node:os'
import nodePath from 'node:path'
import process from 'node:process'
import { bursts } from './node-bursts.js'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = nodeFs.constants
const { Buffer } = buffer
const { dirname } = nodePath
const WINDOWS = process.platform === 'win32'
/** A link is not followed, and a named pipe does not make the opening wait. Windows has neither flag. */
const PLAIN_FILE = O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0)
/** More than this is not read at once: only the streams of binaries are longer, and wasm could not hold it. */
const MAX_READ = 2 ** 30
/** How long to wait, in ms, before Windows is asked again: virus scanners and readers hold files for moments. */
const RENAME_PAUSES = WINDOWS ? [1, 5, 20, 50, 100, 200, 400] : []

const methods = {
  /** The whole file, or its first bytes; `undefined` if there is none. */
  *read(path, first = Infinity) {
    const file = yield* unless('ENOENT', undefined, ['open', path, PLAIN_FILE])
    if (file === undefined) return undefined
    try {
      const length = Math.min(first, (yield ['fstat', file]).size)
      if (length > MAX_READ) throw Object.assign(new Error(`it has ${length} bytes`), { code: 'EFBIG' })
      const bytes = Buffer.allocUnsafe(length)
      let at = 0
      for (let got = -1; at < length && got !== 0; at += got) got = yield ['read', file, bytes, at, length - at, null]
      return bytes.subarray(0, at)
    } finally {
      yield ['release', file]
    }
  },

  /** A new file, written in full, synced if `durable`, and closed. What fails leaves nothing. */
  *create(path, bytes, durable) {
    const file = yield ['open', path, 'wx', 0o666]
    let failed
    try {
      for (let at = 0; at < bytes.length;) at += yield* some(['write', file, bytes, at, bytes.length - at, null])
      if (durable) yield ['fsync', file]
    } catch (error) {
      failed = { error }
    }
    try {
      // What was synced has no error left that closing could tell.
      yield [durable && !failed ? 'release' : 'close', file]
    } catch (error) {
      failed ??= { error }
    }
    if (!failed) return
    try {
      yield ['unlink', path]
    } catch {
      // The first error is the one to tell; what stays is a temporary file, and swept.
    }
    throw failed.error
  },

  /** A file that is there, opened to be read in pieces: its number, or `undefined` if there is none. */
  *open(path) {
    return yield* unless('ENOENT', undefined, ['open', path, PLAIN_FILE])
  },

  /** A new file, opened to be written in pieces. */
  *begin(path) {
    return yield ['open', path, 'wx', 0o666]
  },

  *lengthOf(file) {
    return (yield ['fstat', file]).size
  },

  /** Fewer bytes only where the file ends. */
  *readAt(file, from, length) {
    const bytes = Buffer.allocUnsafe(length)
    let at = 0
    for (let got = -1; at < length && got !== 0; at += got)
      got = yield ['read', file, bytes, at, length - at, from + at]
    return bytes.subarray(0, at)
  },

  *writeAt(file, to, bytes) {
    for (let at = 0; at < bytes.length;) at += yield* some(['write', file, bytes, at, bytes.length - at, to + at])
  },

  *sync(file) {
    yield ['fsync', file]
  },

  *close(file) {
    yield ['close', file]
  },

  *rename(from, to) {
    for (const wait of RENAME_PAUSES) {
      try {
        return yield ['rename', from, to]
      } catch (error) {
        if (!['EPERM', 'EACCES', 'EBUSY'].includes(error.code)) throw error
      }
      yield ['pause', wait]
    }
    yield ['rename', from, to]
  },

  *link(from, to) {
    return yield* happens('EEXIST', ['link', from, to])
  },

  *unlink(path) {
    return yield* happens('ENOENT', ['unlink', path])
  },

  *list(folder) {
    return yield* unless('ENOENT', undefined, ['readdir', folder])
  },

  /** Makes the folder and those above it; those that are new are synced into the folders they are in. */
  *mkdir(folder) {
    const first = yield ['mkdir', folder, { recursive: true }]
    if (first === undefined) return
    const top = dirname(first)
    for (let above = dirname(folder); ; above = dirname(above)) {
      yield* methods.syncDir(above)
      if (above === top || above === dirname(above)) return
    }
  },

  *rmdir(folder) {
    try {
      return yield* happens('ENOTEMPTY', ['rmdir', folder])
    } catch (error) {
      if (error.code === 'ENOENT' || error.code === 'EEXIST') return false
      throw error
    }
  },

  /** Windows cannot sync folders, and needs not: NTFS keeps names in its journal. */
  *syncDir(folder) {
    if (WINDOWS) return
    const file = yield ['openFolder', folder]
    try {
      yield ['fsync', file]
    } finally {
      yield ['release', file]
    }
  },

  *kind(path) {
    const found = yield* unless('ENOENT', undefined, ['stat', path])
    return found && (found.isDirectory() ? 'dir' : found.isFile() ? 'file' : 'other')
  },

  *self() {
    return { pid: process.pid, host: os.hostname(), started: (yield* linuxProcess(process.pid))?.started ?? '' }
  },

  /** Whether a process of this machine is running; one that cannot be told is. */
  *alive(pid, started) {
    const found = yield* linuxProcess(pid)
    if (found) return found.running && (started === '' || started === found.started)
    try {
      process.kill(pid, 0)
      return true
    } catch (error) {
      return error.code !== 'ESRCH'
    }
  },

  *pause(milliseconds) {
    yield ['pause', milliseconds]
  },
}

/** `otherwise` if the call fails with this code. */
function* unless(code, otherwise, call) {
  try {
    return yield call
  } catch (error) {
    if (error.code === code) return otherwise
    throw error
  }
}

/** Whether the call succeeds; `false` if it fails with this code. */
function* happens(code, call) {
  return (yield* unless(code, false, call)) !== false
}

/** How many bytes were written; none is an error. */
function* some(call) {
  const written = yield call
  if (written === 0) throw new Error('nothing could be written')
  return written
}

/**
 * What Linux tells of a process: the boot and the moment in it when it began, and whether it has not ended yet.
 * `undefined` if it is gone, hidden, or this is another system.
 */
function* linuxProcess(pid) {
  let stat, boot
  try {
    stat = yield ['told', `/proc/${pid}/stat`]
    boot = yield ['told', '/proc/sys/kernel/random/boot_id']
  } catch {
    return undefined
  }
  // The second field is the program's name, in parentheses, and may hold anything (proc_pid_stat(5)).
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { started: `${boot.trim()}/${fields[18]}`, running: state !== 'Z' && state !== 'X' }
}

/** The calls that methods make. */
const CALLS = 'open close read write fsync fstat stat rename link unlink readdir mkdir rmdir'.split(' ')
const synchronous = (fs) => Object.fromEntries(CALLS.map((name) => [name, fs[`${name}Sync`].bind(fs)]))

/** What the kernel tells in a file of its own. */
const telling = (fs) => (path) => fs.readFileSync(path, 'latin1')

/** Opens a folder that is to be synced. */
const folderOpening = (fs) => (folder) => fs.openSync(folder, 'r')

/** `release` closes a file of which no error is left to tell. */
const releasing = (fs) => (file) => {
  try {
    fs.closeSync(file)
  } catch {
    // As said.
  }
}

/**
 * A call that waits for no disk, since the file is open or the kernel's own, or a folder of which an entry was just changed.
 * To wake another thread for it would take longer than the call.
 */
const atOnce = (call) => (what, done) => {
  let value
  try {
    value = call(what)
  } catch (error) {
    return done(error)
  }
  done(undefined, value)
}

const waiting = (fs) => ({
  ...bursts(fs, CALLS),
  pause: (milliseconds, done) => void setTimeout(done, milliseconds),
  fstat: atOnce((file) => fs.fstatSync(file)),
  told: atOnce(telling(fs)),
  openFolder: atOnce(folderOpening(fs)),
  release: atOnce(releasing(fs)),
})
const waitingSync = (fs) => ({
  ...synchronous(fs),
  pause: (milliseconds) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds),
  told: telling(fs),
  openFolder: folderOpening(fs),
  release: releasing(fs),
})

function runCallbacks(fs, steps) {
  return new Promise((resolve, reject) => {
    const advance = (error, value) => {
      try {
        const { done, value: call } = error ? steps.throw(error) : steps.next(value)
        if (done) resolve(call)
        else fs[call[0]](...call.slice(1), advance)
      } catch (uncaught) {
        reject(uncaught)
      }
    }
    advance()
  })
}

function runSync(fs, steps) {
  let step = steps.next()
  while (!step.done) {
    const [name, ...args] = step.value
    let value
    try {
      value = fs[name](...args)
    } catch (error) {
      step = steps.throw(error)
      continue
    }
    step = steps.next(value)
  }
  return step.value
}

const object = (run, fs) =>
  Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, (...args) => run(fs, method(...args))]))

/** Files through Node's callbacks: every method is a promise. */
export const asyncFiles = (fs = nodeFs) => object(runCallbacks, waiting(fs))

/** Files through Node's synchronous functions: every method is done when it returns. */
export const syncFiles = (fs = nodeFs) => object(runSync, waitingSync(fs))
