// Binaries of 1 MiB and more in IndexedDB: Blobs, in Chromium.

/* global asked, database, heap, konserve, rowOf, same, some, store */

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

/** An origin with the package, where each tab has it as `konserve`, and an open store of one name as `store`. */
async function origin(t) {
  const html = '<!doctype html><title>konserve</title><link rel="icon" href="data:,">'
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: html } : undefined)
  const server = await serve(index, folder)
  const context = await browser.newContext()
  t.after(() => context.close().then(server.close))
  const newTab = async () => {
    const page = await context.newPage()
    await page.goto(server.url)
    await page.evaluate(tools)
    return page
  }
  return { newTab, files: () => server.requests.filter((path) => path.endsWith('.wasm')) }
}

/** What the tests have in a tab. */
async function tools() {
  const memories = []
  for (const name of ['instantiate', 'instantiateStreaming']) {
    const original = WebAssembly[name]
    WebAssembly[name] = async (...given) => {
      const made = await original.apply(WebAssembly, given)
      memories.push((made.instance ?? made).exports.memory)
      return made
    }
  }
  const asked = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  const database = async (mode, use) => {
    const opened = await asked(indexedDB.open('blobs'))
    const transaction = opened.transaction(['m', 'v'], mode)
    const result = await use(transaction.objectStore('m'), transaction.objectStore('v'))
    opened.close()
    return result
  }
  const konserve = await import('./index.js')
  Object.assign(globalThis, {
    asked,
    database,
    konserve,
    store: await konserve.openStore({ name: 'blobs' }),
    heap: () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0),
    some: (length, seed = 31) => Uint8Array.from({ length }, (_, at) => (at * seed) ^ (at >> 8)),
    same: (a, b) => {
      if (a?.length !== b.length) return false
      for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
      return true
    },
    /** The only row of `v`: a Blob or bytes, and how long. */
    rowOf: () =>
      database('readonly', async (_, v) => {
        const rows = await asked(v.getAll())
        return rows.map((row) => [Object.prototype.toString.call(row).slice(8, -1), row.size ?? row.length]).join()
      }),
  })
}

test('a Blob of 64 MiB goes in and out, and wasm holds less than 16 MiB of it', async (t) => {
  const page = await (await origin(t)).newTab()
  const { grown, ...result } = await page.evaluate(async () => {
    await store.bassoc('warm', new Blob(['the full module is loaded']))
    await store.dissoc('warm')
    const before = heap()
    // Pieces that differ, of a length that is no power of two.
    const pieces = Array.from({ length: 64 }, (_, n) => some(1_048_577, n * 2 + 1))
    const given = new Blob(pieces)
    const whole = new Uint8Array(await given.arrayBuffer())
    const result = {}
    const check = async (name, put) => {
      await put()
      const lent = await store.bget('k', async ({ size, stream, blob }) => {
        const streamed = await new Response(stream).blob()
        return { size, streamed: streamed.size, blob: await blob() }
      })
      const found = new Uint8Array(await lent.blob.arrayBuffer())
      const part = await store.bget('k', { start: 2 ** 25, end: 2 ** 25 + 1000 })
      result[name] = [await rowOf(), lent.size, lent.streamed, same(found, whole)]
      result[name].push(same(part, whole.slice(2 ** 25, 2 ** 25 + 1000)))
    }
    await check('blob', () => store.bassoc('k', given, { meta: { mime: 'video/mp4' } }))
    await check('stream', () => store.bassoc('k', given.stream()))
    const all = await store.bget('k')
    const { corrupt } = await store.verify()
    return {
      ...result,
      corrupt,
      all: same(all, whole),
      grown: (heap() - before) / 2 ** 20,
      meta: (await store.getMeta('k')).size,
    }
  })
  const size = 64 * 1_048_577
  const expected = [`Blob,${size}`, size, size, true, true]
  assert.deepEqual(result, { blob: expected, stream: expected, corrupt: [], all: true, meta: size })
  t.diagnostic(`wasm grew by ${grown} MiB`)
  assert.ok(grown < 16, `wasm grew by ${grown} MiB`)
})

