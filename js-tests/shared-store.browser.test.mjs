// Databases as Clojure's konserve has them in browsers: opened, written, and shared by tabs, in Chromium.
//
// The function given to `evaluate` runs in a page: `konserve` is the package, and `tools` below are globals there.

import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, chmodSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openStore } from 'konserve'
import { launch, serve, visit } from './helpers/browser.mjs'

/* global konserve, databaseOf, rowsOf, failure, store, heard:writable */

const fixtures = fileURLToPath(new URL('../../shared/fixtures/konserve/', import.meta.url))
const pkg = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const scratch = mkdtempSync(join(tmpdir(), 'konserve-shared-'))
const html = '<!doctype html><title>konserve</title><link rel="icon" href="data:,">'
const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: html } : undefined)
let browser, server
before(async () => {
  browser = await launch()
  server = await serve(index, pkg)
})
after(async () => {
  await Promise.all([browser?.close(), server?.close()])
  rmSync(scratch, { recursive: true })
})

/** Text that tells any two values apart, classes of the package's included. */
function shown(value) {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (value instanceof Date) return `Date ${value.getTime()}`
  const name = value.constructor?.name.replace(/^_|[_\d]*$/g, '') ?? 'Object'
  if (ArrayBuffer.isView(value)) return `${name} ${value}`
  if (value instanceof Map) return `Map ${[...value].map(([k, v]) => `${shown(k)}: ${shown(v)}`).sort()}`
  if (value instanceof Set) return `Set ${[...value].map(shown).sort()}`
  if (Array.isArray(value)) return `[${Array.from(value, shown)}]`
  return `${name} ${Object.entries(value).map(([k, v]) => `${k}: ${shown(v)}`)}`
}

/** A line for everything in a store, and what its listing says of blobs that cannot be read. */
async function shownStore(store) {
  const lines = []
  const read = { edn: 'get', binary: 'bget', 'append-log': 'log' }
  try {
    for await (const { key, type } of store.keys()) {
      lines.push(`${type} ${shown(key)} = ${shown(await store[read[type]](key))}`)
    }
  } catch ({ code, message }) {
    lines.push(`${code} ${message}`)
  }
  return lines.sort()
}

/** What every page has beside the package. */
async function tools() {
  globalThis.konserve = await import('/index.js')
  const ended = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  /** A database as ClojureScript makes it, of names and bytes as base64. */
  globalThis.databaseOf = async (name, blobs) => {
    const request = indexedDB.open(name, 1)
    request.onupgradeneeded = () => request.result.createObjectStore('')
    const database = await ended(request)
    const rows = database.transaction([''], 'readwrite').objectStore('')
    for (const [key, base64] of blobs) {
      const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
      await ended(rows.put(new Blob([bytes], { type: 'application/octet-stream' }), key))
    }
    database.close()
  }
  /** What is in a database, `[name, type, bytes as base64]`, and which version and object stores it has. */
  globalThis.rowsOf = async (name) => {
    const database = await ended(indexedDB.open(name))
    const rows = database.transaction(['']).objectStore('')
    const [keys, values] = await Promise.all([ended(rows.getAllKeys()), ended(rows.getAll())])
    const { version, objectStoreNames } = database
    database.close()
    const base64 = async (blob) => btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())))
    const row = async (key, at) => [key, values[at].type, await base64(values[at])]
    return { version, stores: [...objectStoreNames], rows: await Promise.all(keys.map(row)) }
  }
  globalThis.failure = (promise) =>
    promise.then(
      () => 'succeeded',
      ({ code }) => code,
    )
}

async function newTab(t, context = browser) {
  const { page, problems } = await visit(context, server.url)
  t.after(() => page.close())
  await page.evaluate(tools)
  await page.evaluate(`globalThis.shown = ${shown}; globalThis.shownStore = ${shownStore}`)
  return { page, problems }
}

/** A copy of a store's folder that konserve wrote, and its blobs as base64; or the test is skipped. */
function fixture(t, name) {
  const from = join(fixtures, name, 'store')
  if (!existsSync(from))
    return void t.skip(`there is no ${from}: the stores that Clojure's konserve wrote are not here`)
  const path = mkdtempSync(join(scratch, `${name}-`))
  cpSync(from, path, { recursive: true })
  chmodSync(path, 0o755)
  const names = readdirSync(path).filter((file) => file.endsWith('.ksv'))
  for (const file of names) chmodSync(join(path, file), 0o644)
  return { path, blobs: names.map((file) => [file, readFileSync(join(path, file), 'base64')]) }
}

