// Tiered stores and caches in JavaScript: with promises and without, over memory, files and a backing of one's own.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-tiered-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const fresh = () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false })
const memory = { backend: 'memory' }
const tiered = (backendConfig, more) => ({ backend: 'tiered', frontendConfig: memory, backendConfig, ...more })

/** A backing that counts its reads and fails as it is told. */
class Spy {
  capability = { sync: true, atomicBatches: true }
  blobs = new Map()
  reads = 0
  writes = 0
  failing = false

  read(names) {
    this.reads += 1
    return names.map((name) => this.blobs.get(name))
  }

  write(writes) {
    if (this.failing) throw new Error('the spy fails')
    this.writes += 1
    for (const { name, blob } of writes) blob ? this.blobs.set(name, blob) : this.blobs.delete(name)
  }

  names(after, limit) {
    return [...this.blobs.keys()]
      .filter((name) => name > after)
      .sort()
      .slice(0, limit)
  }
}

async function codeOf(call) {
  try {
    await call()
    return 'no error'
  } catch (error) {
    assert.ok(error instanceof promised.KonserveError, String(error?.stack ?? error))
    assert.ok(error.message.length > 10)
    return error.code
  }
}

const POLICIES = ['write-through', 'write-behind', 'write-around', 'frontend-only']

