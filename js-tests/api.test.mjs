// Every function and method of the package: with promises and without, in memory and in a folder.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-api-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const views = [
  ['konserve', promised],
  ['konserve/sync', sync],
]
const backends = [
  ['memory', () => ({ backend: 'memory', id: `api-${(made += 1)}` })],
  ['file', () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false })],
]

/** The code of what a call throws or rejects with. */
async function codeOf(call) {
  try {
    await call()
    return 'no error'
  } catch (error) {
    assert.ok(error instanceof promised.KonserveError, String(error?.stack ?? error))
    return error.code
  }
}

for (const [view, konserve] of views) {
  for (const [backend, config] of backends) {
    describe(`${view}, ${backend}`, () => {
      const opened = async (use) => {
        const store = await konserve.openStore(config())
        try {
          await use(store)
        } finally {
          await store.close()
        }
      }

      test('a store is created once, connected to, found, and deleted', async () => {
        const place = config()
        assert.equal(await konserve.storeExists(place), false)
        assert.equal(await codeOf(() => konserve.connectStore(place)), 'STORE_NOT_FOUND')
        assert.equal(await konserve.storeExists(place), false, 'looking makes nothing')
        const store = await konserve.createStore(place)
        await store.assoc('a', 1)
        await store.close()
        assert.equal(await konserve.storeExists(place), true)
        assert.equal(await codeOf(() => konserve.createStore(place)), 'STORE_EXISTS')
        const again = await konserve.connectStore(place)
        assert.equal(await again.get('a'), 1)
        await again.close()
        assert.equal(await konserve.deleteStore(place), undefined)
        assert.equal(await konserve.storeExists(place), false)
        assert.equal(await konserve.deleteStore(place), undefined, 'deleting nothing succeeds')
      })

      test('openStore creates, and then connects', async () => {
        const place = config()
        const store = await konserve.openStore(place)
        await store.assoc('a', 1)
        await store.close()
        const again = await konserve.openStore(place)
        assert.equal(await again.get('a'), 1)
        await again.close()
      })

      test('get: the value, or notFound only if there is none', () =>
        opened(async (store) => {
          assert.equal(await store.get('none'), undefined)
          assert.equal(await store.get('none', 'nothing'), 'nothing')
          for (const value of [undefined, null, false, 0, '']) {
            await store.assoc('k', value)
            assert.strictEqual(await store.get('k', 'nothing'), value)
          }
        }))

      test('getIn: through objects, arrays and Maps; notFound wherever the path ends early', () =>
        opened(async (store) => {
          await store.assoc('k', { list: [{ a: 1 }], map: new Map([[1, { b: undefined }]]), n: null })
          assert.deepEqual(await store.getIn(['k', 'list', 0]), { a: 1 })
          assert.equal(await store.getIn(['k', 'list', 0, 'a']), 1)
          assert.strictEqual(await store.getIn(['k', 'map', 1, 'b'], 'nothing'), undefined)
          assert.strictEqual(await store.getIn(['k', 'n'], 'nothing'), null)
          for (const path of [
            ['x'],
            ['x', 'y'],
            ['k', 'x'],
            ['k', 'list', 1],
            ['k', 'list', 0, 'a', 'b'],
            ['k', 'n', 'x'],
          ]) {
            assert.equal(await store.getIn(path, 'nothing'), 'nothing', path.join())
            assert.equal(await store.getIn(path), undefined)
          }
        }))

      test('exists and dissoc: whether it was there', () =>
        opened(async (store) => {
          assert.strictEqual(await store.exists('k'), false)
          assert.strictEqual(await store.dissoc('k'), false)
          await store.assoc('k', undefined)
          assert.strictEqual(await store.exists('k'), true)
          assert.strictEqual(await store.dissoc('k'), true)
          assert.strictEqual(await store.exists('k'), false)
        }))

      test('getMeta: what is known of a key, one’s own entries included', () =>
        opened(async (store) => {
          assert.equal(await store.getMeta('k'), undefined)
          const start = Date.now()
          assert.equal(await store.assoc('k', 'value', { meta: { by: 'Ada', list: [1n] } }), undefined)
          const { lastWrite, digest, ...rest } = await store.getMeta('k')
          assert.deepEqual(rest, { key: 'k', type: 'edn', size: 6, by: 'Ada', list: [1n] })
          assert.ok(lastWrite instanceof Date && Number(lastWrite) >= start && Number(lastWrite) <= Date.now())
          assert.ok(digest instanceof Uint8Array && digest.length === 32)
        }))

      test('expires: a date or milliseconds; afterwards it is absent', () =>
        opened(async (store) => {
          const later = new Date(Date.now() + 60_000)
          await store.assoc('k', 1, { expires: later })
          assert.deepEqual((await store.getMeta('k')).expires, later)
          assert.equal(await store.get('k'), 1)
          await store.assoc('k', 1, { expires: Date.now() - 1 })
          assert.equal(await store.get('k', 'gone'), 'gone')
          assert.equal(await store.exists('k'), false)
          assert.deepEqual(await (await store.keys()).toArray(), [])
        }))

      test('assocIn: missing levels become objects, arrays grow by one, Maps are entered by their keys', () =>
        opened(async (store) => {
          assert.equal(await store.assocIn(['k', 'a', 'b'], 1), undefined)
          assert.deepEqual(await store.get('k'), { a: { b: 1 } })
          await store.assocIn(['k', 'list'], ['x'])
          await store.assocIn(['k', 'list', 0], 'y')
          await store.assocIn(['k', 'list', 1], 'z')
          await store.assocIn(['k', 'map'], new Map([[1, 'a']]))
          await store.assocIn(['k', 'map', 1], 'b')
          await store.assocIn(['k', 'map', 2n], 'c')
          const map = new Map([[1, 'b'], [2n, 'c']]) // prettier-ignore
          assert.deepStrictEqual(await store.get('k'), { a: { b: 1 }, list: ['y', 'z'], map })
          await store.assocIn(['k'], 'whole')
          assert.equal(await store.get('k'), 'whole')
        }))

      test('update and updateIn: old and new', () =>
        opened(async (store) => {
          assert.deepEqual(await store.update('n', (n = 0) => n + 1), [undefined, 1])
          assert.deepEqual(await store.update('n', (n) => n + 1), [1, 2])
          assert.deepEqual(await store.updateIn(['k', 'a', 'n'], (n) => (n ?? 5) + 1), [undefined, 6])
          assert.deepEqual(await store.updateIn(['k', 'a'], ({ n }) => ({ n, m: 1 })), [{ n: 6 }, { n: 6, m: 1 }])
          assert.deepEqual(await store.get('k'), { a: { n: 6, m: 1 } })
          await store.update('n', (n) => n, { meta: { by: 'Ada' } })
          assert.equal((await store.getMeta('n')).by, 'Ada')
        }))

      test('update: what the function does to its values does not show in the result', () =>
        opened(async (store) => {
          await store.assoc('k', { list: [1] })
          const [old, now] = await store.update('k', (value) => {
            value.list.push(2)
            return value
          })
          assert.deepEqual([old, now], [{ list: [1] }, { list: [1, 2] }])
        }))

      test('update: an error of the function comes back as it was thrown, and nothing is written', () =>
        opened(async (store) => {
          await store.assoc('k', 1)
          for (const thrown of [new Error('mine'), 'text', undefined]) {
            const caught = await (async () => store.update('k', () => { throw thrown }))().then(() => 'no error', (error) => ({ error })) // prettier-ignore
            assert.deepEqual(Object.keys(caught), ['error'])
            assert.strictEqual(caught.error, thrown)
          }
          assert.equal(await store.get('k'), 1)
          assert.deepEqual(await store.update('k', (n) => n + 1), [1, 2], 'the key is free again')
        }))

      test('dissocIn: whether it was there', () =>
        opened(async (store) => {
          await store.assoc('k', { a: { b: 1, c: 2 }, map: new Map([[1, 2]]) })
          assert.strictEqual(await store.dissocIn(['k', 'a', 'b']), true)
          assert.strictEqual(await store.dissocIn(['k', 'a', 'b']), false)
          assert.strictEqual(await store.dissocIn(['k', 'map', 1]), true)
          assert.deepStrictEqual(await store.get('k'), { a: { c: 2 }, map: new Map() })
          assert.strictEqual(await store.dissocIn(['none', 'a']), false)
          assert.strictEqual(await store.dissocIn(['k']), true)
          assert.strictEqual(await store.exists('k'), false)
        }))

      test('keys and entries: all of them, in pages, with type and prefix', () =>
        opened(async (store) => {
          const expected = new Map()
          for (let at = 0; at < 300; at++) {
            expected.set(`key-${at}`, { at })
            await store.assoc(`key-${at}`, { at })
          }
          await store.assoc(['list', 'a'], 1)
          await store.assoc(['list', 'b'], 2)
          await store.assoc(['other', 'c'], 3)
          const keys = await store.keys().toArray()
          assert.equal(keys.length, 303)
          assert.ok(keys.every((meta) => meta.lastWrite instanceof Date && meta.size > 0 && meta.type === 'edn'))
          const found = new Map()
          for await (const [key, value] of store.entries()) if (typeof key === 'string') found.set(key, value)
          assert.deepEqual(new Map([...found].sort()), new Map([...expected].sort()))
          const begin = async (prefix) => (await store.keys({ prefix }).toArray()).map(({ key }) => key)
          assert.deepEqual((await begin('key-29')).sort(), [
            'key-29',
            ...Array.from({ length: 10 }, (_, n) => `key-29${n}`),
          ])
          assert.deepEqual((await begin(['list'])).sort(), [['list', 'a'], ['list', 'b']]) // prettier-ignore
          assert.equal((await store.keys({ type: 'edn' }).toArray()).length, 303)
          assert.equal((await store.keys({ type: 'binary' }).toArray()).length, 0)
          const entries = await store.entries({ prefix: ['other'] }).toArray()
          assert.deepEqual(entries, [[['other', 'c'], 3]])
        }))

      test('a listing may be left early, and taken again', () =>
        opened(async (store) => {
          for (let at = 0; at < 200; at++) await store.assoc(at, at)
          const listing = store.keys()
          for (let round = 0; round < 3; round++) {
            let seen = 0
            for await (const meta of listing) if ((seen += meta ? 1 : 0) === 5) break
            assert.equal(seen, 5)
          }
          assert.equal((await listing.toArray()).length, 200)
        }))

      test('after close every method is CLOSED', async () => {
        const place = config()
        const store = await konserve.openStore(place)
        await store.assoc('k', 1)
        assert.equal(await store.close(), undefined)
        const calls = [
          () => store.get('k'),
          () => store.getIn(['k']),
          () => store.exists('k'),
          () => store.getMeta('k'),
          () => store.assoc('k', 1),
          () => store.assocIn(['k'], 1),
          () => store.update('k', () => 1),
          () => store.updateIn(['k'], () => 1),
          () => store.dissoc('k'),
          () => store.dissocIn(['k', 'a']),
          () => store.keys().toArray(),
          () => store.entries().toArray(),
        ]
        for (const call of calls) assert.equal(await codeOf(call), 'CLOSED', String(call))
        const again = await konserve.connectStore(place)
        assert.equal(await again.get('k'), 1)
        await again.close()
      })

      test('disposing of it closes it', async () => {
        const store = await konserve.openStore(config())
        const name = konserve === sync ? 'dispose' : 'asyncDispose'
        await store[Symbol[name] ?? Symbol.for(`Symbol.${name}`)]()
        assert.equal(await codeOf(() => store.get('k')), 'CLOSED')
      })

      test('errors say the key', () =>
        opened(async (store) => {
          await store.assoc(['a', 1n], 5)
          const error = await (async () => store.assocIn([['a', 1n], 'x'], 1))().catch((error) => error)
          assert.equal(error.code, 'INVALID_PATH')
          assert.deepStrictEqual(error.key, ['a', 1n])
          assert.deepEqual([error.name, error instanceof Error], ['KonserveError', true])
        }))
    })
  }
}

