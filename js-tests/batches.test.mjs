// Several keys together, in every view and on every backend of Node.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'
import { run } from './helpers/process.mjs'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-batches-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const views = [
  ['konserve', promised],
  ['konserve/sync', sync],
]
const backends = [
  ['memory', () => ({ backend: 'memory', id: `batches-${(made += 1)}` })],
  ['files', () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false })],
  ['shared files', () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false, access: 'shared' })],
]

async function errorOf(call) {
  try {
    await call()
  } catch (error) {
    assert.ok(error instanceof promised.KonserveError, String(error?.stack ?? error))
    return error
  }
  return assert.fail('it succeeded')
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

      test('multiAssoc takes a Map, an object or pairs, and says what was there', () =>
        opened(async (store) => {
          await store.assoc('b', 0)
          assert.deepEqual(
            await store.multiAssoc({ a: 1, b: 2 }),
            new Map([
              ['a', false],
              ['b', true],
            ]),
          )
          const composite = ['users', 7]
          const answer = await store.multiAssoc(new Map([[composite, { name: 'Ada' }]]))
          assert.deepEqual([...answer], [[composite, false]])
          assert.equal(answer.get(composite), false, 'its keys are those that were given')
          assert.deepEqual(await store.get(['users', 7]), { name: 'Ada' })
          await store.multiAssoc([
            ['c', undefined],
            ['d', null],
          ])
          assert.strictEqual(await store.get('d', 'nothing'), null)
          assert.deepEqual(await store.multiAssoc([]), new Map())
        }))

      test('multiGet gives those found, in the order asked, by the keys given', () =>
        opened(async (store) => {
          const composite = ['x', 1n]
          await store.multiAssoc([
            ['a', 1],
            ['b', undefined],
            [composite, { deep: [new Date(5)] }],
          ])
          const found = await store.multiGet([composite, 'none', 'b', 'a'])
          assert.deepEqual(
            [...found],
            [
              [composite, { deep: [new Date(5)] }],
              ['b', undefined],
              ['a', 1],
            ],
          )
          assert.deepEqual(await store.multiGet(new Set(['a'])), new Map([['a', 1]]))
          assert.deepEqual(await store.multiGet([]), new Map())
        }))

      test('multiDissoc says for each whether it was there', () =>
        opened(async (store) => {
          await store.multiAssoc({ a: 1, b: 2, c: 3 })
          const gone = await store.multiDissoc(['b', 'none', 'a'])
          assert.deepEqual(
            [...gone],
            [
              ['b', true],
              ['none', false],
              ['a', true],
            ],
          )
          assert.deepEqual(
            (await store.keys().toArray()).map(({ key }) => key),
            ['c'],
          )
        }))

      test('of a key that comes twice the last value counts', () =>
        opened(async (store) => {
          await store.multiAssoc([
            ['a', 1],
            [['k'], 1],
            ['a', 2, { meta: { by: 'eve' } }],
            [['k'], 2],
          ])
          assert.deepEqual([await store.get('a'), await store.get(['k'])], [2, 2])
          assert.equal((await store.getMeta('a')).by, 'eve')
        }))

      test('meta and expires hold for all, and those of an entry for it', () =>
        opened(async (store) => {
          const later = new Date(Date.now() + 60_000)
          const entries = [
            ['a', 1],
            ['b', 2, { meta: { by: 'eve' }, expires: later }],
            ['gone', 3, { expires: 1 }],
          ]
          await store.multiAssoc(entries, { meta: { by: 'ada', n: 1 } })
          const [a, b] = [await store.getMeta('a'), await store.getMeta('b')]
          assert.deepEqual([a.by, a.n, a.expires], ['ada', 1, undefined])
          assert.deepEqual([b.by, b.n, b.expires], ['eve', 1, later])
          assert.deepEqual([...(await store.multiGet(['a', 'gone', 'b'])).keys()], ['a', 'b'])
          assert.equal((await store.multiDissoc(['gone'])).get('gone'), false)
        }))

      test('an entry that cannot be stored leaves nothing behind, and the error names its key', () =>
        opened(async (store) => {
          const bad = [
            [['bad', () => 1], 'INVALID_VALUE', 'bad'],
            [['bad', 1, { meta: { key: 1 } }], 'INVALID_VALUE', 'bad'],
            [['bad', 1, { meta: 5 }], 'INVALID_VALUE', 'bad'],
            [['bad', 1, { expires: -5 }], 'INVALID_VALUE', 'bad'],
            [['x'.repeat(70_000), 1], 'INVALID_KEY', 'x'.repeat(70_000)],
            [[undefined, 1], 'INVALID_KEY', undefined],
            [[() => 1, 1], 'INVALID_KEY', undefined],
            [['bad'], 'INVALID_VALUE', undefined],
            [['bad', 1, { expire: 5 }], 'INVALID_CONFIG', undefined],
          ]
          for (const [entry, code, key] of bad) {
            const error = await errorOf(() => store.multiAssoc([['a', 1], ['b', 2], entry, ['c', 3]]))
            assert.deepEqual([error.code, error.key], [code, key], error.message)
          }
          const unknown = await errorOf(() => store.multiAssoc({}, { expire: 5 }))
          assert.equal(unknown.code, 'INVALID_CONFIG')
          for (const batch of [undefined, null, 5, 'text', new Date()]) {
            assert.equal((await errorOf(() => store.multiAssoc(batch))).code, 'INVALID_VALUE')
          }
          for (const keys of [undefined, 'text', 5, [undefined], ['a', () => 1]]) {
            assert.equal((await errorOf(() => store.multiGet(keys))).code, 'INVALID_KEY')
            assert.equal((await errorOf(() => store.multiDissoc(keys))).code, 'INVALID_KEY')
          }
          assert.deepEqual(await store.keys().toArray(), [])
        }))

      test('10,000 values: put, read and removed together', { timeout: 120_000 }, async (t) => {
        const place = config()
        const store = await konserve.openStore(place)
        const entries = Array.from({ length: 10_000 }, (_, n) => [['key', n], { n, text: `value ${n}` }])
        const keys = entries.map(([key]) => key)
        const time = async (what, act) => {
          const start = performance.now()
          const done = await act()
          t.diagnostic(`${what}: ${Math.round(performance.now() - start)} ms`)
          return done
        }
        const put = await time('put', () => store.multiAssoc(entries))
        assert.ok(put.size === 10_000 && [...put.values()].every((was) => was === false))
        assert.deepEqual([...(await time('read', () => store.multiGet(keys)))], entries)
        const gone = await time('removed', () => store.multiDissoc(keys))
        assert.ok(gone.size === 10_000 && [...gone.values()].every((was) => was === true))
        assert.deepEqual(await store.keys().toArray(), [])
        await store.close()
        if (place.path) {
          assert.deepEqual(
            (await readdir(place.path)).filter((file) => file !== 'konserve.store'),
            [],
          )
        }
      })

      test('after close every method is CLOSED', async () => {
        const store = await konserve.openStore(config())
        await store.close()
        const calls = [
          () => store.multiGet([]),
          () => store.multiAssoc({ a: 1 }),
          () => store.multiDissoc(['a']),
          () => store.addWriteHook('id', () => {}),
        ]
        for (const call of calls) assert.equal((await errorOf(call)).code, 'CLOSED', String(call))
        store.removeWriteHook('id')
      })
    })
  }
}

test('a batch writes its files side by side, and no more than 64 at a time', async () => {
  // In a process of its own, where it looks before the package does.
  const program = `
    import fs from 'node:fs'
    const { fsync } = fs
    let [now, most] = [0, 0]
    fs.fsync = (file, done) => {
      most = Math.max(most, (now += 1))
      fsync(file, (...answer) => {
        now -= 1
        done(...answer)
      })
    }
    const { openStore } = await import('konserve')
    const store = await openStore({ path: ${JSON.stringify(join(folder, 'side by side'))} })
    await store.multiAssoc(Array.from({ length: 500 }, (_, n) => [n, n]))
    const { length } = await store.keys().toArray()
    await store.close()
    console.log(JSON.stringify({ most, length }))`
  const options = { cwd: import.meta.dirname }
  const { most, length } = JSON.parse(await run(process.execPath, ['--input-type=module', '-e', program], options))
  assert.equal(length, 500)
  assert.ok(most > 1 && most <= 64, `${most} at a time`)
})
