// Encrypted stores in Chromium: IndexedDB, with bytes and with a passphrase.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, resultOf, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

async function inPage(t, script) {
  const body = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
    const attempt = async () => { ${script} }
    globalThis.result = await attempt().catch((error) => ({ failed: String(error?.stack ?? error) }))
  </script>`
  const page = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body } : undefined)
  const server = await serve(page, folder)
  t.after(server.close)
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual(problems, [])
  return result
}

test('a database is encrypted, and opens with its key and no other', async (t) => {
  const result = await inPage(
    t,
    `
    const { openStore, deleteStore } = await import('./index.js')
    const found = {}
    for (const [kind, key] of [['bytes', new Uint8Array(32).fill(5)], ['passphrase', 'correct horse']]) {
      const name = 'secret ' + kind
      const open = (key) => openStore({ name, encryptor: key && { type: 'aes-blake3', key } })
      const store = await open(key)
      await Promise.all([store.assoc('needle', 'needle'), store.append('log', 'needle'), store.bassoc('b', new Blob(['needle'.repeat(400_000)]))])
      await store.update('needle', (text) => text + '!')
      await store.close()
      const code = (key) => open(key).then(() => 'opened', (error) => error.code)
      const codes = [await code(new Uint8Array(32)), await code('horse'), await code(undefined)]
      const again = await open(key)
      const log = []
      for await (const element of again.log('log')) log.push(element)
      const bytes = await again.bget('b', { start: 1_200_000, end: 1_200_006 })
      found[kind] = { codes, text: await again.get('needle'), log, bytes: new TextDecoder().decode(bytes), corrupt: (await again.verify()).corrupt }
      await again.close()
      const database = await new Promise((resolve) => { const asked = indexedDB.open(name); asked.onsuccess = () => resolve(asked.result) })
      const rows = (store) => new Promise((resolve) => { const asked = database.transaction(store).objectStore(store).getAll(); asked.onsuccess = () => resolve(asked.result) })
      const all = [...await rows('m'), ...await rows('v')]
      const texts = await Promise.all(all.map((row) => new Response(row instanceof Blob ? row : new Blob([row])).text()))
      found[kind].clear = texts.filter((text) => text.includes('needle')).length
      found[kind].rows = all.length
      database.close()
      await deleteStore({ name })
    }
    return found`,
  )
  const expected = {
    codes: ['WRONG_KEY', 'WRONG_KEY', 'WRONG_KEY'],
    text: 'needle!',
    log: ['needle'],
    bytes: 'needle',
    corrupt: [],
    clear: 0,
  }
  for (const kind of ['bytes', 'passphrase']) {
    const { rows, ...found } = result[kind] ?? assert.fail(result.failed)
    assert.deepEqual(found, expected)
    assert.ok(rows >= 6, `${rows} rows`)
  }
})

/** A `Worker` that notes what becomes of it; `started(worker)` is called when it gets something to do. */
const WATCHED = `
  const workers = []
  let started = () => {}
  globalThis.Worker = class extends Worker {
    constructor(...given) {
      super(...given)
      workers.push(this)
    }
    postMessage(...given) {
      super.postMessage(...given)
      started(this)
    }
    terminate() {
      this.ended = true
      super.terminate()
    }
  }
  const { openStore } = await import('./index.js')
  const encryptor = { type: 'aes-blake3', key: 'correct horse' }`

test('a key is made of a passphrase in a worker, which ends with it, or with the signal', async (t) => {
  const result = await inPage(
    t,
    `${WATCHED}
    await (await openStore({ name: 'watched', encryptor })).close()
    const opened = workers.map(({ ended }) => ended)
    const controller = new AbortController()
    started = () => controller.abort(new Error('enough'))
    const left = await openStore({ name: 'watched', encryptor, signal: controller.signal }).catch((error) => error.message)
    const cancelled = workers.map(({ ended }) => ended)
    const early = await openStore({ name: 'watched', encryptor, signal: AbortSignal.abort(new Error('no')) }).catch((error) => error.message)
    started = () => {}
    const { signal } = new AbortController()
    const store = await openStore({ name: 'watched', encryptor, signal })
    await store.assoc('k', 1)
    return { opened, left, cancelled, early, value: await store.get('k'), workers: workers.length }`,
  )
  assert.deepEqual(result, {
    opened: [true],
    left: 'enough',
    cancelled: [true, true],
    early: 'no',
    value: 1,
    workers: 3,
  })
})

test('where there can be no worker, the page makes the key itself', async (t) => {
  const result = await inPage(
    t,
    `const values = []
    for (const kind of ['none', 'throws', 'fails']) {
      if (kind === 'none') delete globalThis.Worker
      if (kind === 'throws') globalThis.Worker = class { constructor() { throw new Error('forbidden') } }
      if (kind === 'fails') globalThis.Worker = class extends EventTarget {
        postMessage() { this.dispatchEvent(new Event('error', { cancelable: true })) }
        terminate() {}
      }
      const { openStore } = await import('./index.js')
      const store = await openStore({ name: 'here', encryptor: { type: 'aes-blake3', key: 'correct horse' } })
      await store.update('kinds', (kinds = []) => [...kinds, kind])
      values.push(...(await store.get('kinds')))
      await store.close()
    }
    return values`,
  )
  assert.deepEqual(result, ['none', 'none', 'throws', 'none', 'throws', 'fails'])
})

test('a database is put under a new key by a tab that has it alone', async (t) => {
  const result = await inPage(
    t,
    `const { openStore, connectStore } = await import('./index.js')
    const [old, anew] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const open = (key) => openStore({ name: 'rekeyed', encryptor: { type: 'aes-blake3', key } })
    const frame = document.body.appendChild(document.createElement('iframe'))
    const there = frame.contentWindow.eval("import('" + new URL('./index.js', location) + "')")
    const store = await open(old)
    await store.multiAssoc(Array.from({ length: 300 }, (_, n) => [n, 'v'.repeat(n * 30)]))
    await store.bassoc('b', new Uint8Array(3_000_000).fill(7))
    const code = (promise) => promise.then(() => 'done', (error) => error.code)
    const other = await (await there).connectStore({ name: 'rekeyed', encryptor: { type: 'aes-blake3', key: old } })
    const shared = await code(store.rekey({ keys: [anew] }))
    await other.close()
    let meanwhile
    const stopped = await store.rekey({ keys: [anew], onProgress: () => {
      meanwhile = open(anew).then(() => 'opened', (error) => error.code)
      throw new Error('stopped')
    } }).catch((error) => error.message)
    const refused = await meanwhile
    await store.close()
    const again = await open(anew)
    const read = [await again.get(299), (await again.bget('b')).length]
    let seen = 0
    const written = await again.rekey({ keys: [anew], onProgress: (count) => (seen = count) })
    const { corrupt } = await again.verify()
    await again.close()
    return { shared, stopped, refused, read: [read[0].length, read[1]], written, seen, corrupt, before: await code(open(old)), after: await code(open(anew)) }`,
  )
  const { written, seen, ...rest } = result
  assert.deepEqual(rest, {
    shared: 'STORE_LOCKED',
    stopped: 'stopped',
    refused: 'STORE_LOCKED',
    read: [8970, 3_000_000],
    corrupt: [],
    before: 'WRONG_KEY',
    after: 'done',
  })
  assert.ok(written > 0 && written <= 301, `${written} written`)
  assert.equal(seen, 301)
})