for (const [view, konserve] of [
  ['konserve', promised],
  ['konserve/sync', sync],
]) {
  describe(view, () => {
    for (const writePolicy of POLICIES) {
      test(`every verb works with ${writePolicy}`, async () => {
        const back = fresh()
        const store = await konserve.createStore(tiered(back, { writePolicy }))
        await store.assoc('user', { name: 'Ada' })
        await store.assocIn(['user', 'age'], 36)
        assert.deepEqual(await store.updateIn(['user', 'age'], (age) => age + 1), [36, 37])
        await store.multiAssoc({ a: 1, b: 2 })
        assert.equal(await store.dissoc('a'), true)
        assert.equal(await store.dissoc('a'), false)
        for (const n of [1, 2, 3]) await store.append('log', n)
        await store.bassoc('binary', Uint8Array.of(1, 2, 3))
        for (let round = 0; round < 2; round++) {
          assert.deepEqual(await store.get('user'), { name: 'Ada', age: 37 })
          assert.deepEqual([...(await store.multiGet(['a', 'b']))], [['b', 2]])
          assert.deepEqual(await store.log('log'), [1, 2, 3])
          assert.deepEqual(await store.bget('binary'), Uint8Array.of(1, 2, 3))
          assert.equal((await store.keys().toArray()).length, 4)
        }
        await store.flush()
        await store.close()
        assert.equal(await konserve.storeExists(back), writePolicy !== 'frontend-only')
        if (writePolicy !== 'frontend-only') {
          const again = await konserve.connectStore(back)
          assert.deepEqual(await again.get('user'), { name: 'Ada', age: 37 })
          await again.close()
        }
        await konserve.deleteStore(tiered(back, { writePolicy }))
        assert.equal(await konserve.storeExists(back), false)
      })
    }

    test('what was read or written is read without the back', async () => {
      for (const config of [(backend) => tiered({ backend }), (backend) => ({ backend, cache: true })]) {
        const spy = new Spy()
        const store = await konserve.openStore(config(spy))
        await store.assoc('k', 1)
        const before = spy.reads
        for (let n = 0; n < 10; n++) assert.equal(await store.get('k'), 1)
        assert.equal(spy.reads, before)
        await store.close()
      }
    })

    test('a cache holds no more than it may', async () => {
      const spy = new Spy()
      const store = await konserve.openStore({ backend: spy, cache: { entries: 2, bytes: 5000 } })
      const missed = async (key) => {
        const before = spy.reads
        await store.get(key)
        return spy.reads - before
      }
      for (const key of ['a', 'b', 'c']) await store.assoc(key, key)
      assert.deepEqual([await missed('b'), await missed('c'), await missed('a')], [0, 0, 1])
      await store.assoc('large', 'x'.repeat(9000))
      assert.deepEqual([await missed('large'), await missed('large')], [1, 1])
      await store.close()
    })

    test('errors of writes behind reach flush and onError, and nothing is lost', async () => {
      const [spy, told] = [new Spy(), []]
      const onError = (error) => told.push(error.code)
      const store = await konserve.openStore(tiered({ backend: spy }, { writePolicy: 'write-behind', onError }))
      spy.failing = true
      await store.assoc('k', 1)
      assert.equal(await codeOf(() => store.flush()), 'BACKEND')
      assert.ok(told.includes('BACKEND'))
      assert.equal(await store.get('k'), 1)
      spy.failing = false
      await store.flush()
      await store.close()
      const back = await konserve.connectStore({ backend: spy })
      assert.equal(await back.get('k'), 1)
    })

    test('a full queue tells the writer that the back fails', async () => {
      const spy = new Spy()
      const config = tiered({ backend: spy }, { writePolicy: 'write-behind', queue: { entries: 2 } })
      const store = await konserve.openStore(config)
      spy.failing = true
      for (const key of ['a', 'b']) await store.assoc(key, 1)
      assert.equal(await codeOf(() => store.assoc('c', 1)), 'BACKEND')
      assert.equal(await store.exists('c'), false)
      assert.equal(await codeOf(() => store.close()), 'BACKEND')
    })

    test('open stores are tiers that stay open', async () => {
      const id = '0b9ed8f6-1ef1-4a9c-8b1e-6f0b6a4a3c11'
      const [front, back] = [new Spy(), new Spy()]
      const tiers = [await konserve.openStore({ backend: front, id }), await konserve.openStore({ backend: back, id })]
      const [frontendConfig, backendConfig] = tiers
      const store = await konserve.openStore({ backend: 'tiered', frontendConfig, backendConfig })
      await store.assoc('k', 1)
      await store.close()
      await konserve.deleteStore({ backend: 'tiered', frontendConfig, backendConfig })
      for (const tier of tiers) {
        assert.equal(await tier.get('k'), 1)
        await tier.close()
      }
      const other = await konserve.openStore({ backend: 'memory' })
      const same = { backend: 'tiered', frontendConfig: other, backendConfig: { backend: back } }
      assert.equal(await codeOf(() => konserve.openStore(same)), 'INVALID_CONFIG')
    })

    test('the front is filled when the store is opened', async () => {
      const spy = new Spy()
      const back = await konserve.openStore({ backend: spy })
      for (let n = 0; n < 200; n++) await back.assoc(n, { next: [n + 1, n + 2].filter((m) => m < 150) })
      await back.close()
      for (const sync of ['populate-missing', 'full']) {
        const store = await konserve.connectStore(tiered({ backend: spy }, { sync, readPolicy: 'frontend-only' }))
        assert.equal((await store.keys().toArray()).length, 200)
        await store.close()
      }
      const met = []
      const walk = ({ next }, key) => {
        met.push(key)
        return next
      }
      const config = tiered({ backend: spy }, { sync: { roots: [0], walk }, readPolicy: 'frontend-only' })
      const store = await konserve.connectStore(config)
      assert.deepEqual(met, [...Array(150).keys()])
      assert.equal(await store.exists(149), true)
      assert.equal(await store.exists(150), false)
      await store.close()
      const failing = { roots: [0], walk: () => 7 }
      assert.equal(
        await codeOf(() => konserve.connectStore(tiered({ backend: spy }, { sync: failing }))),
        'INVALID_VALUE',
      )
      await (await konserve.connectStore({ backend: spy })).close()
    })

    test('what is wrong with a config is said', async () => {
      const wrong = [
        { backend: 'tiered' },
        { backend: 'tiered', frontendConfig: memory },
        tiered(7),
        tiered({ backend: 'nothing' }),
        tiered({ ...memory, wasm: 'x' }),
        tiered({ ...memory, compressor: 'lz4' }),
        tiered(memory, { path: 'x' }),
        tiered(memory, { writePolicy: 'write-twice' }),
        tiered(memory, { readPolicy: 'never' }),
        tiered(memory, { sync: 'sometimes' }),
        tiered(memory, { sync: { roots: [1] } }),
        tiered(memory, { queue: { entries: 0 } }),
        tiered(memory, { queue: 5 }),
        tiered(memory, { onError: 'x' }),
        { ...memory, writePolicy: 'write-through' },
        { ...memory, cache: 5 },
        { ...memory, cache: { entries: -1 } },
        { ...memory, cache: { size: 1 } },
        { ...fresh(), access: 'shared', cache: true },
      ]
      for (const config of wrong) {
        assert.equal(await codeOf(() => konserve.openStore(config)), 'INVALID_CONFIG', JSON.stringify(config))
      }
    })

    test('flush has nothing to do elsewhere, and is refused after close', async () => {
      const store = await konserve.openStore(memory)
      assert.equal(await store.flush(), undefined)
      await store.close()
      assert.equal(await codeOf(() => store.flush()), 'CLOSED')
    })
  })
}