describe('promises', () => {
  for (const [backend, config] of backends) {
    test(`${backend}: ten thousand increments at once lose none`, async () => {
      const store = await promised.openStore(config())
      const rounds = backend === 'file' ? 1000 : 10_000
      await Promise.all(Array.from({ length: rounds }, () => store.updateIn(['n'], (n = 0) => n + 1)))
      assert.equal(await store.get('n'), rounds)
      await store.close()
    })

    test(`${backend}: an asynchronous update is as safe`, async () => {
      const store = await promised.openStore(config())
      const slow = async (n = 0) => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        return n + 1
      }
      await Promise.all(Array.from({ length: 20 }, () => store.updateIn(['n', 'deep'], slow)))
      assert.equal(await store.getIn(['n', 'deep']), 20)
      const [old, now] = await store.update('n', async (value) => {
        value.deep += 1
        return value
      })
      assert.deepEqual([old, now], [{ deep: 20 }, { deep: 21 }])
      await assert.rejects(
        store.update('n', () => Promise.reject(new RangeError('mine'))),
        RangeError,
      )
      assert.deepEqual(await store.get('n'), { deep: 21 })
      await store.close()
    })
  }

  test('what a method throws, it rejects with', async () => {
    const store = await promised.openStore({ backend: 'memory' })
    for (const call of [
      () => store.get(),
      () => store.getIn('x'),
      () => store.assoc('k', () => 1),
      () => store.update('k'),
    ]) {
      const promise = call()
      assert.ok(promise instanceof Promise)
      await assert.rejects(promise, { name: 'KonserveError' })
    }
    const promise = promised.openStore()
    assert.ok(promise instanceof Promise)
    await assert.rejects(promise, { code: 'INVALID_CONFIG' })
    await store.close()
  })

  test('a function given to update may call the store', async () => {
    const store = await promised.openStore({ backend: 'memory' })
    await store.assoc('other', 5)
    const [, now] = await store.update('k', async () => (await store.get('other')) + 1)
    assert.equal(now, 6)
    await store.close()
  })
})

