// Tiers and caches over IndexedDB in Chromium: copies are read without a transaction, and what another tab writes is not
// read old.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, serve, visit } from './helpers/browser.mjs'

/* global konserve, store, transactions, until */

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const answers = {
  '/': { headers: { 'content-type': 'text/html' }, body: '<!doctype html><link rel="icon" href="data:,">' },
}

let browser, server
before(async () => {
  browser = await launch()
  server = await serve((path) => answers[path], folder)
})
after(() => Promise.all([browser?.close(), server?.close()]))

async function tools() {
  globalThis.konserve = await import('/index.js')
  /** How many transactions `act` begins. */
  globalThis.transactions = async (act) => {
    const { transaction } = IDBDatabase.prototype
    let begun = 0
    IDBDatabase.prototype.transaction = function (...args) {
      begun += 1
      return transaction.apply(this, args)
    }
    await act()
    IDBDatabase.prototype.transaction = transaction
    return begun
  }
  /** Waits until a function of the store gives something true. */
  globalThis.until = async (what, test) => {
    for (let n = 0; n < 200; n++) {
      if (await test()) return
      await new Promise((next) => setTimeout(next, 10))
    }
    throw new Error(`waited too long until ${what}`)
  }
}

/** Two tabs of one browser. */
async function tabs(t) {
  const context = await browser.newContext()
  t.after(() => context.close())
  const open = async () => {
    const { page, problems } = await visit(context, server.url)
    t.after(() => assert.deepEqual(problems, []))
    await page.evaluate(tools)
    return page
  }
  return [await open(), await open()]
}

const CONFIGS = {
  'a cache': "({ name: 'shared', cache: true })",
  'memory over IndexedDB':
    "({ backend: 'tiered', frontendConfig: { backend: 'memory' }, backendConfig: { name: 'shared' } })",
}

for (const [what, config] of Object.entries(CONFIGS)) {
  test(`${what} answers without a transaction, and gives what another tab wrote`, async (t) => {
    const [here, there] = await tabs(t)
    await here.evaluate(async (config) => {
      globalThis.store = await konserve.openStore(eval(config))
      await store.multiAssoc({ a: 1, b: 1, c: 1, user: { name: 'Ada' } })
      globalThis.told = []
      // Whoever is told of a change reads what was written.
      store.addEventListener('change', async ({ keys: [key], origin }) => {
        if (origin === 'remote') globalThis.told.push([key, await store.get(key)])
      })
    }, config)
    const begun = await here.evaluate(() =>
      transactions(async () => {
        for (let n = 0; n < 50; n++) await store.getIn(['user', 'name'])
        await store.multiGet(['a', 'b', 'c'])
      }),
    )
    assert.equal(begun, 0)

    // The other tab has no cache, and the lean module.
    await there.evaluate(async () => {
      globalThis.store = await konserve.openStore({ name: 'shared' })
      await store.assoc('a', 2)
      await store.update('b', (n) => n + 1)
      await store.dissoc('c')
      await store.assocIn(['user', 'name'], 'Grace')
    })
    const seen = await here.evaluate(async () => {
      await until('the last write is told', () => globalThis.told.length === 4)
      return { told: globalThis.told, all: [...(await store.multiGet(['a', 'b', 'c', 'user']))] }
    })
    assert.deepEqual(seen.told.slice(0, 3), [
      ['a', 2],
      ['b', 2],
      ['c', undefined],
    ])
    assert.deepEqual(seen.all, [
      ['a', 2],
      ['b', 2],
      ['user', { name: 'Grace' }],
    ])

    // What both write at once is never lost, whatever the copies were.
    const count = async () => {
      for (let n = 0; n < 50; n++) await store.update('a', (n) => n + 1)
    }
    await Promise.all([here.evaluate(count), there.evaluate(count)])
    const both = () => until('it is counted', async () => (await store.get('a')) === 102)
    await Promise.all([here.evaluate(both), there.evaluate(both)])
    await here.evaluate(() => store.close())
    await there.evaluate(() => store.close())
  })
}

test('an open store of the lean module can be a tier, and hears of what the tiers write', async (t) => {
  const [page] = await tabs(t)
  const seen = await page.evaluate(async () => {
    const back = await konserve.openStore({ name: 'lent' })
    await back.assoc('k', 1)
    const changes = back.changes()
    const store = await konserve.openStore({
      backend: 'tiered',
      frontendConfig: { backend: 'memory' },
      backendConfig: back,
    })
    const before = await store.get('k')
    await store.assoc('k', 2)
    const change = (await changes.next()).value
    const after = await back.get('k')
    await store.close()
    await back.close()
    return [before, after, change.keys, change.origin]
  })
  assert.deepEqual(seen, [1, 2, ['k'], 'remote'])
})

test('what is written behind is in IndexedDB after a flush', async (t) => {
  const [page, other] = await tabs(t)
  await page.evaluate(async () => {
    const store = await konserve.openStore({
      backend: 'tiered',
      frontendConfig: { backend: 'memory' },
      backendConfig: { name: 'behind' },
      writePolicy: 'write-behind',
    })
    for (let n = 0; n < 500; n++) await store.assoc(`key ${n}`, n)
    await store.dissoc('key 7')
    await store.flush()
    globalThis.store = store
  })
  const found = await other.evaluate(async () => {
    const store = await konserve.connectStore({ name: 'behind' })
    const all = await store.entries().toArray()
    await store.close()
    return all.length
  })
  assert.equal(found, 499)
  await page.evaluate(() => store.close())
})
