import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { spawn } from 'node:child_process'
import { asyncFiles, syncFiles } from '../pkg-template/node-fs.js'

const KINDS = { callbacks: asyncFiles, sync: syncFiles }
const BYTES = Uint8Array.from({ length: 100_000 }, (_, at) => at % 251)

/** A test of both kinds of files, each in a fresh folder. */
function each(what, body) {
  for (const [kind, files] of Object.entries(KINDS)) {
    test(`${what} (${kind})`, async (t) => {
      const folder = fs.mkdtempSync(join(tmpdir(), 'konserve-'))
      t.after(() => fs.rmSync(folder, { recursive: true }))
      await body({ files: files(), make: files, at: (name) => join(folder, name), folder, sync: kind === 'sync' })
    })
  }
}

const code = (expected) => (error) => error.code === expected
/** The same rejection for both kinds: a throw becomes one. */
const fails = (act, expected) => assert.rejects(async () => act(), code(expected))

/** Node's `fs`, but one call goes wrong: `meddle(name, args, proceed)` decides what it does. */
function meddled(meddle) {
  return new Proxy(fs, {
    get(target, name) {
      const real = target[name]
      if (typeof real !== 'function') return real
      if (name.endsWith('Sync')) return (...args) => meddle(name.slice(0, -4), args, (changed) => real(...changed))
      return (...args) => {
        const done = args.pop()
        let proceeded = false
        const proceed = (changed) => ((proceeded = true), real(...changed, done))
        try {
          const value = meddle(name, args, proceed)
          if (!proceeded) setImmediate(done, null, value)
        } catch (error) {
          setImmediate(done, error)
        }
      }
    },
  })
}

each('a file is read whole, by its first bytes, or not at all', async ({ files, at }) => {
  assert.equal(await files.read(at('none')), undefined)
  assert.equal(await files.create(at('some'), BYTES, true), undefined)
  assert.deepEqual(new Uint8Array(await files.read(at('some'))), BYTES)
  for (const length of [0, 1, 4096, 65536, 65537, 99_999]) {
    assert.deepEqual(new Uint8Array(await files.read(at('some'), length)), BYTES.subarray(0, length))
  }
  assert.equal((await files.read(at('some'), 2 ** 33)).length, BYTES.length, 'allocates what the file holds')
  await files.create(at('empty'), new Uint8Array(), true)
  assert.equal((await files.read(at('empty'))).length, 0)
})

each('a second file of a name is refused and the first stays', async ({ files, at }) => {
  await files.create(at('a'), Uint8Array.of(1), false)
  await fails(() => files.create(at('a'), Uint8Array.of(2), false), 'EEXIST')
  assert.deepEqual([...(await files.read(at('a')))], [1])
})

each('names are changed, added and removed', async ({ files, at, folder }) => {
  await files.create(at('a'), Uint8Array.of(1), false)
  assert.equal(await files.link(at('a'), at('b')), true)
  assert.equal(await files.link(at('a'), at('b')), false)
  await fails(() => files.link(at('none'), at('c')), 'ENOENT')
  await files.create(at('c'), Uint8Array.of(3), false)
  await files.rename(at('c'), at('b'))
  assert.deepEqual((await files.list(folder)).sort(), ['a', 'b'])
  assert.equal(await files.unlink(at('a')), true)
  assert.equal(await files.unlink(at('a')), false)
  assert.equal(await files.rmdir(folder), false)
  assert.deepEqual([...(await files.read(at('b')))], [3])
})

each('folders are made with those above, listed and removed', async ({ files, at, folder }) => {
  assert.equal(await files.list(at('none')), undefined)
  assert.equal(await files.kind(at('a')), undefined)
  await files.mkdir(at('a/b/c'))
  await files.mkdir(at('a/b/c'))
  assert.equal(await files.kind(at('a/b/c')), 'dir')
  assert.equal(await files.rmdir(at('a/b/c')), true)
  assert.equal(await files.rmdir(at('a/b/c')), false)
  await files.create(at('file'), BYTES, false)
  assert.equal(await files.kind(at('file')), 'file')
  await fails(() => files.mkdir(at('file')), 'EEXIST')
  await fails(() => files.mkdir(at('file/below')), 'ENOTDIR')
  await files.syncDir(folder)
})

each('every folder that gets a new name in it is synced', async ({ make, at, folder }) => {
  const opened = []
  const files = make(
    meddled((name, args, proceed) => {
      if (name === 'open') opened.push(args[0])
      return proceed(args)
    }),
  )
  await files.mkdir(at('a/b/c'))
  assert.deepEqual(opened, process.platform === 'win32' ? [] : [at('a/b'), at('a'), folder])
})

if (process.platform !== 'win32') {
  each('links are refused', async ({ files, at }) => {
    await files.create(at('secret'), BYTES, false)
    fs.symlinkSync(at('secret'), at('link'))
    await fails(() => files.read(at('link')), 'ELOOP')
    await fails(() => files.create(at('link'), BYTES, false), 'EEXIST')
  })
}

