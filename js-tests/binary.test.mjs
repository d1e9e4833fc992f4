// bassoc and bget in Node: every shape of input, parts, streams that fail, and files that do not fit into memory.

import assert from 'node:assert/strict'
import { Blob as NodeBlob, Buffer, File as NodeFile } from 'node:buffer'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'
import { run } from './helpers/process.mjs'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-binary-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const place = () => join(folder, `store-${(made += 1)}`)
const backends = [
  ['memory', () => ({ backend: 'memory' })],
  ['file', () => ({ path: place(), syncBlob: false })],
]
const text = 'Grüße 🌍'
const utf8 = new TextEncoder().encode(text)
const some = (length) => Uint8Array.from({ length }, (_, at) => (at * 31) ^ (at >> 8))

async function codeOf(call) {
  try {
    await call()
    return 'no error'
  } catch (error) {
    assert.ok(error instanceof promised.KonserveError, String(error?.stack ?? error))
    return error.code
  }
}

for (const [view, konserve] of [
  ['konserve', promised],
  ['konserve/sync', sync],
]) {
  for (const [backend, config] of backends) {
    describe(`${view}, ${backend}`, () => {
      const opened = async (use) => {
        const store = await konserve.openStore(config())
        try {
          await use(store)
        } finally {
          await store.close()
        }
      }

      test('bytes come back as they are, whatever holds them', () =>
        opened(async (store) => {
          for (const input of [utf8, Buffer.from(utf8), utf8.slice().buffer, new DataView(utf8.slice().buffer), text]) {
            assert.equal(await store.bassoc('k', input), undefined)
            const found = await store.bget('k')
            assert.ok(found instanceof Uint8Array && !Buffer.isBuffer(found))
            assert.deepEqual(found, utf8)
          }
          const part = new Uint8Array([9, 1, 2, 9]).subarray(1, 3)
          await store.bassoc('k', part)
          assert.deepEqual(await store.bget('k'), Uint8Array.of(1, 2), 'a view is its own bytes only')
          await store.bassoc('k', '')
          assert.deepEqual(await store.bget('k'), new Uint8Array())
          assert.equal(await store.bget('none'), undefined)
        }))

      test('a part is what slice gives', () =>
        opened(async (store) => {
          const bytes = some(300_000)
          await store.bassoc('k', bytes)
          for (const [start, end] of [[0], [5, 9], [-3], [-9, -4], [9, 5], [299_999, 1e9], [1e9], [-1e9, 2]]) {
            assert.deepEqual(await store.bget('k', { start, end }), bytes.slice(start, end), `${start} ${end}`)
          }
          assert.deepEqual(await store.bget('k', { end: 2 }), bytes.slice(0, 2))
          for (const range of [{ start: 0.5 }, { end: NaN }, { start: '1' }, { start: null }, { end: Infinity }]) {
            assert.equal(await codeOf(() => store.bget('k', range)), 'INVALID_VALUE', JSON.stringify(range))
          }
          assert.equal(await codeOf(() => store.bget('k', { from: 1 })), 'INVALID_CONFIG')
          assert.equal(await codeOf(() => store.bget('k', null)), 'INVALID_CONFIG')
        }))

      test('metadata, listings, expiry; a value is no binary, a binary is read as bytes', () =>
        opened(async (store) => {
          await store.bassoc('k', utf8, { meta: { mime: 'text/plain' } })
          const { type, size, mime } = await store.getMeta('k')
          assert.deepEqual([type, size, mime], ['binary', utf8.length, 'text/plain'])
          assert.equal((await store.keys({ type: 'binary' }).toArray()).length, 1)
          assert.deepEqual(await store.entries().toArray(), [['k', utf8]])
          assert.deepEqual(await store.get('k'), utf8)
          await store.bassoc('gone', utf8, { expires: Date.now() - 1 })
          assert.equal(await store.bget('gone'), undefined)
          await store.assoc('k', utf8)
          assert.equal(await codeOf(() => store.bget('k')), 'NOT_BINARY')
        }))

      test('what has no bytes is refused', () =>
        opened(async (store) => {
          for (const input of [undefined, null, 5, {}, [1, 2], new Date(), '\ud800', () => 1, new Set()]) {
            assert.equal(await codeOf(() => store.bassoc('k', input)), 'INVALID_VALUE', String(input))
          }
          assert.equal(await codeOf(() => store.bassoc('k', utf8, { meta: { size: 1 } })), 'INVALID_VALUE')
          assert.equal(await codeOf(() => store.bassoc(undefined, utf8)), 'INVALID_KEY')
          assert.equal(await store.exists('k'), false)
        }))
    })
  }
}

