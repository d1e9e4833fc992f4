// A store over IndexedDB begins with a lean wasm module, and goes on with the full one when that is needed.

/* global konserve, store */

import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { launch, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const LEAN = '/wasm/lean_bg.wasm'
const ENCRYPTED = '/wasm/encrypted_bg.wasm'
const FULL = '/wasm/web_bg.wasm'
const CLOJURE = '/wasm/clojure_bg.wasm'
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

/** A tab with the package as `konserve`, and the wasm files that it asked for. `answer` may answer a path otherwise. */
async function newTab(t, answer = () => undefined) {
  const html = '<!doctype html><title>konserve</title><link rel="icon" href="data:,">'
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: html } : undefined)
  const server = await serve(index, answer, folder)
  const page = await browser.newPage()
  t.after(() => page.close().then(server.close))
  await page.goto(server.url)
  await page.evaluate(async () => (globalThis.konserve = await import('./index.js')))
  const files = () => server.requests.filter((path) => path.endsWith('.wasm'))
  return { page, files }
}

test('values, listings and changes need the lean module alone; what needs more loads the full one, once', async (t) => {
  const { page, files } = await newTab(t)
  const values = await page.evaluate(async () => {
    const store = (globalThis.store = await konserve.openStore({ name: 'lean' }))
    const told = []
    store.addEventListener('change', ({ op }) => told.push(op))
    await store.assoc('a', 1)
    await store.updateIn(['b', 'c'], async () => 2)
    await store.dissoc('a')
    return [await store.get('b'), (await store.keys().toArray()).length, await store.exists('a'), told.join()]
  })
  assert.deepEqual(values, [{ c: 2 }, 1, false, 'assoc,update-in,dissoc'])
  assert.deepEqual(files(), [LEAN])
  const log = await page.evaluate(async () => {
    const told = []
    store.addEventListener('change', ({ op }) => told.push(op))
    await Promise.all([store.append('log', 1), store.append('log', 2), store.assoc('a', 3)])
    const other = await konserve.openStore({ name: 'other' })
    await other.assoc('k', 1)
    await Promise.all([store.close(), other.close()])
    return [await konserve.storeExists({ name: 'lean' }), told.filter((op) => op === 'assoc').length]
  })
  assert.deepEqual(log, [true, 1])
  assert.deepEqual(files(), [LEAN, FULL])
})

test('what compresses needs the full module, also where only the store itself says so', async (t) => {
  const { page, files } = await newTab(t)
  const text = 'again and again, '.repeat(200)
  await page.evaluate(async (text) => {
    const store = await konserve.openStore({ name: 'compressed', compressor: 'lz4' })
    await store.assoc('k', text)
    await store.close()
  }, text)
  assert.deepEqual(files(), [FULL])
  await page.reload()
  await page.evaluate(async () => (globalThis.konserve = await import('./index.js')))
  const read = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'compressed' })
    await store.assoc('l', await store.get('k'))
    const [k, l] = [await store.getMeta('k'), await store.getMeta('l')]
    return [await store.get('l'), `${k.digest}` === `${l.digest}`]
  })
  assert.deepEqual(read, [text, true])
  assert.deepEqual(files(), [FULL, LEAN, FULL])
})

test('an encrypted store needs the lean module with encryption, and grows with its key', async (t) => {
  const { page, files } = await newTab(t)
  const [values, loaded, wrong, log] = [
    await page.evaluate(async () => {
      const encryptor = (fill) => ({ type: 'aes-blake3', key: new Uint8Array(32).fill(fill) })
      globalThis.open = (fill) => konserve.openStore({ name: 'encrypted', encryptor: encryptor(fill) })
      globalThis.store = await open(1)
      await store.assoc('a', { text: 'x'.repeat(5000) })
      await store.updateIn(['b', 'c'], async () => 2)
      return [(await store.get('a')).text.length, await store.get('b'), (await store.keys().toArray()).length]
    }),
    files(),
    await page.evaluate(() => open(2).catch(({ code }) => code)),
    await page.evaluate(async () => {
      await store.append('log', 1)
      const end = [await store.log('log'), await store.get('b')]
      await store.close()
      return end
    }),
  ]
  assert.deepEqual(values, [5000, { c: 2 }, 2])
  assert.deepEqual(loaded, [ENCRYPTED])
  assert.equal(wrong, 'WRONG_KEY')
  assert.deepEqual(log, [[1], { c: 2 }])
  assert.deepEqual(files(), [ENCRYPTED, FULL])
})

