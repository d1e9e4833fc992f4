// Batches and changes over IndexedDB in Chromium: with tabs, a worker, and transactions counted.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, serve, visit } from './helpers/browser.mjs'

/* global konserve, watchTransactions, collect */

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const worker = `
  import { connectStore } from './index.js'
  onmessage = async ({ data: name }) => {
    const store = await connectStore({ name })
    await store.assoc(['from', 'worker'], 1)
    await store.multiAssoc({ w1: 1, w2: 2 })
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

async function tools() {
  globalThis.konserve = await import('/index.js')
  /** Counts the transactions begun from now on, by their mode. */
  globalThis.watchTransactions = () => {
    const begun = []
    const { transaction } = IDBDatabase.prototype
    IDBDatabase.prototype.transaction = function (stores, mode, options) {
      begun.push(mode ?? 'readonly')
      return transaction.call(this, stores, mode, options)
    }
    return begun
  }
  /** Waits until a store has told of so many changes. */
  globalThis.collect = async (changes, count) => {
    const all = []
    while (all.length < count) all.push((await changes.next()).value)
    return all
  }
}

/** A new tab, of a context of its own unless one is given. */
async function newTab(t, context = browser) {
  const { page, problems } = await visit(context, server.url)
  t.after(async () => {
    await page.close()
    assert.deepEqual(problems, [])
  })
  await page.evaluate(tools)
  return page
}

test('10,000 values are put, read and removed in one transaction each', async (t) => {
  const page = await newTab(t)
  const { begun, times, sound } = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'many' })
    const entries = Array.from({ length: 10_000 }, (_, n) => [`key ${n}`, { n, text: 'x'.repeat(n % 300) }])
    const keys = entries.map(([key]) => key)
    await store.multiGet([]) // loads what it needs
    const [begun, times, sound] = [watchTransactions(), [], []]
    const timed = async (call) => {
      const start = performance.now()
      const answer = await call()
      times.push(Math.round(performance.now() - start))
      return answer
    }
    sound.push([...(await timed(() => store.multiAssoc(entries))).values()].every((was) => was === false))
    sound.push(JSON.stringify([...(await timed(() => store.multiGet(keys)))]) === JSON.stringify(entries))
    sound.push([...(await timed(() => store.multiAssoc(entries))).values()].every((was) => was === true))
    sound.push([...(await timed(() => store.multiDissoc(keys))).values()].every((was) => was === true))
    await store.close()
    return { begun, times, sound }
  })
  t.diagnostic(`put, read, put again, removed: ${times.join(', ')} ms`)
  assert.deepEqual(begun, ['readwrite', 'readonly', 'readwrite', 'readwrite'])
  assert.deepEqual(sound, [true, true, true, true])
})

test('a batch whose transaction is aborted leaves nothing behind', async (t) => {
  const page = await newTab(t)
  const result = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'aborted' })
    await store.assoc('b', 0)
    const { put } = IDBObjectStore.prototype
    let left = 2
    IDBObjectStore.prototype.put = function (...args) {
      if (left-- > 0) return put.apply(this, args)
      throw new DOMException('no room', 'QuotaExceededError')
    }
    const error = await store.multiAssoc({ a: 1, b: 1, c: 1, d: 1 }).catch(({ code, key }) => [code, key])
    IDBObjectStore.prototype.put = put
    const keys = (await store.keys().toArray()).map(({ key }) => key)
    const b = await store.get('b')
    await store.close()
    return { error, keys, b }
  })
  assert.deepEqual(result, { error: ['QUOTA_EXCEEDED', 'a'], keys: ['b'], b: 0 })
})

test('what a batch finds is read in the transaction that writes, also right after a read', async (t) => {
  const page = await newTab(t)
  const modes = await page.evaluate(async () => {
    const store = await konserve.openStore({ name: 'one transaction' })
    await store.multiAssoc({ a: 1 })
    const { get } = IDBObjectStore.prototype
    const modes = []
    IDBObjectStore.prototype.get = function (...args) {
      modes.push(this.transaction.mode)
      return get.apply(this, args)
    }
    await store.get('a')
    await store.multiAssoc({ a: 2, b: 2 })
    await store.get('a')
    await store.multiDissoc(['a', 'b'])
    IDBObjectStore.prototype.get = get
    await store.close()
    return modes
  })
  assert.deepEqual(modes, ['readonly', 'readwrite', 'readwrite', 'readonly', 'readwrite', 'readwrite'])
})

test('batches of two tabs are atomic, and what was there is exact', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const tabs = [await newTab(t, context), await newTab(t, context)]
  await tabs[0].evaluate(async () => (await konserve.openStore({ name: 'atomic' })).close())
  const work = async (mine) => {
    const store = await konserve.connectStore({ name: 'atomic' })
    let torn = 0
    let first = 0
    for (let n = 0; n < 100; n++) {
      const was = await store.multiAssoc([['a', [mine, n]], ['b', [mine, n]], [`shared ${n}`, mine]]) // prettier-ignore
      if (!was.get(`shared ${n}`)) first++
      const found = await store.multiGet(['a', 'b'])
      if (JSON.stringify(found.get('a')) !== JSON.stringify(found.get('b'))) torn++
    }
    await store.close()
    return { torn, first }
  }
  const results = await Promise.all(tabs.map((tab, at) => tab.evaluate(work, at)))
  assert.deepEqual(results.map(({ torn }) => torn), [0, 0]) // prettier-ignore
  assert.equal(results[0].first + results[1].first, 100, 'each key was new to one of them')
})

test('changes of another tab, of a worker and of this store are told, each with its origin', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const [here, there] = [await newTab(t, context), await newTab(t, context)]
  await here.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'watched' })
    globalThis.changes = globalThis.store.changes()
    globalThis.events = []
    globalThis.store.addEventListener('change', ({ type, op, keys, origin }) =>
      globalThis.events.push([type, op, keys, origin]),
    )
  })
  await there.evaluate(async () => {
    const store = await konserve.connectStore({ name: 'watched' })
    const other = await konserve.openStore({ name: 'another database' })
    await other.assoc('unseen', 1)
    await store.assoc('k', { large: 'x'.repeat(100_000) })
    await store.updateIn(['k', 'n'], (n = 0) => n + 1)
    await store.multiDissoc(['k', 'none'])
    await store.append('log', 1)
    await store.sweep({ keep: [], before: Date.now() + 1000 })
    await other.copyTo(store)
    await Promise.all([other.close(), store.close()])
  })
  const fromTab = await here.evaluate(() => collect(globalThis.changes, 6))
  const remote = (op, ...keys) => ({ op, keys, origin: 'remote' })
  assert.deepEqual(fromTab, [
    remote('assoc', 'k'),
    remote('update-in', 'k'),
    remote('multi-dissoc', 'k'),
    remote('append', 'log'),
    remote('sweep', 'log'),
    remote('import', 'unseen'),
  ])
  const fromWorker = await here.evaluate(async () => {
    const worker = new Worker('/worker.mjs', { type: 'module' })
    worker.postMessage('watched')
    const seen = await collect(globalThis.changes, 2)
    worker.terminate()
    return seen
  })
  assert.deepEqual(fromWorker, [remote('assoc', ['from', 'worker']), remote('multi-assoc', 'w1', 'w2')])
  const local = await here.evaluate(async () => {
    const { store, changes, events } = globalThis
    await store.assoc('mine', 1)
    const seen = await collect(changes, 1)
    const end = changes.next()
    await store.close()
    return { seen, ended: (await end).done, events }
  })
  assert.deepEqual(local.seen, [{ op: 'assoc', keys: ['mine'], origin: 'local' }])
  assert.equal(local.ended, true)
  assert.deepEqual(
    local.events,
    [...fromTab, ...fromWorker, ...local.seen].map(({ op, keys, origin }) => ['change', op, keys, origin]),
  )
})

test('one message for all writes of a transaction; no channel before the first write, none after close', async (t) => {
  const context = await browser.newContext()
  t.after(() => context.close())
  const listening = await newTab(t, context)
  await listening.evaluate(async () => {
    globalThis.store = await konserve.openStore({ name: 'posted' })
    globalThis.changes = globalThis.store.changes()
    await globalThis.store.assoc('first', 1)
  })
  const page = await newTab(t, context)
  const result = await page.evaluate(async () => {
    const log = { opened: 0, closed: 0, messages: [] }
    globalThis.BroadcastChannel = class extends BroadcastChannel {
      constructor(name) {
        super(name)
        log.opened++
      }

      postMessage(message) {
        log.messages.push(new DataView(message.buffer).getUint32(1))
        super.postMessage(message)
      }

      close() {
        log.closed++
        super.close()
      }
    }
    const store = await konserve.openStore({ name: 'posted' })
    await store.multiGet(['k'])
    const idle = log.opened
    const begun = watchTransactions()
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.assoc(n, n)))
    await store.multiAssoc(Array.from({ length: 50 }, (_, n) => [n, n]))
    await store.dissoc('none')
    const unclosed = log.closed
    const last = store.assoc('last', 1)
    await store.close()
    await last
    return { idle, unclosed, begun: begun.length, ...log }
  })
  const messages = [50, 1, 1]
  assert.deepEqual(result, { idle: 0, unclosed: 0, begun: 4, opened: 1, closed: 1, messages })
})

test('nothing is posted while nobody listens, and who begins is told what was written since', async (t) => {
  const page = await newTab(t)
  const result = await page.evaluate(async () => {
    const messages = []
    globalThis.BroadcastChannel = class extends BroadcastChannel {
      constructor(name) {
        super(name)
        messages.name = name
      }

      postMessage(message) {
        messages.push(new DataView(message.buffer).getUint32(1))
        super.postMessage(message)
      }
    }
    const store = await konserve.openStore({ name: 'unheard' })
    await store.assoc('first', 1)
    await navigator.locks.query()
    for (let n = 0; n < 3; n++) await store.assoc('before', n)
    await new Promise((passed) => setTimeout(passed, 50))
    const since = Date.now()
    for (let n = 0; n < 2; n++) await store.assoc('after', n)
    const unheard = messages.splice(0)
    // What a listener says, that began then, and is heard only now.
    const listener = new (Object.getPrototypeOf(BroadcastChannel))(messages.name)
    const heard = new Promise((hear) => (listener.onmessage = ({ data }) => hear(data.length)))
    listener.postMessage({ since })
    await heard
    await store.assoc('then', 1)
    listener.close()
    await store.close()
    return { unheard, messages: [...messages] }
  })
  assert.deepEqual(result, { unheard: [1], messages: [2, 1] })
})

test('telling others costs little', async (t) => {
  const page = await newTab(t)
  const result = await page.evaluate(async () => {
    const telling = await konserve.openStore({ name: 'telling' })
    await telling.assoc('first', 1)
    delete globalThis.BroadcastChannel
    const silent = await konserve.openStore({ name: 'silent' })
    const time = async (store) => {
      const start = performance.now()
      await Promise.all(Array.from({ length: 2000 }, (_, n) => store.assoc(`key ${n}`, { n })))
      return performance.now() - start
    }
    const rounds = []
    for (let round = 0; round < 10; round++) rounds.push([await time(telling), await time(silent)])
    await Promise.all([telling.close(), silent.close()])
    const best = (at) => Math.min(...rounds.map((times) => times[at]))
    return { telling: best(0), silent: best(1) }
  })
  const { telling, silent } = result
  t.diagnostic(`2,000 writes at once: ${telling.toFixed(0)} ms, without telling ${silent.toFixed(0)} ms`)
  assert.ok(telling < silent * 1.5 + 20, JSON.stringify(result))
})