for (const [backend, config] of backends) {
  describe(`streams, ${backend}`, () => {
    const opened = async (use) => {
      const given = config()
      const store = await promised.openStore(given)
      try {
        await use(store, given)
      } finally {
        await store.close()
      }
    }

    test('what gives bytes one after another is put together', () =>
      opened(async (store) => {
        const chunks = [utf8, Buffer.from(utf8), text, new Uint8Array(), utf8.slice().buffer]
        const whole = Buffer.concat([utf8, utf8, utf8, utf8])
        async function* generated() {
          yield* chunks
        }
        const bare = (stream) => ({ getReader: () => stream.getReader() })
        for (const [shape, input] of Object.entries({
          generator: generated(),
          readable: Readable.from(chunks.slice(0, 3)),
          decoded: Readable.from([Buffer.from(whole)]).setEncoding('utf8'),
          web: ReadableStream.from?.(chunks) ?? new Blob(chunks).stream(),
          bare: bare(new Blob(chunks).stream()),
          blob: new NodeBlob(chunks),
          file: new NodeFile(chunks, 'name'),
          response: new Response(whole).body,
        })) {
          await store.bassoc('k', input)
          const expected = shape === 'readable' ? whole.subarray(utf8.length) : whole
          assert.deepEqual(Buffer.from(await store.bget('k')), expected, shape)
        }
        await store.bassoc('k', Readable.from([]))
        assert.deepEqual(await store.bget('k'), new Uint8Array())
      }))

    test('a chunk may be used again as soon as the next one is asked for', () =>
      opened(async (store) => {
        async function* reusing() {
          const chunk = new Uint8Array(1000)
          for (let n = 0; n < 700; n++) yield chunk.fill(n)
        }
        await store.bassoc('k', reusing())
        const found = await store.bget('k')
        assert.ok(found.every((byte, at) => byte === Math.floor(at / 1000) % 256))
        assert.equal(found.length, 700_000)
      }))

    test('a stream that fails leaves what was there, and nothing else', () =>
      opened(async (store, { path }) => {
        await store.bassoc('k', 'before')
        const files = path && (await readdir(path))
        const failure = new Error('the line was cut')
        async function* failing() {
          for (let n = 0; n < 20; n++) yield some(100_000)
          throw failure
        }
        await assert.rejects(store.bassoc('k', failing()), (error) => error === failure)
        await assert.rejects(store.bassoc('new', failing()), (error) => error === failure)
        const stop = new AbortController()
        const aborted = store.bassoc('k', new Response(endless()).body.pipeThrough(new TransformStream(), stop))
        setTimeout(20).then(() => stop.abort())
        await assert.rejects(aborted, { name: 'AbortError' })
        assert.equal(await codeOf(() => store.bassoc('k', Readable.from([utf8, 5]))), 'INVALID_VALUE')
        assert.equal(Buffer.from(await store.bget('k')).toString(), 'before')
        assert.equal(await store.exists('new'), false)
        if (path) assert.deepEqual(await readdir(path), files)
      }))

    test('a stream whose bytes are not wanted is told so', () =>
      opened(async (store) => {
        let ended = false
        async function* watched() {
          try {
            yield utf8
            yield 5
          } finally {
            ended = true
          }
        }
        assert.equal(await codeOf(() => store.bassoc('k', watched())), 'INVALID_VALUE')
        assert.ok(ended)
      }))

    test('an aborted signal ends a write with its reason; nothing is left, and the input is told', () =>
      opened(async (store, { path }) => {
        await store.bassoc('k', 'before')
        const files = path && (await readdir(path))
        const reason = new Error('not wanted any more')
        for (const when of ['before', 'at the first chunk', 'at the end', 'while nothing comes']) {
          for (const [shape, make] of Object.entries(watchable)) {
            const stop = new AbortController()
            if (when === 'before') stop.abort(reason)
            const { input, told } = make(when, () => stop.abort(reason))
            const writing = store.bassoc('k', input, { signal: stop.signal })
            await assert.rejects(writing, (error) => error === reason, `${shape}, ${when}`)
            await setTimeout()
            if (when !== 'at the end') assert.ok(told() || shape === 'generator', `${shape} was not told ${when}`)
            if (path) assert.deepEqual(await readdir(path), files, `${shape}, ${when}`)
          }
        }
        for (const input of [utf8, text]) {
          const writing = store.bassoc('k', input, { signal: AbortSignal.abort(reason) })
          await assert.rejects(writing, (error) => error === reason)
        }
        assert.equal(Buffer.from(await store.bget('k')).toString(), 'before')
        await store.bassoc('k', Readable.from([utf8]), { signal: new AbortController().signal })
        assert.deepEqual(await store.bget('k'), utf8)
        assert.equal(await codeOf(() => store.assoc('k', 1, { signal: undefined })), 'INVALID_CONFIG')
      }))

    test('several streams of one key: the last to end stays, and each reader sees one of them', () =>
      opened(async (store) => {
        const streams = Array.from({ length: 8 }, (_, n) =>
          store.bassoc(
            'k',
            Readable.from(
              Array.from({ length: 10 }, () => new Uint8Array(50_000).fill(n)),
              { objectMode: true },
            ),
          ),
        )
        await Promise.all(streams)
        const found = await store.bget('k')
        assert.equal(found.length, 500_000)
        assert.ok(found.every((byte) => byte === found[0]))
      }))
  })
}