test('the order of calls is kept while the full module is loaded', async (t) => {
  const { page } = await newTab(t)
  const result = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'order' })
    const done = []
    const call = (name, promise) => promise.then(() => done.push(name))
    await Promise.all([
      ...Array.from({ length: 50 }, (_, n) => call(`put ${n}`, store.assoc('k', 'x'.repeat(n * 1000)))),
      call('batch', store.multiAssoc({ k: [0], l: 0 })),
      ...Array.from({ length: 5 }, (_, n) =>
        call(
          `update ${n}`,
          store.updateIn(['k', 0], (i) => i + 1),
        ),
      ),
      call('get', store.get('k')),
      call('log', store.append('log', 'one')),
      call('gone', store.dissoc('l')),
    ])
    const end = [await store.get('k'), await store.get('l', 'none'), await store.log('log')]
    await store.close()
    return { end, updates: done.filter((name) => name.startsWith('update')) }
  })
  assert.deepEqual(result.end, [[5], 'none', ['one']])
  assert.deepEqual(
    result.updates,
    Array.from({ length: 5 }, (_, n) => `update ${n}`),
  )
})

test('an update that waits for what needs the full module goes on', async (t) => {
  const { page } = await newTab(t)
  const result = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'nested' })
    await store.update('k', async () => {
      await store.append('log', 1)
      return (await store.log('log')).length
    })
    return store.get('k')
  })
  assert.equal(result, 1)
})

test('a write hook, which needs the full module, is told of what is written right after', async (t) => {
  const { page } = await newTab(t)
  const events = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'hooked' })
    const events = []
    store.addWriteHook('h', ({ op, key, value, oldValue }) => events.push([op, key, value, oldValue]))
    await Promise.all([store.assoc('a', 1), store.assoc('a', 2)])
    store.removeWriteHook('h')
    await store.assoc('a', 3)
    await store.close()
    return events
  })
  assert.deepEqual(events, [
    ['assoc', 'a', 1, undefined],
    ['assoc', 'a', 2, 1],
  ])
})

test('while the full module cannot be loaded, values can be read and written, and the next call tries again', async (t) => {
  let reachable = false
  const missing = (path) => (!reachable && [FULL, '/wasm/web-copy.js'].includes(path) ? { status: 404 } : undefined)
  const { page } = await newTab(t, missing)
  const first = await page.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'offline' })
    const failed = await store.append('log', 1).catch(({ code }) => code)
    await store.assoc('k', 1)
    return [failed, await store.get('k')]
  })
  assert.deepEqual(first, ['BACKEND', 1])
  reachable = true
  const second = await page.evaluate(async () => {
    await store.append('log', 1)
    const log = await store.log('log')
    await store.close()
    const closed = [
      await store.append('log', 2).catch(({ code }) => code),
      await store.get('k').catch(({ code }) => code),
    ]
    return [log, closed]
  })
  assert.deepEqual(second, [[1], ['CLOSED', 'CLOSED']])
})

test('two stores of a page, one lean and one grown, lose no update', async (t) => {
  const { page } = await newTab(t)
  const count = await page.evaluate(async () => {
    const [one, two] = await Promise.all([1, 2].map(() => konserve.openStore({ name: 'two' })))
    await two.multiGet(['n'])
    const add = async (store) => {
      for (let i = 0; i < 200; i++) await store.update('n', (n = 0) => n + 1)
    }
    await Promise.all([add(one), add(two)])
    const copied = await one.copyTo(two, { existing: 'replace' })
    const count = await one.get('n')
    await Promise.all([one.close(), two.close()])
    return [count, copied]
  })
  assert.deepEqual(count, [400, 1])
})

test('what is shared with Clojure loads its module at once, and no other', async (t) => {
  for (const config of [
    { name: 'shared', layout: 'konserve' },
    { name: 'sealed', serializer: 'fressian' },
    { name: 'sealed', serializer: 'edn' },
    { name: 'sealed', compressor: 'zstd' },
    { backend: 'memory', layout: 'konserve', encryptor: { type: 'aes', key: 'k' } },
  ]) {
    const { page, files } = await newTab(t)
    const value = await page.evaluate(async (config) => {
      const store = await konserve.openStore(config)
      await store.assoc('k', ['again', 'and again'])
      await store.append('log', 1)
      const value = await store.get('k')
      await store.close()
      return value
    }, config)
    assert.deepEqual([value, files()], [['again', 'and again'], [CLOJURE]])
  }
})