test('1 MiB is a Blob and one byte less is not, whatever gives the bytes; the order of calls stays', async (t) => {
  const page = await (await origin(t)).newTab()
  const rows = await page.evaluate(async () => {
    const rows = {}
    const shapes = {
      bytes: (bytes) => bytes,
      blob: (bytes) => new Blob([bytes]),
      stream: (bytes) => new Blob([bytes]).stream(),
    }
    for (const [shape, give] of Object.entries(shapes)) {
      for (const length of [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_000_000]) {
        await store.bassoc('k', give(some(length)))
        rows[shape + length] = [await rowOf(), same(await store.bget('k'), some(length))].join(' ')
      }
    }
    store.bassoc('k', some(2 ** 21))
    store.bassoc('k', some(2 ** 20 + 2))
    const between = store.bget('k', { start: -1 })
    store.bassoc('k', 'last')
    rows.order = [(await between).length, new TextDecoder().decode(await store.bget('k')), await rowOf()].join(' ')
    await store.bassoc('k', some(2 ** 20))
    await store.dissoc('k')
    rows.gone = await rowOf()
    return rows
  })
  const expected = { order: '1 last ', gone: '' }
  for (const shape of ['bytes', 'blob', 'stream']) {
    for (const length of [2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3_000_000])
      expected[shape + length] = `${length < 2 ** 20 ? 'Uint8Array' : 'Blob'},${length} true`
  }
  assert.deepEqual(rows, expected)
})

test('a Blob is a value as well as any binary: read, updated, told to hooks, listed, in both modules', async (t) => {
  const { newTab, files } = await origin(t)
  const first = await newTab()
  const put = () => store.bassoc('k', new Blob([some(2_000_000)]), { meta: { mine: 1 } })
  const use = async () => {
    const bytes = some(2_000_000)
    const read = [same(await store.get('k'), bytes), await store.exists('k'), (await store.getMeta('k')).mine]
    const [[key, value]] = await store.entries().toArray()
    read.push(key, same(value, bytes), (await store.keys().toArray()).length)
    const seen = []
    const updates = [
      store.update('k', (old) => (seen.push(old.length), { old: old.length })),
      store.updateIn(['k', 'old'], async (old) => (seen.push(old), old + 1)),
    ]
    await Promise.all(updates)
    return [...read, ...seen, (await store.get('k')).old]
  }
  const expected = [true, true, 1, 'k', true, 1, 2_000_000, 2_000_000, 2_000_001]
  await first.evaluate(put)
  const lean = await newTab()
  const before = files().length
  assert.deepEqual(await lean.evaluate(use), expected, 'the lean module')
  assert.equal(files().length, before)
  await first.evaluate(put)
  assert.deepEqual(await first.evaluate(use), expected, 'the full module')
  await first.evaluate(put)
  const told = await first.evaluate(async () => {
    const events = []
    store.addWriteHook('mine', ({ op, oldValue }) => events.push([op, same(oldValue, some(2_000_000))]))
    await store.assoc('k', 1)
    store.removeWriteHook('mine')
    return events
  })
  assert.deepEqual(told, [['assoc', true]])
})

test('two tabs: each sees what the other wrote, and what is being read stays what it was', async (t) => {
  const { newTab } = await origin(t)
  const [one, two] = [await newTab(), await newTab()]
  await one.evaluate(() => store.bassoc('k', new Blob([some(5_000_000)])))
  const reading = two.evaluate(() =>
    store.bget('k', async ({ stream, blob }) => {
      globalThis.reads = true
      while (!globalThis.replaced) await new Promise((done) => setTimeout(done, 10))
      const streamed = new Uint8Array(await new Response(stream).arrayBuffer())
      const whole = new Uint8Array(await (await blob()).arrayBuffer())
      return [same(streamed, some(5_000_000)), same(whole, some(5_000_000))]
    }),
  )
  await two.waitForFunction(() => globalThis.reads)
  await one.evaluate(() => store.bassoc('k', new Blob([some(3_000_000, 7)])))
  await two.evaluate(() => void (globalThis.replaced = true))
  assert.deepEqual(await reading, [true, true])
  const found = async () => same(await store.bget('k'), some(3_000_000, 7))
  assert.equal(await two.evaluate(found), true)
  await two.evaluate(() => store.dissoc('k'))
  assert.equal(await one.evaluate(() => store.exists('k')), false)
})

