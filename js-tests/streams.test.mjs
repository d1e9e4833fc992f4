// Streams of Node and of the web, into a folder and out of it: who is slow makes the other side wait, and nothing stays open.

import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import fs from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

/** What the stores of this file did to their files, and how long each write takes, in ms. */
const watched = { open: new Set(), read: 0, written: 0, delay: 0 }
watch()
// The package takes hold of these functions when it is first used.
const { openStore } = await import('konserve')
const sync = await import('konserve/sync')

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-streams-'))))
after(() => rm(folder, { recursive: true, force: true }))

const MIB = 2 ** 20
/** How far one side may be ahead of the other: a few pieces and what streams of Node hold themselves. */
const AHEAD = 1.5 * MIB
const CHUNK = 2 ** 16
const chunk = (n) => Buffer.alloc(CHUNK, n)
const bytes = Buffer.concat(Array.from({ length: 12 * 16 }, (_, n) => chunk(n)))

let made = 0
async function opened(use) {
  const path = join(folder, `store-${(made += 1)}`)
  const store = await openStore({ path, syncBlob: false })
  try {
    await use(store, path)
  } finally {
    await store.close()
  }
}

describe('who reads slowly makes the store wait', () => {
  const consumers = {
    'for await': async (stream, slowly) => {
      for await (const piece of stream) await slowly(piece)
    },
    'a pipeline of Node': (stream, slowly) => pipeline(stream, sink(slowly)),
    'a pipeline through a Transform': (stream, slowly) => {
      const same = new Transform({ transform: (piece, encoding, done) => done(null, piece) })
      return pipeline(Readable.fromWeb(stream), same, sink(slowly))
    },
    pipeTo: (stream, slowly) => stream.pipeTo(new WritableStream({ write: slowly })),
  }
  for (const [what, consume] of Object.entries(consumers)) {
    test(what, () =>
      opened(async (store) => {
        await store.bassoc('k', bytes)
        let [taken, most] = [0, 0]
        await store.bget('k', async ({ stream }) => {
          const before = watched.read
          await consume(stream, async (piece) => {
            await pause(10)
            taken += piece.length
            most = Math.max(most, watched.read - before - taken)
          })
          assert.equal(watched.read - before, bytes.length)
        })
        assert.equal(taken, bytes.length)
        assert.ok(most < AHEAD, `${most / MIB} MiB were read before they were wanted`)
      }),
    )
  }
})

describe('a slow disk makes the source wait', () => {
  const sources = {
    async *'an async generator'(next) {
      for (let piece = next(); piece; piece = next()) yield piece
    },
    'a Readable': (next) => new Readable(readFrom(next)),
    'a web stream': (next) =>
      new ReadableStream({
        pull: (controller) => {
          const piece = next()
          if (piece) controller.enqueue(piece)
          else controller.close()
        },
      }),
  }
  for (const [what, make] of Object.entries(sources)) {
    test(what, (t) =>
      opened(async (store) => {
        watched.delay = 2
        t.after(() => (watched.delay = 0))
        const before = watched.written
        let [given, most] = [0, 0]
        const next = () => {
          most = Math.max(most, given - (watched.written - before))
          if (given === bytes.length) return null
          given += CHUNK
          return bytes.subarray(given - CHUNK, given)
        }
        await store.bassoc('k', make(next))
        assert.ok(most < AHEAD, `${most / MIB} MiB were taken before they could be written`)
        assert.ok(bytes.equals(await store.bget('k')))
      }),
    )
  }
})

test('a file goes in as a Blob and out by a pipeline, and is the same', () =>
  opened(async (store) => {
    const [from, to] = ['from', 'to'].map((name) => join(folder, name))
    await writeFile(from, bytes)
    await store.bassoc('blob', await fs.openAsBlob(from))
    await store.bassoc('stream', fs.createReadStream(from))
    for (const key of ['blob', 'stream']) {
      await store.bget(key, ({ stream }) => pipeline(stream, fs.createWriteStream(to)))
      assert.ok(bytes.equals(await readFile(to)), key)
    }
    assert.ok(bytes.equals(await store.bget('blob')))
  }))