/** The parts of a blob. */
function sections(base64) {
  const blob = Buffer.from(base64, 'base64')
  const at = 20 + blob.readUInt32BE(4)
  return { header: [...blob.subarray(0, 4)], value: blob.toString('hex', at) }
}

const KEY = 's3cr3t'
for (const [name, encryptor] of [
  ['boring-none-none'],
  ['fressian-none-none'],
  ['fressian-lz4-none'],
  ['boring-zstd-aes', { type: 'aes', key: KEY }],
]) {
  test(`a database of ClojureScript's opens with all that is in it, and is written as it was: ${name}`, async (t) => {
    const given = fixture(t, name)
    if (!given) return
    const { page, problems } = await newTab(t)
    await page.evaluate(([name, blobs]) => databaseOf(name, blobs), [name, given.blobs])
    const inNode = await openStore({ path: given.path, syncBlob: false, encryptor })
    const expected = await shownStore(inNode)
    const read = await page.evaluate(
      async ([name, encryptor]) => {
        globalThis.store = await konserve.connectStore({ name, encryptor })
        return shownStore(store)
      },
      [name, encryptor],
    )
    assert.ok(expected.length > 10, String(expected.length))
    assert.deepEqual(read, expected)

    const before = new Map((await page.evaluate((name) => rowsOf(name), name)).rows.map(([key, , blob]) => [key, blob]))
    assert.deepEqual([...before].sort(), given.blobs.sort())
    const write = async (store, { Keyword }) => {
      await store.assoc(Keyword.of('js/new'), new Map([[Keyword.of('a'), [1, 'two', 3n]]]))
      await store.assoc([1, 'path'], 'text')
      await store.bassoc('bytes', Uint8Array.of(1, 2, 3))
    }
    await write(inNode, await import('konserve'))
    await inNode.close()
    await page.evaluate(`(${write})(store, konserve).then(() => store.close())`)
    const { version, stores, rows } = await page.evaluate((name) => rowsOf(name), name)
    assert.deepEqual([version, stores], [1, ['']])
    const written = rows.filter(([key, , blob]) => before.get(key) !== blob)
    assert.equal(written.length, 3)
    for (const [key, type, blob] of written) {
      assert.equal(type, 'application/octet-stream')
      const [here, there] = [blob, readFileSync(join(given.path, key), 'base64')].map(sections)
      assert.deepEqual(here.header, there.header)
      if (!encryptor) assert.equal(here.value, there.value)
    }
    assert.deepEqual(problems, [])
  })
}

test("a database in konserve's layout is made, found, opened again and deleted", async (t) => {
  const { page, problems } = await newTab(t)
  const result = await page.evaluate(async () => {
    const config = { name: 'made', layout: 'konserve', serializer: 'fressian', compressor: 'lz4' }
    const store = await konserve.createStore(config)
    const empty = [await konserve.storeExists({ name: 'made' }), await konserve.storeExists(config)]
    await store.assoc('k', { n: 1 }, { meta: { by: 'Ada' } })
    await store.append('log', 1)
    await store.append('log', 2)
    await store.multiAssoc({ a: 1, b: 2 })
    await store.bassoc('bytes', new Uint8Array(3 << 20).fill(7))
    const taken = await failure(konserve.createStore(config))
    await store.close()
    const again = await konserve.openStore({ name: 'made' })
    const { size, by } = await again.getMeta('k')
    const found = [await again.updateIn(['k', 'n'], (n) => n + 1), await again.log('log'), size, by]
    const part = await again.bget('bytes', { start: -2 })
    const gone = [await again.dissoc('a'), await again.dissoc('a'), [...(await again.multiDissoc(['b', 'c'])).values()]]
    const { corrupt, checked } = await again.verify()
    await again.close()
    await konserve.deleteStore({ name: 'made' })
    const left = (await indexedDB.databases()).map(({ name }) => name)
    return { empty, taken, found, part: [...part], gone, corrupt, checked, left }
  })
  assert.deepEqual(result, {
    empty: [true, true],
    taken: 'STORE_EXISTS',
    found: [[1, 2], [1, 2], undefined, 'Ada'],
    part: [7, 7],
    gone: [true, false, [true, false]],
    corrupt: [],
    checked: 5,
    left: [],
  })
  assert.deepEqual(problems, [])
})