test('a store that the lighter modules do not open is opened by that which does', async (t) => {
  const { page, files } = await newTab(t)
  await page.evaluate(async () => {
    for (const config of [
      { name: 'shared', layout: 'konserve' },
      { name: 'zstd', compressor: 'zstd' },
    ]) {
      const store = await konserve.openStore(config)
      await store.assoc('k', 'again and again, '.repeat(100))
      await store.close()
    }
  })
  const reloaded = async (act) => {
    const before = files().length
    await page.reload()
    await page.evaluate(async () => (globalThis.konserve = await import('./index.js')))
    return [await page.evaluate(act), files().slice(before)]
  }
  const open = async () => {
    const store = await konserve.openStore({ name: 'shared' })
    return [(await store.get('k')).length, await konserve.storeExists({ name: 'shared' })]
  }
  assert.deepEqual(await reloaded(open), [
    [1700, true],
    [LEAN, CLOJURE],
  ])
  const exists = () => konserve.storeExists({ name: 'shared' })
  assert.deepEqual(await reloaded(exists), [true, [LEAN, CLOJURE]])
  const zstd = async () => (await (await konserve.openStore({ name: 'zstd' })).get('k')).length
  assert.deepEqual(await reloaded(zstd), [1700, [LEAN, FULL, CLOJURE]])
  const own = async () => {
    const blobs = new Map()
    let closed = 0
    const backend = {
      read: (names) => names.map((name) => blobs.get(name)),
      write: (writes) => writes.forEach(({ name, blob }) => (blob ? blobs.set(name, blob) : blobs.delete(name))),
      names: (after, limit) =>
        [...blobs.keys()]
          .filter((name) => name > after)
          .sort()
          .slice(0, limit),
      close: () => void (closed += 1),
    }
    const store = await konserve.openStore({ backend, layout: 'konserve' })
    await store.assoc('k', 1)
    await store.close()
    const memory = await konserve.openStore({ backend: 'memory' })
    const again = await konserve.connectStore({ backend })
    const read = [await again.updateIn(['k'], (n) => n + 1), await again.multiAssoc({ k: 3 }), closed]
    await Promise.all([memory.close(), again.close()])
    return [...read.flatMap((part) => (part instanceof Map ? [...part] : part)), closed]
  }
  const [read, loaded] = await reloaded(own)
  assert.deepEqual(read, [1, 2, ['k', true], 1, 2])
  assert.deepEqual(loaded, [CLOJURE])
})

test('stores of two modules are copied, and a store in memory stays in the module that has it', async (t) => {
  const { page, files } = await newTab(t)
  const result = await page.evaluate(async () => {
    const plain = await konserve.openStore({ backend: 'memory', id: 'plain' })
    await plain.assoc('k', { n: 1 })
    await plain.append('log', 1)
    const shared = await konserve.openStore({ name: 'sealed', serializer: 'fressian' })
    const copied = await plain.copyTo(shared)
    const read = [await shared.get('k'), await shared.log('log')]
    const again = await konserve.connectStore({ backend: 'memory', id: 'plain' })
    const tiers = { backend: 'tiered', frontendConfig: { backend: 'memory' }, backendConfig: again }
    const tiered = await konserve.openStore(tiers)
    return { copied, read, tiered: await tiered.get('k') }
  })
  assert.deepEqual(result, { copied: 3, read: [{ n: 1 }, [1]], tiered: { n: 1 } })
  assert.deepEqual(files(), [FULL, CLOJURE])
})

test('a sealed store that the lean module has is copied into one that is shared with Clojure, and back', async (t) => {
  const { page, files } = await newTab(t)
  const read = await page.evaluate(async () => {
    const sealed = await konserve.openStore({ name: 'sealed' })
    await sealed.assoc('k', { n: 1 })
    const shared = await konserve.openStore({ name: 'shared', layout: 'konserve', serializer: 'fressian' })
    await sealed.copyTo(shared)
    await shared.assoc('l', [1, 2])
    const back = await shared.copyTo(sealed, { existing: 'keep' })
    return [await shared.get('k'), await sealed.get('l'), back]
  })
  assert.deepEqual(read, [{ n: 1 }, [1, 2], 1])
  assert.deepEqual(files(), [LEAN, CLOJURE])
})