for (const [backend, config] of backends) {
  describe(`bget with a function, ${backend}`, () => {
    const opened = async (use) => {
      const store = await promised.openStore(config())
      try {
        await use(store)
      } finally {
        await store.close()
      }
    }

    test('it gets stream, size and blob, and what it returns comes back', () =>
      opened(async (store) => {
        const bytes = some(1_000_000)
        await store.bassoc('k', bytes)
        const streamed = await store.bget('k', async ({ stream, size }) => {
          const chunks = []
          for await (const chunk of stream) {
            assert.ok(chunk instanceof Uint8Array && chunk.length <= 2 ** 18)
            chunks.push(chunk)
          }
          return [size, Buffer.concat(chunks)]
        })
        assert.deepEqual(streamed, [bytes.length, Buffer.from(bytes)])
        const blob = await store.bget('k', ({ blob }) => blob())
        assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), bytes)
        assert.equal(await store.bget('k', ({ size }) => size), bytes.length, 'not reading it is no error')
        const found = await store.bget('k', ({ stream }) => Readable.fromWeb(stream).toArray())
        assert.deepEqual(Buffer.concat(found), Buffer.from(bytes))
        await store.bassoc('empty', '')
        assert.equal(await store.bget('empty', async ({ blob }) => (await blob()).size), 0)
      }))

    test('it is not called where nothing is; what it throws comes back as it is', () =>
      opened(async (store) => {
        const unwanted = () => assert.fail('it was called')
        assert.equal(await store.bget('none', unwanted), undefined)
        await store.assoc('value', 1)
        assert.equal(await codeOf(() => store.bget('value', unwanted)), 'NOT_BINARY')
        await store.bassoc('k', some(500_000))
        const failure = new Error('mine')
        const failing = [
          () => {
            throw failure
          },
          () => Promise.reject(failure),
          async ({ stream }) => {
            for await (const chunk of stream) if (chunk) throw failure
          },
        ]
        for (const fn of failing) await assert.rejects(store.bget('k', fn), (error) => error === failure)
        await store.bassoc('k', 'the lock is free')
        assert.equal(await store.bget('k', async ({ blob }) => (await blob()).text()), 'the lock is free')
      }))

    test('an aborted signal ends it with its reason: the key is free, and the stream is over', () =>
      opened(async (store) => {
        await store.bassoc('k', some(700_000))
        const reason = new Error('not wanted any more')
        const is = (error) => error === reason
        const aborted = AbortSignal.abort(reason)
        await assert.rejects(
          store.bget('k', () => assert.fail('it was called'), { signal: aborted }),
          is,
        )
        const stop = new AbortController()
        let reader
        const hanging = store.bget(
          'k',
          async ({ stream }) => {
            reader = stream.getReader()
            await reader.read()
            stop.abort(reason)
            await new Promise(() => {})
          },
          { signal: stop.signal },
        )
        await assert.rejects(hanging, is)
        await assert.rejects(reader.read(), is)
        await store.bassoc('k', utf8)
        const signal = new AbortController().signal
        assert.equal(await store.bget('k', ({ size }) => size, { signal }), utf8.length)
        assert.equal(await codeOf(() => store.bget('k', () => 1, { end: 1 })), 'INVALID_CONFIG')
      }))

    test('the key is locked until it is done, and then the stream is over', () =>
      opened(async (store) => {
        await store.bassoc('k', some(700_000))
        let written = false
        let writing
        const kept = await store.bget('k', async ({ stream }) => {
          writing = store.bassoc('k', Readable.from([utf8])).then(() => (written = true))
          await store.bassoc('other', 'others are free')
          await setTimeout(20)
          const reader = stream.getReader()
          assert.equal((await reader.read()).value.length, 2 ** 18)
          assert.equal(written, false)
          return reader
        })
        await writing
        assert.equal(await codeOf(() => kept.read()), 'CLOSED')
        assert.deepEqual(await store.bget('k'), utf8)
      }))
  })
}

