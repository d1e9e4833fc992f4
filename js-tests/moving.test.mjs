// Moving data: export, import, copyTo and verify, with promises and without, in memory and in a folder.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'
import { run } from './helpers/process.mjs'

const program = process.env.KONSERVE_PROGRAM ?? fileURLToPath(new URL('../target/debug/konserve', import.meta.url))
const konserve = (...args) => promisify(execFile)(program, args, { encoding: 'buffer', maxBuffer: 1 << 28 })

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-moving-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const memory = () => ({ backend: 'memory', id: `moving-${(made += 1)}` })
const file = () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false })

async function bytesOf(chunks) {
  const all = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

const rejects = (call, code, message = /./) =>
  assert.rejects(async () => call(), { name: 'KonserveError', code, message })

async function fill(store) {
  for (let n = 0; n < 300; n++) await store.assoc(`key ${n}`, { n, text: 'x'.repeat(n) })
  await store.assoc('large', new Uint8Array(300_000).fill(7))
  await store.assoc('about', 1, { meta: { by: 'Ada' }, expires: new Date('2999-01-01') })
}

for (const [view, api] of [
  ['konserve', promised],
  ['konserve/sync', sync],
])
  for (const [backend, config] of [
    ['memory', memory],
    ['file', file],
  ])
    describe(`${view}, ${backend}`, () => {
      test('what is exported is imported, values and metadata', async () => {
        const [store, other] = [await api.createStore(config()), await api.createStore(config())]
        await fill(store)
        const progress = []
        const all = await bytesOf(store.export({ onProgress: (entries) => progress.push(entries) }))
        assert.equal(all.subarray(0, 16).toString(), 'konserve-export1')
        assert.equal(progress.at(-1), 302)
        assert.deepEqual(
          progress.toSorted((a, b) => a - b),
          progress,
        )
        assert.deepEqual(await other.import(all), { imported: 302, skipped: 0 })
        assert.deepEqual(await other.entries().toArray(), await store.entries().toArray())
        assert.deepEqual(await other.getMeta('about'), await store.getMeta('about'))
        assert.deepEqual(await other.import(all), { imported: 0, skipped: 302 }, 'again: all is there')
        await Promise.all([store.close(), other.close()])
      })

      test('existing keys: an error, kept or replaced', async () => {
        const [store, other] = [await api.createStore(config()), await api.createStore(config())]
        await store.assoc('k', 'new')
        await other.assoc('k', 'old')
        const all = await bytesOf(store.export())
        await rejects(() => other.import(all), 'CONFLICT', /0 entries were put/)
        assert.deepEqual(await other.import(all, { existing: 'keep' }), { imported: 0, skipped: 1 })
        assert.equal(await other.get('k'), 'old')
        assert.deepEqual(await other.import(all, { existing: 'replace' }), { imported: 1, skipped: 0 })
        assert.equal(await other.get('k'), 'new')
        await rejects(() => other.import(all, { existing: 'both' }), 'INVALID_CONFIG', /error, keep, replace/)
        await rejects(() => other.import(all, { exist: 'keep' }), 'INVALID_CONFIG', /no option exist/)
        await Promise.all([store.close(), other.close()])
      })

      test('copyTo copies all into a store that writes otherwise', async () => {
        const [store, other] = [
          await api.createStore(config()),
          await api.createStore({ ...config(), compressor: 'lz4' }),
        ]
        await fill(store)
        const progress = []
        assert.equal(await store.copyTo(other, { onProgress: (entries) => progress.push(entries) }), 302)
        assert.equal(progress.at(-1), 302)
        assert.deepEqual(await other.entries().toArray(), await store.entries().toArray())
        const [old, copy] = [await store.getMeta('about'), await other.getMeta('about')]
        assert.deepEqual([copy.lastWrite, copy.expires, copy.by], [old.lastWrite, old.expires, 'Ada'])
        assert.equal(await store.copyTo(other), 0, 'again: all is there')
        await other.assoc('large', 'mine')
        await rejects(() => store.copyTo(other), 'CONFLICT')
        assert.equal(await store.copyTo(other, { existing: 'keep' }), 0)
        assert.equal(await store.copyTo(other, { existing: 'replace' }), 302)
        for (const wrong of [undefined, {}, 1, 'store']) await rejects(() => store.copyTo(wrong), 'INVALID_CONFIG')
        await other.close()
        await rejects(() => store.copyTo(other), 'CLOSED')
        await store.close()
      })

      test('what onProgress throws ends the call', async () => {
        const [store, other] = [await api.createStore(config()), await api.createStore(config())]
        await fill(store)
        const all = await bytesOf(store.export())
        const enough = new Error('enough')
        const onProgress = () => {
          throw enough
        }
        for (const call of [
          () => store.verify({ onProgress }),
          () => bytesOf(store.export({ onProgress })),
          () => other.import(all, { onProgress }),
          () => store.copyTo(other, { onProgress }),
        ])
          await assert.rejects(async () => call(), enough)
        await store.assoc('works', 'on')
        await Promise.all([store.close(), other.close()])
      })

      test('what is no export is refused', async () => {
        const store = await api.createStore(config())
        for (const wrong of [undefined, null, 1, 'text', {}, ['text'], [[1]]])
          await rejects(() => store.import(wrong), 'INVALID_VALUE', /bytes/)
        await rejects(() => store.import(new Uint8Array(0)), 'CORRUPT', /cut short/)
        await rejects(() => store.import(Buffer.from('once upon a time there was')), 'CORRUPT', /no export/)
        assert.deepEqual(await store.verify(), { checked: 0, corrupt: [], orphans: [] })
        await store.close()
      })
    })

test('verify finds what is damaged, and takes it out of the way if asked to', async () => {
  const place = file()
  const store = await promised.createStore(place)
  await store.assoc('good', 1)
  await store.assoc('bad', 'x'.repeat(100))
  const bad = (await readdir(place.path)).filter((name) => name.endsWith('.ksv'))
  const sizes = await Promise.all(bad.map(async (name) => [name, await readFile(join(place.path, name))]))
  const [name, bytes] = sizes.find(([, bytes]) => bytes.includes('xxx'))
  bytes[bytes.length - 1] ^= 1
  await writeFile(join(place.path, name), bytes)
  const found = { name: name.replace('.ksv', ''), code: 'CORRUPT', quarantined: false }
  assert.deepEqual(await store.verify(), { checked: 2, corrupt: [found], orphans: [] })
  await rejects(() => store.get('bad'), 'CORRUPT')
  await rejects(() => bytesOf(store.export()), 'CORRUPT', /is damaged/)
  const progress = []
  const report = await store.verify({ repair: true, onProgress: (checked) => progress.push(checked) })
  assert.deepEqual(report, { checked: 2, corrupt: [{ ...found, quarantined: true }], orphans: [] })
  assert.equal(progress.at(-1), 2)
  assert.equal(await store.get('bad'), undefined)
  assert.equal(await store.get('good'), 1)
  assert.deepEqual(await readFile(join(place.path, `${name}.damaged.new`)), bytes)
  assert.deepEqual(await store.verify(), { checked: 1, corrupt: [], orphans: [] })
  await store.close()
  await promised.deleteStore(place)
  await assert.rejects(readdir(place.path), { code: 'ENOENT' })
})

test('every shape of bytes is imported: streams of the web and of Node, Blobs, iterables', async () => {
  const store = await promised.createStore(memory())
  await fill(store)
  const all = await bytesOf(store.export())
  const path = join(folder, 'export')
  await pipeline(Readable.from(store.export()), createWriteStream(path))
  assert.deepEqual(await readFile(path), all)
  const shared = new SharedArrayBuffer(all.length)
  new Uint8Array(shared).set(all)
  for (const [name, source] of Object.entries({
    stream: store.export(),
    'stream of Node': createReadStream(path),
    blob: new Blob([all]),
    response: new Response(all).body,
    arrayBuffer: Uint8Array.from(all).buffer,
    dataView: new DataView(Uint8Array.from(all).buffer),
    shared: new Uint8Array(shared),
    array: [all.subarray(0, 1), all.subarray(1, 1), all.subarray(1)],
    bytes: (async function* () {
      for (let at = 0; at < all.length; at += 999) yield all.subarray(at, at + 999)
    })(),
  })) {
    const other = await promised.createStore(memory())
    assert.deepEqual(await other.import(source), { imported: 302, skipped: 0 }, name)
    assert.deepEqual(
      await bytesOf((await other.export()).pipeThrough(new TransformStream())).then((b) => b.length),
      all.length,
    )
    await other.close()
  }
  await store.close()
})

test('an export is a stream that reads only what is wanted', async () => {
  const store = await promised.createStore(memory())
  await fill(store)
  let told = 0
  const stream = store.export({ onProgress: () => (told += 1) })
  assert.ok(stream instanceof ReadableStream)
  await new Promise(setImmediate)
  assert.equal(told, 0, 'nothing is read before somebody wants it')
  const reader = stream.getReader()
  await reader.read()
  assert.equal(told, 1)
  await reader.cancel()
  assert.equal((await reader.read()).done, true)
  const abandoned = store.export()[Symbol.asyncIterator]()
  await abandoned.next()
  await store.close()
  await rejects(() => abandoned.next(), 'CLOSED')
  await rejects(() => bytesOf(store.export()), 'CLOSED')
})

test('a signal ends what is under way, and what was written stays', async () => {
  const [store, other] = [await promised.createStore(memory()), await promised.createStore(memory())]
  await fill(store)
  const all = await bytesOf(store.export())
  const reason = new Error('no longer wanted')
  const aborted = AbortSignal.abort(reason)
  for (const call of [
    () => store.verify({ signal: aborted }),
    () => bytesOf(store.export({ signal: aborted })),
    () => other.import(all, { signal: aborted }),
    () => store.copyTo(other, { signal: aborted }),
  ])
    await assert.rejects(call, reason)
  assert.equal((await other.verify()).checked, 0)
  const controller = new AbortController()
  let returned = false
  const hanging = (async function* () {
    try {
      yield all.subarray(0, all.length / 2)
      setTimeout(() => controller.abort(reason), 10)
      await new Promise((resolve) => setTimeout(resolve, 200))
      yield all.subarray(all.length / 2)
    } finally {
      returned = true
    }
  })()
  await assert.rejects(other.import(hanging, { signal: controller.signal }), reason)
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.ok(returned, 'the source was told')
  assert.ok((await other.verify()).checked > 0)
  assert.deepEqual((await other.import(all)).imported + (await other.verify()).checked >= 302, true)
  await Promise.all([store.close(), other.close()])
})

test('a source that fails is told as it is', async () => {
  const store = await promised.createStore(memory())
  const broken = new Error('the line is dead')
  const source = new ReadableStream({
    pull(controller) {
      controller.error(broken)
    },
  })
  await assert.rejects(store.import(source), broken)
  await store.assoc('works', 'on')
  await store.close()
})

test('what is cut short or damaged says in which entry, and how many were imported', async () => {
  const store = await promised.createStore(memory())
  for (const key of ['a', 'b', 'c']) await store.assoc(key, key)
  const all = await bytesOf(store.export())
  await store.close()
  for (const [damage, words] of [
    [all.subarray(0, -100), /after entry 2|in entry 3 \(blob [\da-f-]{36}\).*2 entries were put/],
    [Buffer.concat([all, all]), /more follows.*3 entries were put/],
    [Buffer.from(all).fill(0, 190, 191), /entry 1 .*0 entries were put/],
  ]) {
    const other = await promised.createStore(memory())
    await rejects(() => other.import(damage), 'CORRUPT', words)
    await other.close()
  }
})

test('the program and the package export the same folder to the same bytes, and import each other’s', async () => {
  const place = file()
  const store = await promised.createStore(place)
  await fill(store)
  const all = await bytesOf(store.export())
  await store.close()
  const { stdout } = await konserve('export', place.path)
  assert.ok(stdout.equals(all))
  const [path, other] = [join(folder, 'by the package'), join(folder, 'by the program')]
  await writeFile(path, all)
  const told = await konserve('import', '--json', '--create', other, path)
  assert.deepEqual(JSON.parse(told.stdout), { imported: 302, skipped: 0 })
  const read = await promised.connectStore({ path: other })
  assert.deepEqual(await read.import(stdout), { imported: 0, skipped: 302 })
  await read.close()
})

// `KONSERVE_MOVE_MIB=300` for what is longer than any value.
const mib = Number(process.env.KONSERVE_MOVE_MIB ?? 128)
test(`a binary of ${mib} MiB is exported, imported and copied in less than 64 MiB of memory`, async (t) => {
  const program = fileURLToPath(new URL('helpers/large-move.mjs', import.meta.url))
  const place = await mkdtemp(join(folder, 'large-'))
  const { grown } = JSON.parse(await run(process.execPath, [program, place, String(mib)], { timeout: 600_000 }))
  t.diagnostic(`grew by ${grown.toFixed(1)} MiB`)
  assert.ok(grown < 64, `grew by ${grown} MiB`)
})

test('a binary too large for memory is refused by a store that does not stream, with its key', async () => {
  const from = await promised.createStore(file())
  await from.bassoc('large', Readable.from(Array.from({ length: 257 }, () => new Uint8Array(2 ** 20))))
  for (const move of [(to) => to.import(from.export()), (to) => from.copyTo(to)]) {
    const to = await promised.createStore(memory())
    await assert.rejects(() => move(to), { code: 'LIMIT_EXCEEDED', key: 'large' })
    assert.equal(await to.exists('large'), false)
    await to.close()
  }
  await from.close()
})
