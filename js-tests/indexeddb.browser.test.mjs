// The IndexedDB backend in Chromium: order, transactions, other tabs, and everything a browser can do to a database.
//
// The function given to `inTab` runs in a page: `konserve` is the package, and `tools` below are globals there.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, serve, visit } from './helpers/browser.mjs'

/* global konserve, failure, watchTransactions, rowsOf, bytes */

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const worker = `
  import { connectStore } from './index.js'
  onmessage = async ({ data: { name, times } }) => {
    const store = await connectStore({ name })
    for (let i = 0; i < times; i++) await store.updateIn(['n'], (n) => n + 1)
    await store.close()
    postMessage('done')
  }`
const answers = {
  '/': { headers: { 'content-type': 'text/html' }, body: '<!doctype html><link rel="icon" href="data:,">' },
  '/worker.mjs': { headers: { 'content-type': 'text/javascript' }, body: worker },
}

let browser, server
before(async () => {
  browser = await launch()
  server = await serve((path) => answers[path], folder)
})
after(() => Promise.all([browser?.close(), server?.close()]))

/** What every page has: the package, and ways to look at what it does. */
async function tools() {
  globalThis.konserve = await import('/index.js')
  globalThis.bytes = (length, fill = 1) => new Uint8Array(length).fill(fill)
  globalThis.failure = (promise) =>
    promise.then(
      () => 'succeeded',
      ({ code, message, cause }) => ({ code, message, cause: cause?.name }),
    )
  /** Counts the transactions begun from now on. */
  globalThis.watchTransactions = () => {
    const begun = []
    const { transaction } = IDBDatabase.prototype
    IDBDatabase.prototype.transaction = function (stores, mode, options) {
      begun.push([mode, options?.durability].join(' '))
      return transaction.call(this, stores, mode, options)
    }
    return begun
  }
  /** A connection of the page's own. */
  globalThis.open = (name, version, upgrade) =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open(name, version)
      request.onupgradeneeded = () => upgrade?.(request.result)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
  /** The keys in one of the two object stores. */
  globalThis.rowsOf = async (name, rows) => {
    const database = await open(name)
    const request = database.transaction(rows).objectStore(rows).getAllKeys()
    await new Promise((resolve) => (request.onsuccess = resolve))
    database.close()
    return request.result
  }
}

/** A new tab, of a context of its own unless one is given. */
async function newTab(t, context = browser) {
  const { page } = await visit(context, server.url)
  t.after(() => page.close())
  await page.evaluate(tools)
  return page
}

const inTab = async (t, run, argument) => (await newTab(t)).evaluate(run, argument)

test('what is not there stays so: exists, connect and delete leave no database behind', async (t) => {
  const result = await inTab(t, async () => {
    const name = 'nothing'
    const exists = await konserve.storeExists({ name })
    const { code } = await failure(konserve.connectStore({ name }))
    await konserve.deleteStore({ name })
    return [exists, code, (await indexedDB.databases()).length]
  })
  assert.deepEqual(result, [false, 'STORE_NOT_FOUND', 0])
})

test("another program's database is no store, and is neither deleted nor written to", async (t) => {
  const result = await inTab(t, async () => {
    const name = 'theirs'
    const theirs = await open(name, 3, (database) => database.createObjectStore('things'))
    theirs.close()
    const exists = await konserve.storeExists({ name })
    const opened = await failure(konserve.openStore({ name }))
    await konserve.deleteStore({ name })
    const after = await open(name)
    return [exists, opened.message, after.version, [...after.objectStoreNames]]
  })
  assert.match(result[1], /something else/)
  assert.deepEqual([result[0], ...result.slice(2)], [false, 3, ['things']])
})

test('a database of a newer version: UNSUPPORTED_FORMAT', async (t) => {
  const result = await inTab(t, async () => {
    const newer = await open('newer', 2, (database) => ['m', 'v'].map((rows) => database.createObjectStore(rows)))
    newer.close()
    return (await failure(konserve.openStore({ name: 'newer' }))).code
  })
  assert.equal(result, 'UNSUPPORTED_FORMAT')
})

test('a page without IndexedDB: UNSUPPORTED, saying what to use', async (t) => {
  const result = await inTab(t, async () => {
    Object.defineProperty(globalThis, 'indexedDB', { value: undefined })
    return failure(konserve.openStore({ name: 'x', backend: 'indexeddb' }))
  })
  assert.equal(result.code, 'UNSUPPORTED')
  assert.match(result.message, /another backend/)
})