test('a key that does not fit, another layout and a database of something else are told', async (t) => {
  const { page } = await newTab(t)
  const codes = await page.evaluate(async () => {
    const encryptor = { type: 'aes', key: konserve.Keyword.of('my/key') }
    const store = await konserve.openStore({ name: 'secret', layout: 'konserve', encryptor })
    await store.assoc('k', 1)
    await store.close()
    await (await konserve.openStore({ name: 'sealed' })).close()
    await new Promise((resolve) => {
      const request = indexedDB.open('foreign')
      request.onupgradeneeded = () => request.result.createObjectStore('other')
      request.onsuccess = () => resolve(request.result.close())
    })
    const opening = (config) => failure(konserve.openStore(config))
    return [
      await opening({ name: 'secret' }),
      await opening({ name: 'secret', encryptor: { type: 'aes', key: 'my/key' } }),
      await opening({ name: 'secret', encryptor }),
      await opening({ name: 'secret', layout: 'sealed' }),
      await opening({ name: 'sealed', layout: 'konserve' }),
      await opening({ name: 'foreign', layout: 'konserve' }),
      await failure(konserve.connectStore({ name: 'nothing', layout: 'konserve' })),
      await opening({ name: 'x', layout: 'konserve', durability: 'always' }),
      await opening({ name: 'x', layout: 'konserve', path: 'there' }),
    ]
  })
  const expected = ['WRONG_KEY', 'WRONG_KEY', 'succeeded', 'INVALID_CONFIG', 'INVALID_CONFIG', 'STORE_NOT_FOUND']
  assert.deepEqual(codes, [...expected, 'STORE_NOT_FOUND', 'INVALID_CONFIG', 'INVALID_CONFIG'])
})

test('without Web Locks a sealed store works as ever, and one in konserve layout is refused', async (t) => {
  const { page } = await newTab(t)
  const found = await page.evaluate(async () => {
    await (await konserve.createStore({ name: 'shared', layout: 'konserve' })).close()
    await (await konserve.createStore({ name: 'lz4', compressor: 'lz4' })).close()
    Object.defineProperty(navigator, 'locks', { value: undefined })
    const opening = (name) => failure(konserve.openStore({ name }))
    return [await opening('sealed'), await opening('lz4'), await opening('shared')]
  })
  assert.deepEqual(found, ['succeeded', 'succeeded', 'UNSUPPORTED'])
})

test('two tabs that count together lose nothing, and hear of each other', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const [one, two] = await Promise.all([newTab(t, context), newTab(t, context)])
  const open = async (layout) => {
    globalThis.store = await konserve.openStore({ name: 'counted', layout })
    globalThis.heard = 0
    store.addEventListener('change', ({ origin }) => (heard += origin === 'remote'))
  }
  await one.page.evaluate(open, 'konserve')
  await two.page.evaluate(open, undefined)
  const count = async () => {
    for (let i = 0; i < 100; i++) {
      await Promise.all([store.update('n', (n = 0) => n + 1), store.updateIn(['deep', 'n'], (n = 0) => n + 1)])
    }
    const batch = await store.multiGet(['n'])
    return batch.get('n')
  }
  await Promise.all([one.page.evaluate(count), two.page.evaluate(count)])
  const end = await two.page.evaluate(async () => [await store.get('n'), await store.get('deep'), heard])
  assert.deepEqual(end, [200, { n: 200 }, 200])
})

test('a tab lets go of a database that another one deletes', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const [one, two] = await Promise.all([newTab(t, context), newTab(t, context)])
  await one.page.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'shared', layout: 'konserve' })
    await store.assoc('k', 1)
  })
  await two.page.evaluate(() => konserve.deleteStore({ name: 'shared' }))
  assert.equal(await one.page.evaluate(() => failure(store.get('k'))), 'STORE_NOT_FOUND')
})