test('of a changed Blob not one byte is handed out; verify finds it, and repair sets it aside', async (t) => {
  const page = await (await origin(t)).newTab()
  const result = await page.evaluate(async () => {
    await store.bassoc('k', new Blob([some(6_000_000)]))
    await store.bassoc('good', new Blob([some(6_000_000)]))
    const [damaged] = await database('readonly', async (m, v) => {
      const [names, heads] = [await asked(m.getAllKeys()), await asked(m.getAll())]
      const isOfK = (at) => new TextDecoder().decode(heads[at]).includes('keyak')
      return (await asked(v.getAllKeys())).filter((name) => isOfK(names.indexOf(name)))
    })
    const bytes = some(6_000_000)
    bytes[5_999_999] ^= 1
    await database('readwrite', (_, v) => asked(v.put(new Blob([bytes]), damaged)))
    const codes = []
    const called = () => codes.push('it was called')
    const calls = [
      () => store.bget('k'),
      () => store.bget('k', { end: 1 }),
      () => store.bget('k', called),
      () => store.get('k'),
      () => store.update('k', called),
    ]
    for (const call of calls) codes.push(await call().then(String, ({ code }) => code))
    const { checked, corrupt } = await store.verify({ repair: true })
    const again = await store.verify()
    const rows = await database('readonly', async (_, v) => [await asked(v.getAllKeys()), await asked(v.getAll())])
    const aside = rows[0].findIndex((name) => name === `konserve.damaged.${damaged}`)
    return {
      codes,
      repaired: [checked, corrupt.map(({ code, quarantined }) => [code, quarantined])],
      again,
      aside: Object.prototype.toString.call(rows[1][aside]),
      exists: await store.exists('k'),
    }
  })
  assert.deepEqual(result, {
    codes: ['CORRUPT', 'CORRUPT', 'CORRUPT', 'CORRUPT', 'CORRUPT'],
    repaired: [2, [['CORRUPT', true]]],
    again: { checked: 1, corrupt: [], orphans: [] },
    aside: '[object Blob]',
    exists: false,
  })
})

test('export, import and copy take Blobs along', async (t) => {
  const page = await (await origin(t)).newTab()
  const result = await page.evaluate(async () => {
    await store.bassoc('k', new Blob([some(6_000_000)]), { meta: { mine: 1 } })
    await store.assoc('value', 1)
    const chunks = await new Response(store.export()).blob()
    const results = []
    for (const take of [(other) => other.import(chunks), (other) => store.copyTo(other)]) {
      const other = await konserve.openStore({ name: `other ${results.length}` })
      await take(other)
      const { checked, corrupt } = await other.verify()
      const whole = same(await other.bget('k'), some(6_000_000))
      results.push([checked, corrupt.length, whole, (await other.getMeta('k')).mine, await other.get('value')])
    }
    return results
  })
  assert.deepEqual(result, [
    [2, 0, true, 1, 1],
    [2, 0, true, 1, 1],
  ])
})

test('an aborted signal ends a write and a read, and leaves what was there', async (t) => {
  const page = await (await origin(t)).newTab()
  const result = await page.evaluate(async () => {
    await store.bassoc('k', new Blob([some(2_000_000)]))
    const reason = new RangeError('not wanted any more')
    const ended = (promise) =>
      promise.then(
        () => 'done',
        (error) => error === reason,
      )
    const stop = new AbortController()
    let told = false
    let pieces = 0
    const pull = (controller) => {
      pieces += 1
      if (pieces < 5) return controller.enqueue(some(1_000_000))
      setTimeout(() => stop.abort(reason))
      return new Promise(() => {})
    }
    const cancel = () => void (told = true)
    const input = new ReadableStream({ pull, cancel }, { highWaterMark: 0 })
    const written = await ended(store.bassoc('k', input, { signal: stop.signal }))
    const row = await rowOf()
    const end = new AbortController()
    let reader
    const use = async ({ stream }) => {
      reader = stream.getReader()
      await reader.read()
      end.abort(reason)
      await new Promise(() => {})
    }
    const read = await ended(store.bget('k', use, { signal: end.signal }))
    const over = await ended(reader.read())
    await store.bassoc('k', 'the key is free')
    return { written, told, row, read, over }
  })
  assert.deepEqual(result, { written: true, told: true, row: 'Blob,2000000', read: true, over: true })
})