test('a damaged file gives not one byte', async () => {
  const path = place()
  const store = await promised.openStore({ path, syncBlob: false })
  await store.bassoc('k', new Blob([some(2_000_000)]).stream())
  const [file] = (await readdir(path)).filter((name) => name.endsWith('.ksv'))
  const bytes = await readFile(join(path, file))
  bytes[1_999_999] ^= 1
  await writeFile(join(path, file), bytes)
  assert.equal(await codeOf(() => store.bget('k', () => assert.fail('it was called'))), 'CORRUPT')
  assert.equal(await codeOf(() => store.bget('k', { end: 1 })), 'CORRUPT')
  await store.close()
})

test('nothing writes to a store that was opened to be read', async () => {
  const path = place()
  await promised.createStore({ path, syncBlob: false }).then((store) => store.close())
  const store = await promised.openStore({ path, access: 'read' })
  assert.equal(await codeOf(() => store.bassoc('k', Readable.from([utf8]))), 'PERMISSION_DENIED')
  await store.close()
  assert.equal(await codeOf(() => store.bassoc('k', Readable.from([utf8]))), 'CLOSED')
})

test('what is too long for memory is LIMIT_EXCEEDED, and does not end the program', async () => {
  const path = place()
  const store = await promised.openStore({ path, syncBlob: false })
  await store.bassoc('k', 'short')
  const [file] = (await readdir(path)).filter((name) => name.endsWith('.ksv'))
  await truncate(join(path, file), 5 * 2 ** 30)
  for (const call of [() => store.get('k'), () => store.update('k', () => 1)]) {
    assert.equal(await codeOf(call), 'LIMIT_EXCEEDED')
  }
  await store.assoc('k', 'works on')
  assert.equal(await store.get('k'), 'works on')
  await store.close()
})

test('closing waits for a stream that is under way', async () => {
  const path = place()
  const store = await promised.openStore({ path, syncBlob: false })
  async function* slow() {
    for (let n = 0; n < 5; n++) {
      yield some(100_000)
      await setTimeout(5)
    }
  }
  const writing = store.bassoc('k', slow())
  await store.close()
  await writing
  const again = await promised.openStore({ path })
  assert.equal((await again.getMeta('k')).size, 500_000)
  await again.close()
})

// `KONSERVE_STREAM_MIB=1024` for the whole promise.
const mib = Number(process.env.KONSERVE_STREAM_MIB ?? 128)
test(`${mib} MiB go into a file and out of it in less than 64 MiB of memory`, async (t) => {
  const program = fileURLToPath(new URL('helpers/large-binary.mjs', import.meta.url))
  const { grown } = JSON.parse(await run(process.execPath, [program, place(), String(mib)], { timeout: 600_000 }))
  t.diagnostic(`grew by ${grown.toFixed(1)} MiB`)
  assert.ok(grown < 64, `grew by ${grown} MiB`)
})

/**
 * Inputs that call `abort` after a piece, or after the last one, or once nothing comes any more; and whether they were
 * told that nobody wants more. A generator that waits for something cannot be told.
 */
const watchable = {
  stream(when, abort) {
    let told = false
    const next = onePiece(when, abort)
    const pull = async (controller) => {
      const piece = await next()
      if (piece) controller.enqueue(piece)
      else controller.close()
    }
    const cancel = () => void (told = true)
    return { input: new ReadableStream({ pull, cancel }, { highWaterMark: 0 }), told: () => told }
  },
  readable(when, abort) {
    const next = onePiece(when, abort)
    const read = async () => input.push(await next())
    const input = new Readable({ read, highWaterMark: 1 })
    return { input, told: () => input.destroyed }
  },
  generator(when, abort) {
    const next = onePiece(when, abort)
    async function* generated() {
      for (let piece = await next(); piece; piece = await next()) yield piece
    }
    return { input: generated(), told: () => false }
  },
}

function onePiece(when, abort) {
  let asked = 0
  return async () => {
    asked += 1
    if (asked === 1 && when !== 'at the first chunk') return some(300_000)
    abort()
    if (asked === 1) return some(300_000)
    return when === 'at the end' ? null : new Promise(() => {})
  }
}

/** A stream without an end, in which timers get their turn. */
function endless() {
  const pull = async (controller) => {
    await setTimeout(1)
    controller.enqueue(some(10_000))
  }
  return new ReadableStream({ pull })
}