test('two that create one store at once: one does', async (t) => {
  const result = await inTab(t, () =>
    Promise.all([1, 2].map(() => failure(konserve.createStore({ name: 'race' })).then((said) => said.code ?? said))),
  )
  assert.deepEqual(result.sort(), ['STORE_EXISTS', 'succeeded'])
})

test('values of all sizes come back, and none that became small or is gone stays in v', async (t) => {
  const result = await inTab(t, async () => {
    const name = 'sizes'
    const [store, other] = [await konserve.openStore({ name }), await konserve.openStore({ name })]
    const large = []
    const differing = []
    for (const size of [0, 100, 1500, 2000, 2048, 5000, 3_000_000, 10, 5000]) {
      await store.assoc('k', 'x'.repeat(size))
      if ((await other.get('k')) !== 'x'.repeat(size)) differing.push(size)
      large.push((await rowsOf(name, 'v')).length)
    }
    await other.assoc('k', 1)
    large.push((await rowsOf(name, 'v')).length)
    await store.assoc('k', 'x'.repeat(5000))
    await store.update('k', () => 1)
    large.push((await rowsOf(name, 'v')).length)
    await store.assoc('k', 'x'.repeat(5000))
    await store.dissoc('k')
    large.push((await rowsOf(name, 'v')).length, (await rowsOf(name, 'm')).length)
    return { large, differing }
  })
  assert.deepEqual(result.differing, [])
  assert.equal(result.large.join(''), '000111101' + '000' + '1')
})

test('the calls fix the order: each read sees the write before it, and the last write stays', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'order' })
    const right = []
    for (let i = 1; i <= 100; i++) {
      store.assoc('k', i)
      right.push(store.get('k').then((found) => found === i))
    }
    return [(await Promise.all(right)).filter(Boolean).length, await store.get('k')]
  })
  assert.deepEqual(result, [100, 100])
})

test('64 operations at once share one transaction; values above 1 MiB go alone; durability is passed on', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'few', durability: 'strict' })
    await store.assoc('n', 0)
    const begun = watchTransactions()
    const keys = Array.from({ length: 64 }, (_, i) => i)
    const counts = []
    for (const operation of [
      (key) => store.assoc(key, { key }),
      (key) => store.get(key),
      () => store.update('n', (n) => n + 1),
      (key) => key < 3 && store.assoc(key, bytes(2 ** 20 + 1)),
    ]) {
      await Promise.all(keys.map(operation))
      counts.push(begun.length)
    }
    return { counts, kinds: [...new Set(begun)].sort(), n: await store.get('n') }
  })
  assert.deepEqual(result, { counts: [1, 2, 3, 6], kinds: [' ', 'readwrite strict'], n: 64 })
})

test('a function that throws changes nothing and spares those that share its transaction', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'throws' })
    await store.assoc('k', 1)
    const begun = watchTransactions()
    const refuse = () => {
      throw new RangeError('no')
    }
    const calls = [store.assoc('x', 1), store.update('k', refuse), store.update('k', (k) => k + 1)]
    const ends = (await Promise.allSettled(calls)).map(({ status, reason }) => reason?.name ?? status)
    return [ends, begun.length, await store.get('k'), await store.get('x')]
  })
  assert.deepEqual(result, [['fulfilled', 'RangeError', 'fulfilled'], 1, 2, 1])
})

test('a write is acknowledged only when its transaction is complete: an abort after success rejects', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'abort' })
    await store.assoc('k', 1)
    const { put } = IDBObjectStore.prototype
    const { commit } = IDBTransaction.prototype
    let aborted = 0
    IDBTransaction.prototype.commit = () => {}
    IDBObjectStore.prototype.put = function (...row) {
      const request = put.apply(this, row)
      request.addEventListener('success', () => request.transaction.abort(++aborted))
      return request
    }
    const { code } = await failure(store.assoc('k', 2))
    IDBObjectStore.prototype.put = put
    IDBTransaction.prototype.commit = commit
    const kept = await store.get('k')
    await store.assoc('k', 3)
    return [code, aborted > 0, kept, await store.get('k')]
  })
  assert.deepEqual(result, ['BACKEND', true, 1, 3])
})

