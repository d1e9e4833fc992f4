// bassoc and bget in Chromium: every shape of input that a browser has, over IndexedDB.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, resultOf, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

/** What `script`, an async function body, returns in a page beside the package's files. */
async function inPage(t, script) {
  const page = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
    import { openStore } from './index.js'
    const some = (length) => Uint8Array.from({ length }, (_, at) => (at * 31) ^ (at >> 8))
    const same = (a, b) => a?.length === b.length && a.every((byte, at) => byte === b[at])
    const attempt = async () => { ${script} }
    globalThis.result = await attempt().catch((error) => ({ failed: String(error?.stack ?? error) }))
  </script>`
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: page } : undefined)
  const server = await serve(index, folder)
  t.after(server.close)
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual(problems, [])
  return result
}

test('bytes, texts, Blobs, Files, streams and generators come back as the same bytes', async (t) => {
  const result = await inPage(
    t,
    `
    const store = await openStore({ name: 'inputs' })
    const differing = []
    for (const length of [0, 5, 2048, 300_000, 3_000_000]) {
      const bytes = some(length)
      const half = length >> 1
      async function* generated() { yield bytes.subarray(0, half); yield bytes.slice(half).buffer }
      const inputs = {
        bytes, buffer: bytes.slice().buffer, view: new DataView(bytes.slice().buffer),
        blob: new Blob([bytes]), file: new File([bytes], 'name'), stream: new Blob([bytes]).stream(),
        response: new Response(bytes).body ?? new Blob().stream(), generator: generated(),
        bare: { getReader: () => new Blob([bytes]).stream().getReader() },
      }
      for (const [shape, input] of Object.entries(inputs)) {
        await store.bassoc('k', input)
        if (!same(await store.bget('k'), bytes)) differing.push(shape + ' ' + length)
        if (!same(await store.bget('k', { start: -3, end: -1 }), bytes.slice(-3, -1))) differing.push('part ' + shape + length)
      }
    }
    await store.bassoc('text', 'Grüße 🌍')
    if (!same(await store.bget('text'), new TextEncoder().encode('Grüße 🌍'))) differing.push('text')
    const { size, type } = await store.getMeta('k')
    await store.close()
    return { differing, size, type }
  `,
  )
  assert.deepEqual(result, { differing: [], size: 3_000_000, type: 'binary' })
})

test('a stream that fails, or is aborted, leaves what was there', async (t) => {
  const result = await inPage(
    t,
    `
    const store = await openStore({ name: 'failing' })
    await store.bassoc('k', some(10))
    async function* failing() { yield some(3_000_000); throw new RangeError('the line was cut') }
    const failed = await store.bassoc('k', failing()).catch(({ name }) => name)
    const stop = new AbortController()
    const slow = new ReadableStream({ pull: async (c) => { await new Promise((r) => setTimeout(r, 1)); c.enqueue(some(1000)) } })
    setTimeout(() => stop.abort(), 20)
    const aborted = await store.bassoc('new', slow.pipeThrough(new TransformStream(), stop)).catch(({ name }) => name)
    const kept = same(await store.bget('k'), some(10))
    const codes = []
    for (const input of [document.body, {}, [1], new ReadableStream({ start: (c) => (c.enqueue(5), c.close()) })])
      codes.push(await store.bassoc('new', input).then(() => 'stored', ({ code }) => code))
    await store.assoc('value', 1)
    codes.push(await store.bget('value').catch(({ code }) => code))
    return { failed, aborted, kept, codes, there: await store.exists('new') }
  `,
  )
  assert.deepEqual(result, {
    failed: 'RangeError',
    aborted: 'AbortError',
    kept: true,
    codes: ['INVALID_VALUE', 'INVALID_VALUE', 'INVALID_VALUE', 'INVALID_VALUE', 'NOT_BINARY'],
    there: false,
  })
})

test('bget with a function: stream, size and blob, inside the lock of the key', async (t) => {
  const result = await inPage(
    t,
    `
    const store = await openStore({ name: 'lent' })
    await store.bassoc('k', some(1_500_000))
    const size = await store.bget('k', ({ size }) => size)
    const streamed = await store.bget('k', async ({ stream }) => new Uint8Array(await new Response(stream).arrayBuffer()))
    const blob = await store.bget('k', ({ blob }) => blob())
    const blobbed = new Uint8Array(await blob.arrayBuffer())
    const whole = same(streamed, some(1_500_000)) && same(blobbed, some(1_500_000))
    let written = false
    let writing
    await store.bget('k', async () => {
      writing = store.bassoc('k', 'later').then(() => (written = true))
      await store.bassoc('other', 'free')
      await new Promise((done) => setTimeout(done, 30))
      if (written) throw new Error('it was written meanwhile')
    })
    await writing
    const mine = await store.bget('k', () => { throw new RangeError('mine') }).catch(({ name }) => name)
    const absent = await store.bget('none', () => { throw new Error('called') })
    await store.assoc('value', 1)
    const value = await store.bget('value', () => 1).catch(({ code }) => code)
    return { size, whole, written, mine, absent: absent === undefined, value }
  `,
  )
  assert.deepEqual(result, {
    size: 1_500_000,
    whole: true,
    written: true,
    mine: 'RangeError',
    absent: true,
    value: 'NOT_BINARY',
  })
})
