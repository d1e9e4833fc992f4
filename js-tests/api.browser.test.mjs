// The package in Chromium: what only a browser has, and what differs from Node.

import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { launch, resultOf, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

/** What `script`, an async function body, returns in a page beside the package's files. */
async function inPage(t, script) {
  const page = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
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

test('values survive IndexedDB exactly, those that only browsers have too', async (t) => {
  const result = await inPage(
    t,
    `
    const { openStore } = await import('./index.js')
    const { encodeValue } = await import('./encode.js')
    const hex = (value) => Array.from(encodeValue(value), (byte) => byte.toString(16).padStart(2, '0')).join('')
    const frame = document.body.appendChild(document.createElement('iframe')).contentWindow
    const values = {
      numbers: [0, -0, NaN, 2 ** 53, 1e300, 10n ** 30n],
      texts: ['', 'ü', '🌍', '\\uFEFFx', 'x'.repeat(10_000)],
      dates: [new Date(0), new Date(-1), new Date(8.64e15)],
      containers: [new Map([[1, new Set([{ a: undefined }])]]), { ['__proto__x']: null }],
      bytes: [new Uint8Array([1]), new Float64Array([0.1]), new Uint8Array([1]).buffer, new DataView(new ArrayBuffer(2))],
      halves: globalThis.Float16Array ? new Float16Array([1.5, -0]) : null,
      errors: [new TypeError('x', { cause: 1 }), new AggregateError([1], 'y')],
      foreign: frame.eval('({ a: [new Map([[1, 2]]), new Date(0), new Uint8Array([1]), /x/g, new RangeError("z")] })'),
    }
    const store = await openStore({ name: 'values' })
    const differing = []
    for (const [name, value] of Object.entries(values)) {
      await store.assoc(name, value)
      const back = await store.get(name)
      if (hex(back) !== hex(value)) differing.push(name)
    }
    const aborted = await store.assoc('e', new DOMException('stop', 'AbortError')).then(() => store.get('e'))
    const refused = {}
    for (const value of [new Blob([]), document.body, window, new frame.Promise(() => {}), new URL('https://example.org')])
      await store.assoc('no', value).catch(({ code, message }) => (refused[message.slice(0, 30)] = code))
    const [, n] = await store.updateIn(['n', 'deep'], async (n = 0) => n + 1)
    const keys = (await store.keys().toArray()).length
    await store.close()
    return { differing, halves: values.halves !== null, aborted: [aborted instanceof Error, aborted.name, aborted.message], refused, n, keys }
  `,
  )
  const { refused, ...rest } = result
  assert.deepEqual(rest, { differing: [], halves: true, aborted: [true, 'AbortError', 'stop'], n: 1, keys: 10 })
  assert.equal(Object.keys(refused).length, 5, JSON.stringify(refused))
  assert.deepEqual([...new Set(Object.values(refused))], ['INVALID_VALUE'])
})

test('konserve/sync works in a page as soon as it is ready', async (t) => {
  const result = await inPage(
    t,
    `
    const { createStore, KonserveError, ready } = await import('./sync.js')
    const codeOf = (call) => { try { return call() } catch (error) { return error instanceof KonserveError && [error.code, error.message] } }
    const early = codeOf(() => createStore({ backend: 'memory' }))
    await ready()
    const store = createStore({ backend: 'memory' })
    store.assoc('a', { n: 1 })
    const updated = store.updateIn(['a', 'n'], (n) => n + 1)
    const database = codeOf(() => createStore({ name: 'x' }))[0]
    const { openStore } = await import('./index.js')
    const both = await openStore({ backend: 'memory' }).then((store) => store.close()).then(() => 'one module for both')
    return { early, updated, database, both }
  `,
  )
  assert.equal(result.early[0], 'BACKEND')
  assert.match(result.early[1], /await ready\(\)/)
  assert.deepEqual(result.updated, [1, 2])
  assert.equal(result.database, 'INVALID_CONFIG')
  assert.equal(result.both, 'one module for both')
})

test('a module that could not be loaded is loaded by the next call', async (t) => {
  const result = await inPage(
    t,
    `
    const { openStore } = await import('./index.js')
    const failed = await openStore({ backend: 'memory', wasm: 'data:application/wasm;base64,AGFzbQEAAAA=' }).catch(({ code }) => code)
    const wrong = await openStore({ backend: 'memory', wasm: new Uint8Array(8) }).catch(({ code }) => code)
    const none = await openStore({ backend: 'memory', wasm: { bytes: 1 } }).catch(({ code }) => code)
    const given = fetch('./wasm/web_bg.wasm').then((answer) => answer.arrayBuffer())
    const store = await openStore({ backend: 'memory', wasm: given })
    await store.assoc('k', 1)
    return { failed, wrong, none, k: await store.get('k') }
  `,
  )
  assert.deepEqual(result, { failed: 'INVALID_CONFIG', wrong: 'BACKEND', none: 'INVALID_CONFIG', k: 1 })
})

test('a path in a browser: INVALID_CONFIG or UNSUPPORTED, saying what to use', async (t) => {
  const result = await inPage(
    t,
    `
    const { openStore } = await import('./index.js')
    const answers = []
    for (const config of [{ path: './x' }, { backend: 'file', path: './x' }])
      answers.push(await openStore(config).then(() => 'opened', ({ code, message }) => code + ' ' + message))
    return answers
  `,
  )
  for (const answer of result) assert.match(answer, /^(INVALID_CONFIG|UNSUPPORTED) .*indexeddb/)
})