test('who leaves a stream halfway frees the key, and no file stays open', () =>
  opened(async (store, path) => {
    await store.bassoc('k', bytes)
    const [files, open] = [await readdir(path), new Set(watched.open)]
    const failure = new Error('mine')
    const ways = {
      'one piece': async ({ stream }) => (await stream.getReader().read()).value.length,
      'none at all': ({ size }) => size,
      cancel: async ({ stream }) => {
        const reader = stream.getReader()
        await reader.read()
        await reader.cancel()
      },
      break: async ({ stream }) => {
        for await (const piece of stream) return piece.length
      },
      'a pipeline that fails': ({ stream }) =>
        pipeline(
          stream,
          sink(async () => {
            throw failure
          }),
        ),
      'a read that nobody waits for': ({ stream }) =>
        void stream
          .getReader()
          .read()
          .catch(() => {}),
    }
    for (const [way, fn] of Object.entries(ways)) {
      const lent = store.bget('k', fn)
      if (way === 'a pipeline that fails') await assert.rejects(lent, (error) => error === failure)
      else await lent
      // It would wait for ever if the key were still locked.
      await store.bassoc('k', bytes)
      assert.deepEqual([...watched.open], [...open], way)
      assert.deepEqual(await readdir(path), files, way)
    }
  }))

test('a source that fails, and one that is refused, are left closed, and no file stays open', () =>
  opened(async (store, path) => {
    await store.bassoc('k', 'before')
    const [files, open] = [await readdir(path), new Set(watched.open)]
    const from = join(folder, 'source')
    await writeFile(from, bytes)
    const failure = new Error('mine')
    const failing = fs.createReadStream(from)
    failing.once('data', () => failing.destroy(failure))
    await assert.rejects(store.bassoc('k', failing), (error) => error === failure)
    const early = new Readable({ read() {} })
    const failed = store.bassoc('k', early)
    early.destroy(failure)
    await assert.rejects(failed, (error) => error === failure)
    const refused = fs.createReadStream(from)
    await assert.rejects(store.bassoc('k', Readable.from(numbersAfter(refused))), { code: 'INVALID_VALUE' })
    await pause(5)
    assert.ok(refused.destroyed)
    assert.deepEqual([...watched.open], [...open])
    assert.deepEqual(await readdir(path), files)
    assert.equal(Buffer.from(await store.bget('k')).toString(), 'before')
  }))

test('a synchronous store says that it waits for none of this', () => {
  const store = sync.openStore({ backend: 'memory' })
  store.bassoc('k', 'bytes')
  const sources = [new Blob(['x']), new Response('x').body, Readable.from(['x']), sourceOf('x')]
  for (const source of sources) {
    assert.throws(() => store.bassoc('k', source), { code: 'UNSUPPORTED', message: /waits for no stream/ })
  }
  assert.throws(() => store.bget('k', ({ size }) => size), { code: 'UNSUPPORTED', message: /waits for no function/ })
  assert.throws(() => store.bassoc('k', { not: 'bytes' }), { code: 'INVALID_VALUE' })
  assert.equal(Buffer.from(store.bget('k')).toString(), 'bytes')
  store.close()
})

function sink(slowly) {
  return new Writable({ write: (piece, encoding, done) => slowly(piece).then(() => done(), done) })
}

function readFrom(next) {
  return {
    read() {
      this.push(next())
    },
  }
}

async function* sourceOf(text) {
  yield text
}

/** Ends with something that has no bytes, while `source` has more. */
async function* numbersAfter(source) {
  for await (const piece of source) {
    yield piece
    yield 5
  }
}

/** Counts what happens to the files in the folders of stores. */
function watch() {
  const { open, close, read, write } = fs
  const ours = (file) => watched.open.has(file)
  fs.open = (path, ...args) => {
    const done = args.pop()
    open(path, ...args, (error, file) => {
      if (!error && /store-\d+/.test(String(path))) watched.open.add(file)
      done(error, file)
    })
  }
  fs.close = (file, done) => {
    watched.open.delete(file)
    close(file, done)
  }
  fs.read = (file, ...args) => {
    const done = args.pop()
    read(file, ...args, (error, count, buffer) => {
      if (!error && ours(file)) watched.read += count
      done(error, count, buffer)
    })
  }
  fs.write = (file, ...args) => {
    const done = args.pop()
    const act = () =>
      write(file, ...args, (error, count, buffer) => {
        if (!error && ours(file)) watched.written += count
        done(error, count, buffer)
      })
    if (ours(file)) setTimeout(act, watched.delay)
    else act()
  }
}