test('when a shared transaction aborts, its operations are tried alone, in order', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'shared' })
    const { put } = IDBObjectStore.prototype
    IDBObjectStore.prototype.put = function (row, key) {
      if (row.at(-1) === 66) throw new DOMException('too bad', 'DataError')
      return put.call(this, row, key)
    }
    const calls = [
      ['a', 1],
      ['b', bytes(1, 66)],
      ['c', 3],
      ['a', 2],
    ].map(([key, value]) => store.assoc(key, value))
    calls.push(store.update('c', (c) => c + 1))
    const ends = (await Promise.allSettled(calls)).map(({ reason }) => reason?.code ?? 'ok')
    return [ends, await store.get('a'), await store.exists('b'), await store.get('c')]
  })
  assert.deepEqual(result, [['ok', 'BACKEND', 'ok', 'ok', 'ok'], 2, false, 4])
})

test('the first of many updates are put while the last are still read, and a row that many touch is put once', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'groups' })
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    await Promise.all(keys.map((key, i) => store.assoc(key, i % 3 ? [] : ['x'.repeat(5000)])))
    const { get, put } = IDBObjectStore.prototype
    const log = []
    IDBObjectStore.prototype.get = function (...row) {
      const request = get.apply(this, row)
      request.addEventListener('success', () => log.push('got'))
      return request
    }
    IDBObjectStore.prototype.put = function (...row) {
      log.push('put')
      return put.apply(this, row)
    }
    const begun = watchTransactions()
    const add = (n) => (old) => [...old, n]
    await Promise.all(keys.map((key) => store.update(key, add(1))))
    const overlap = log.indexOf('put') < log.lastIndexOf('got')
    // Five keys, a dozen times each, every other call a read that has to see what was called before it.
    log.length = 0
    const small = keys.filter((_, i) => i % 3).slice(0, 5)
    const calls = Array.from({ length: 60 }, (_, n) => {
      const key = small[n % 5]
      return [store.update(key, add(n)), store.get(key)]
    })
    const found = await Promise.all(calls.map(([, read]) => read))
    const seen = found.every((value, n) => value.length === 2 + Math.floor(n / 5) && value.at(-1) === n)
    const puts = log.filter((what) => what === 'put').length
    const kept = await Promise.all(keys.map((key) => store.get(key)))
    return {
      overlap,
      begun: begun.filter((mode) => mode.startsWith('readwrite')).length,
      seen,
      puts,
      lengths: kept.map((value) => value.length).join(''),
    }
  })
  const lengths = Array.from({ length: 40 }, (_, i) => (i % 3 ? 1 : 2))
  for (const i of [1, 2, 4, 5, 7]) lengths[i] = 13
  assert.deepEqual(result, { overlap: true, begun: 2, seen: true, puts: 5, lengths: lengths.join('') })
})