describe('without promises', () => {
  test('a promise is no value for an update', () => {
    const store = sync.openStore({ backend: 'memory' })
    store.assoc('k', 1)
    assert.throws(() => store.update('k', async () => 2), {
      code: 'INVALID_VALUE',
      message: /is a Promise: await it first/,
    })
    assert.equal(store.get('k'), 1)
    store.close()
  })

  test('ready is there too, and does no harm', async () => {
    await sync.ready()
    sync.openStore({ backend: 'memory' }).close()
  })

  test('both views see one store in memory', async () => {
    const config = { backend: 'memory', id: 'shared between views' }
    const store = await promised.createStore(config)
    await store.assoc('k', 1)
    const same = sync.connectStore(config)
    assert.deepEqual(
      same.update('k', (n) => n + 1),
      [1, 2],
    )
    assert.equal(await store.get('k'), 2)
    same.close()
    await store.close()
  })
})

test('import and require give the same', async () => {
  const required = createRequire(import.meta.url)('konserve')
  for (const name of Object.keys(promised)) if (name !== 'default') assert.equal(promised[name], required[name], name)
  assert.equal(createRequire(import.meta.url)('konserve/sync').KonserveError, promised.KonserveError)
  for (const name of Object.keys(sync)) assert.equal(typeof sync[name], 'function', name)
})