each('short writes are gone on with', async ({ make, at }) => {
  const files = make(
    meddled((name, args, proceed) => proceed(name === 'write' ? args.with(3, Math.ceil(args[3] / 3)) : args)),
  )
  await files.create(at('a'), BYTES, true)
  assert.deepEqual(new Uint8Array(await files.read(at('a'))), BYTES)
})

each('short reads are gone on with', async ({ make, at }) => {
  const files = make(
    meddled((name, args, proceed) => proceed(name === 'read' ? args.with(3, Math.ceil(args[3] / 3)) : args)),
  )
  await files.create(at('a'), BYTES, true)
  assert.deepEqual(new Uint8Array(await files.read(at('a'))), BYTES)
})

for (const failing of ['open', 'write', 'fsync', 'close']) {
  each(`a file whose ${failing} fails is not left behind, and the error is told`, async ({ make, at, folder }) => {
    for (const fault of ['EIO', 'ENOSPC', 'EACCES', 'EROFS', 'EMFILE', 'EINTR']) {
      const open = new Set()
      const files = make(
        meddled((name, args, proceed) => {
          if (name === 'close') open.delete(args[0])
          if (name !== failing) return proceed(args)
          if (name === 'close') fs.closeSync(args[0])
          throw Object.assign(new Error(fault), { code: fault })
        }),
      )
      // Once it is synced, closing has no error left to tell.
      await fails(() => files.create(at('a'), BYTES, failing !== 'close'), fault)
      assert.deepEqual(fs.readdirSync(folder), [], fault)
    }
  })
}

each('a write that writes nothing is an error', async ({ make, at, folder }) => {
  const files = make(meddled((name, args, proceed) => (name === 'write' ? 0 : proceed(args))))
  await assert.rejects(async () => files.create(at('a'), BYTES, true), /nothing could be written/)
  assert.deepEqual(fs.readdirSync(folder), [])
})

each('no descriptor stays open', async ({ make, at, folder }) => {
  let open = 0
  const files = make(
    meddled((name, args, proceed) => {
      open += { open: 1, close: -1 }[name] ?? 0
      return proceed(args)
    }),
  )
  await files.create(at('a'), BYTES, true)
  await files.read(at('a'), 10)
  await files.syncDir(folder)
  assert.equal(open, 0)
})

each('a process is told from those that are gone', async ({ files }) => {
  const self = await files.self()
  assert.equal(self.pid, process.pid)
  assert.equal(typeof self.host, 'string')
  assert.equal(await files.alive(self.pid, self.started), true)
  assert.equal(await files.alive(self.pid, ''), true)
  if (process.platform === 'linux') assert.equal(await files.alive(self.pid, 'another boot/1'), false)
  const child = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => child.on('exit', resolve))
  assert.equal(await files.alive(child.pid, ''), false)
})

each('a pause takes its time', async ({ files }) => {
  const begun = performance.now()
  await files.pause(20)
  assert.ok(performance.now() - begun >= 18)
})

test('the synchronous kind gives no promises, the other nothing else', () => {
  assert.deepEqual(syncFiles().list('/'), fs.readdirSync('/'))
  for (const answer of [asyncFiles().list('/'), asyncFiles().kind('/'), asyncFiles().self()]) {
    assert.ok(answer instanceof Promise)
  }
})

each('a file is written and read in pieces, in any order', async ({ files, at }) => {
  assert.equal(await files.open(at('none')), undefined)
  const writing = await files.begin(at('some'))
  await fails(() => files.begin(at('some')), 'EEXIST')
  await files.writeAt(writing, 50_000, BYTES.subarray(50_000))
  await files.writeAt(writing, 10, BYTES.subarray(10, 50_000))
  await files.writeAt(writing, 0, BYTES.subarray(0, 10))
  await files.sync(writing)
  await files.close(writing)
  const reading = await files.open(at('some'))
  await files.unlink(at('some'))
  assert.equal(await files.lengthOf(reading), BYTES.length)
  for (const [from, length] of [
    [0, 10],
    [99_990, 100],
    [70_000, 0],
    [1_000_000, 5],
  ]) {
    const piece = await files.readAt(reading, from, length)
    assert.deepEqual(new Uint8Array(piece), BYTES.slice(from, from + length), `${from}`)
  }
  await files.close(reading)
})

each('what is written in pieces is written in full also when the system takes less', async ({ make, at }) => {
  const files = make(
    meddled((name, args, proceed) => proceed(name === 'write' ? args.with(3, Math.ceil(args[3] / 3)) : args)),
  )
  const writing = await files.begin(at('some'))
  await files.writeAt(writing, 100, BYTES)
  await files.close(writing)
  assert.deepEqual(new Uint8Array(fs.readFileSync(at('some'))).subarray(100), BYTES)
})

each('what is too long to be held is not read whole, but in pieces', async ({ files, at }) => {
  fs.writeFileSync(at('long'), '')
  fs.truncateSync(at('long'), 2 ** 30 + 1)
  await fails(() => files.read(at('long')), 'EFBIG')
  assert.equal((await files.read(at('long'), 4096)).length, 4096)
  const reading = await files.open(at('long'))
  assert.equal((await files.readAt(reading, 2 ** 30, 10)).length, 1)
  await files.close(reading)
})