test('an abort after the first of many updates were put undoes all, and each is done once in the end', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'undone' })
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`)
    await Promise.all(keys.map((key) => store.assoc(key, 0)))
    const { get, put } = IDBObjectStore.prototype
    let [puts, asked, aborts] = [0, 0, 0]
    IDBObjectStore.prototype.put = function (...row) {
      puts++
      return put.apply(this, row)
    }
    IDBObjectStore.prototype.get = function (...row) {
      const request = get.apply(this, row)
      if (++asked === 40) request.addEventListener('success', () => puts > 0 && request.transaction.abort(++aborts))
      return request
    }
    const ends = await Promise.all(keys.map((key) => failure(store.update(key, (n) => n + 1))))
    const kept = await Promise.all(keys.map((key) => store.get(key)))
    return [aborts, [...new Set(ends)], [...new Set(kept)]]
  })
  assert.deepEqual(result, [1, ['succeeded'], [1]])
})

test('a row that cannot be read fails alone, and can be written again', async (t) => {
  const result = await inTab(t, async () => {
    const name = 'alone'
    const store = await konserve.openStore({ name })
    await store.assoc('x', 1)
    const [key] = (await rowsOf(name, 'm')).filter((key) => key.endsWith('.ksv'))
    const database = await open(name)
    database.transaction('m', 'readwrite').objectStore('m').put('not bytes', key)
    database.close()
    const ends = await Promise.all([failure(store.get('x')), failure(store.assoc('y', 2)), store.get('z', 'none')])
    await store.assoc('x', 3)
    return [ends[0].code, ends[1], ends[2], await store.get('x')]
  })
  assert.deepEqual(result, ['CORRUPT', 'succeeded', 'none', 3])
})

test('a connection that the browser lost is opened again, unnoticed', async (t) => {
  const result = await inTab(t, async () => {
    const opened = []
    const { get } = Object.getOwnPropertyDescriptor(IDBRequest.prototype, 'result')
    Object.defineProperty(IDBRequest.prototype, 'result', {
      get() {
        const found = get.call(this)
        if (found instanceof IDBDatabase && !opened.includes(found)) opened.push(found)
        return found
      },
    })
    const store = await konserve.openStore({ name: 'lost' })
    await store.assoc('n', 0)
    opened.at(-1).close()
    const read = await store.get('n')
    opened.at(-1).close()
    await Promise.all(Array.from({ length: 50 }, () => store.update('n', (n) => n + 1)))
    opened.at(-1).close()
    opened.at(-1).dispatchEvent(new Event('close'))
    return [read, await store.get('n')]
  })
  assert.deepEqual(result, [0, 50])
})

test('a store deleted by another tab is gone at once; this tab is told, and makes no empty one', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const [one, other] = [await newTab(t, context), await newTab(t, context)]
  await one.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'shared' })
    await globalThis.store.assoc('k', 1)
  })
  const took = await other.evaluate(async () => {
    const start = performance.now()
    await konserve.deleteStore({ name: 'shared' })
    return performance.now() - start
  })
  assert.ok(took < 4000, `${took} ms`)
  const result = await one.evaluate(async () => [
    (await failure(globalThis.store.get('k'))).code,
    (await failure(globalThis.store.assoc('k', 2))).code,
    (await indexedDB.databases()).length,
  ])
  assert.deepEqual(result, ['STORE_NOT_FOUND', 'STORE_NOT_FOUND', 0])
})

test('who will not let go makes deleting and opening BLOCKED, not wait for ever', async (t) => {
  const result = await inTab(t, async () => {
    const name = 'held'
    await konserve.openStore({ name }).then((store) => store.close())
    const holder = await open(name)
    const codes = [await failure(konserve.deleteStore({ name })), await failure(konserve.openStore({ name }))]
    holder.close()
    await new Promise((resolve) => setTimeout(resolve, 500))
    return [...codes.map(({ code }) => code), (await indexedDB.databases()).length]
  })
  assert.deepEqual(result, ['BLOCKED', 'BLOCKED', 0])
})

test('closing finishes what was called before, and refuses what comes after', async (t) => {
  const result = await inTab(t, async () => {
    const name = 'closing'
    const store = await konserve.openStore({ name })
    const writes = Array.from({ length: 10 }, (_, i) => store.assoc(i, bytes(300_000, i)))
    const closed = store.close()
    const { code } = await failure(store.assoc('late', 1))
    await Promise.all([...writes, closed])
    const again = await konserve.connectStore({ name })
    return [code, (await again.keys().toArray()).length]
  })
  assert.deepEqual(result, ['CLOSED', 10])
})

test('keys come in pages, each once, with what was written in the same tick, and without the values', async (t) => {
  const result = await inTab(t, async () => {
    const store = await konserve.openStore({ name: 'keys' })
    await Promise.all(Array.from({ length: 1200 }, (_, i) => store.assoc(i, i % 100 ? i : bytes(5000))))
    const { get, getAll } = IDBObjectStore.prototype
    const touched = []
    for (const [method, original] of Object.entries({ get, getAll }))
      IDBObjectStore.prototype[method] = function (...range) {
        touched.push(this.name)
        return original.apply(this, range)
      }
    store.assoc('last', 1)
    const keys = (await store.keys().toArray()).map(({ key }) => key)
    return [keys.length, new Set(keys).size, keys.includes('last'), touched.includes('v')]
  })
  assert.deepEqual(result, [1201, 1201, true, false])
})

test('many reads are asked for by ranges where that is most of a store, else one by one, and find the same', async (t) => {
  const { asked, differing, was, ends } = await inTab(t, async () => {
    const name = 'ranges'
    const store = await konserve.openStore({ name })
    const value = (n) => (n % 50 ? n : 'x'.repeat(5000) + n)
    const entries = (from, to) => Array.from({ length: to - from }, (_, i) => [from + i, value(from + i)])
    // The module that has batches is loaded.
    await store.multiGet(['nothing'])
    const { get, getAll } = IDBObjectStore.prototype
    let counts
    for (const [method, original] of Object.entries({ get, getAll }))
      IDBObjectStore.prototype[method] = function (...range) {
        counts[`${method} ${this.name}`] = (counts[`${method} ${this.name}`] ?? 0) + 1
        return original.apply(this, range)
      }
    const asked = []
    const counting = async (act) => {
      counts = {}
      const done = await act()
      asked.push(counts)
      return done
    }
    const put = await counting(() => store.multiAssoc(entries(0, 1300)))
    const again = await counting(() => store.multiAssoc(entries(1200, 1500)))
    const was = [put, again].map((batch) => [...batch.values()].filter((there) => there).length)
    const other = await konserve.openStore({ name })
    const differing = []
    for (const [reader, from, to] of [
      [store, 0, 1500],
      [other, 100, 1600],
      [other, 300, 500],
      [await konserve.openStore({ name }), 1400, 1600],
      [other, 0, 100],
    ]) {
      const found = await counting(() => reader.multiGet(entries(from, to).map(([key]) => key)))
      const there = new Map(entries(from, Math.min(to, 1500)))
      if (found.size !== there.size || [...there].some(([key, value]) => found.get(key) !== value)) differing.push(from)
    }

    // One row of a range is damaged: who reads another one does not notice.
    const blobs = (await rowsOf(name, 'm')).filter((key) => key.endsWith('.ksv'))
    const database = await open(name)
    database.transaction('m', 'readwrite').objectStore('m').put('not bytes', blobs[700])
    database.close()
    const reading = await counting(() => Promise.all(entries(0, 1500).map(([key]) => failure(store.get(key)))))
    const ends = Object.groupBy(reading, (end) => end.code ?? end)
    return { asked, differing, was, ends: Object.entries(ends).map(([end, all]) => [end, all.length]) }
  })
  assert.deepEqual(was, [0, 100])
  assert.deepEqual(differing, [])
  assert.deepEqual(ends.sort(), [
    ['CORRUPT', 1],
    ['succeeded', 1499],
  ])
  const [first, second, all, larger, few, cut, fewer, single] = asked
  assert.deepEqual(first, { 'getAll m': 2 }, 'an empty store is seen at once')
  assert.equal(second['getAll m'], 1, 'a store that was empty is tried')
  assert.ok(second['get m'] > 50 && second['get m'] < 200, `${second['get m']} of 300 rows one by one`)
  assert.deepEqual(all, { 'getAll m': 2, 'get v': 30 })
  assert.deepEqual(larger, { 'getAll m': 2, 'get v': 28 })
  assert.deepEqual(few, { 'get m': 200, 'get v': 4 })
  assert.equal(cut['getAll m'], 1, 'a connection that does not know the store tries')
  assert.ok(cut['get m'] > 50 && cut['get m'] < 200, `${cut['get m']} of 200 rows one by one`)
  assert.deepEqual(fewer, { 'get m': 100, 'get v': 2 })
  assert.deepEqual(single, { 'getAll m': 2, 'get v': 30 })
})

test('two tabs and a worker, a thousand awaited increments each, end at exactly three thousand', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const tabs = [await newTab(t, context), await newTab(t, context)]
  await tabs[0].evaluate(() => konserve.openStore({ name: 'count' }).then((store) => store.assoc('n', 0)))
  const increments = async () => {
    const store = await konserve.connectStore({ name: 'count' })
    for (let i = 0; i < 1000; i++) await store.updateIn(['n'], (n) => n + 1)
  }
  const inWorker = () =>
    new Promise((resolve, reject) => {
      const other = new Worker('/worker.mjs', { type: 'module' })
      Object.assign(other, { onmessage: resolve, onerror: ({ message }) => reject(new Error(message)) })
      other.postMessage({ name: 'count', times: 1000 })
    }).then(() => {})
  await Promise.all([...tabs.map((tab) => tab.evaluate(increments)), tabs[0].evaluate(inWorker)])
  const n = await tabs[1].evaluate(() => konserve.connectStore({ name: 'count' }).then((store) => store.get('n')))
  assert.equal(n, 3000)
})

test('two stores in one page count exactly, also with functions that take their time', async (t) => {
  const result = await inTab(t, async () => {
    const name = 'two'
    const stores = await Promise.all([konserve.openStore({ name }), konserve.openStore({ name })])
    await stores[0].assoc('n', 0)
    for (const f of [(n) => n + 1, async (n) => n + 1])
      await Promise.all(
        stores.map(async (store) => {
          for (let i = 0; i < 25; i++) await store.update('n', f)
        }),
      )
    return stores[1].get('n')
  })
  assert.equal(result, 100)
})

test('a full quota: QUOTA_EXCEEDED, the old value intact, and room helps', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const tab = await newTab(t, context)
  const devtools = await context.newCDPSession(tab)
  const limit = (quotaSize) => devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize })
  await limit(3_000_000)
  const full = await tab.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'full' })
    await globalThis.store.assoc('k', bytes(5000))
    const refused = await failure(
      globalThis.store.assoc('k', crypto.getRandomValues(bytes(65_536)).toString().repeat(80)),
    )
    const large = crypto.getRandomValues(bytes(65_536)).toString().repeat(80)
    const refusals = [
      () => globalThis.store.assoc('k', large),
      () => globalThis.store.update('k', () => large),
      () => globalThis.store.bassoc('k', large),
      () => globalThis.store.append('log', large),
      () => globalThis.store.multiAssoc([['first', 1], ['k', large]]), // prettier-ignore
    ]
    const keys = []
    for (const write of refusals) keys.push(await write().catch(({ key }) => key))
    return [refused.code, refused.cause, (await globalThis.store.get('k')).length, keys]
  })
  assert.deepEqual(full, ['QUOTA_EXCEEDED', 'QuotaExceededError', 5000, ['k', 'k', 'k', 'log', 'first']])
  await limit()
  const roomy = await tab.evaluate(async () => {
    await globalThis.store.assoc('k', bytes(4_000_000))
    return (await globalThis.store.get('k')).length
  })
  assert.equal(roomy, 4_000_000)
})

test('cleared by the browser while writing: every call is answered, and nothing comes back empty', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const tab = await newTab(t, context)
  const devtools = await context.newCDPSession(tab)
  await tab.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'cleared' })
    globalThis.ends = Array.from({ length: 40 }, (_, i) => failure(globalThis.store.assoc(i, bytes(2 ** 20, i))))
  })
  await devtools.send('Storage.clearDataForOrigin', { origin: server.url, storageTypes: 'indexeddb' })
  const result = await tab.evaluate(async () => {
    const ended = await Promise.all(globalThis.ends)
    const { code } = await failure(globalThis.store.get(1))
    return [ended.length, code, (await indexedDB.databases()).length]
  })
  assert.deepEqual(result, [40, 'STORE_NOT_FOUND', 0])
})

test('reads that follow on reads share a transaction, for a moment: writers of this and of other connections get through', async (t) => {
  const { begun, reads, seen } = await inTab(t, async () => {
    const name = 'chain'
    const [store, other] = [await konserve.openStore({ name }), await konserve.openStore({ name })]
    await store.assoc('n', 0)
    const transactions = watchTransactions()
    for (let i = 0; i < 20; i++) await store.get('n')
    const begun = transactions.length

    // A read from another task finds that transaction ended, and begins its own.
    for (let i = 0; i < 5; i++) {
      const message = new MessageChannel()
      await new Promise((resolve) => {
        message.port1.onmessage = resolve
        message.port2.postMessage('another task')
      })
      if ((await store.get('n')) !== 0) throw new Error('a read from another task found something else')
    }

    const seen = []
    let [reads, reading] = [0, true]
    const chain = (async () => {
      for (; reading; reads++) await store.get('n')
    })()
    for (let n = 1; n <= 10; n++) {
      await (n % 2 ? store : other).assoc('n', n)
      seen.push(await store.get('n'), await other.get('n'))
    }
    reading = false
    await chain
    return { begun, reads, seen }
  })
  assert.ok(begun < 20, `${begun} transactions for 20 reads`)
  assert.ok(reads > 10)
  assert.deepEqual(
    seen,
    Array.from({ length: 20 }, (_, at) => 1 + (at >> 1)),
  )
})
