// Logs and garbage: with promises and without, in memory and in a folder.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-logs-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const views = [
  ['konserve', promised],
  ['konserve/sync', sync],
]
const backends = [
  ['memory', () => ({ backend: 'memory', id: `logs-${(made += 1)}` })],
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

/** Until what is written has another stamp than what was. */
async function tick() {
  const now = Date.now()
  while (Date.now() <= now + 1) await pause(1)
  return Date.now()
}

const numbers = (end) => Array.from({ length: end }, (_, n) => n)

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

      test('a log has what was appended, in order', () =>
        opened(async (store) => {
          assert.deepEqual(await store.log('log'), [])
          const elements = [{ a: 1 }, null, undefined, new Set([1]), 10n, ...numbers(200)]
          for (const element of elements) assert.equal(await store.append('log', element), undefined)
          assert.deepEqual(await store.log('log'), elements)
          assert.equal(await store.exists('log'), true)
          assert.equal((await store.getMeta('log')).type, 'append-log')
          assert.deepEqual(
            (await store.keys().toArray()).map(({ key }) => key),
            ['log'],
          )
          assert.equal(await store.dissoc('log'), true)
          assert.deepEqual(await store.log('log'), [])
        }))

      test('a log is reduced', () =>
        opened(async (store) => {
          assert.equal(await store.reduceLog('log', assert.fail, 'nothing'), 'nothing')
          for (const n of numbers(100)) await store.append('log', n)
          assert.equal(await store.reduceLog('log', (sum, n) => sum + n, 0), 4950)
          const error = new Error('mine')
          const failing = async () =>
            store.reduceLog(
              'log',
              () => {
                throw error
              },
              0,
            )
          await assert.rejects(failing, (thrown) => thrown === error)
          assert.equal(await codeOf(() => store.reduceLog('log', 'no function', 0)), 'INVALID_VALUE')
        }))

      test('metadata of an append is the log’s', () =>
        opened(async (store) => {
          await store.append('log', 1, { meta: { by: 'ada' } })
          await store.append('log', 2)
          assert.equal((await store.getMeta('log')).by, 'ada')
          await store.append('log', 3, { expires: Date.now() - 1 })
          assert.equal(await store.exists('log'), false)
          assert.deepEqual(await store.log('log'), [])
        }))

      test('what is no log, and what cannot be appended, has its code', () =>
        opened(async (store) => {
          await store.assoc('value', [1])
          assert.equal(await codeOf(() => store.append('value', 1)), 'NOT_A_LOG')
          assert.equal(await codeOf(() => store.log('value')), 'NOT_A_LOG')
          assert.equal(await codeOf(() => store.reduceLog('value', assert.fail, 0)), 'NOT_A_LOG')
          assert.equal(await codeOf(() => store.append('log', () => 1)), 'INVALID_VALUE')
          assert.equal(await codeOf(() => store.append(undefined, 1)), 'INVALID_KEY')
          assert.equal(await codeOf(() => store.log(undefined)), 'INVALID_KEY')
          assert.equal(await codeOf(() => store.append('log', 1, { met: 1 })), 'INVALID_CONFIG')
          await store.append('log', 1)
          assert.equal(await codeOf(() => store.get('log')), 'INVALID_PATH')
          assert.equal(await codeOf(() => store.update('log', () => 1)), 'INVALID_PATH')
          assert.deepEqual(await store.log('log'), [1])
          await store.assoc('log', 'a value')
          assert.equal(await store.get('log'), 'a value')
        }))

      test('a sweep deletes what is neither kept nor young, and tells it', () =>
        opened(async (store) => {
          for (const n of numbers(20)) await store.assoc(['old', n], n)
          await store.append('log', 1)
          await store.append('kept log', 1)
          const before = await tick()
          await store.assoc('young', 1)
          await tick()
          const keep = new Set([['old', 3], ['old', 4], 'kept log', 'nobody'])
          const deleted = await store.sweep({ keep, before: new Date(before), batchSize: 7 })
          assert.ok(deleted instanceof Set)
          assert.equal(deleted.size, 19)
          assert.ok(deleted.has('log'))
          assert.equal((await store.keys().toArray()).length, 4)
          assert.deepEqual(await store.log('kept log'), [1])
          assert.deepEqual(await store.sweep({ keep, before }), new Set())
        }))

      test('a sweep that is not told what to keep or until when is refused', () =>
        opened(async (store) => {
          await store.assoc('k', 1)
          const before = await tick()
          for (const options of [undefined, {}, { keep: [] }, { before }, { keep: 'k', before }, { keep: 1, before }]) {
            assert.equal(await codeOf(() => store.sweep(options)), 'INVALID_CONFIG', JSON.stringify(options))
          }
          assert.equal(await codeOf(() => store.sweep({ keep: [], before: 'now' })), 'INVALID_VALUE')
          for (const batchSize of [0, -1, 1.5, NaN]) {
            assert.equal(await codeOf(() => store.sweep({ keep: [], before, batchSize })), 'INVALID_CONFIG')
          }
          for (const at of [-1, NaN, 1.5]) {
            assert.equal(await codeOf(() => store.sweep({ keep: [], before: at })), 'INVALID_CONFIG')
          }
          assert.equal(await codeOf(() => store.sweep({ keep: [undefined], before })), 'INVALID_KEY')
          assert.equal(await store.get('k'), 1)
        }))

      test('a sweep spares what is being written without a pointer to it', () =>
        opened(async (store) => {
          await store.assoc('garbage', 1)
          await tick()
          const result = await store.withUnreferencedWrites(() => {
            const written = store.assoc('value', 1)
            return konserve === sync ? swept() : Promise.resolve(written).then(swept)
            function swept() {
              const done = store.sweep({ keep: [], before: store.cutoff() })
              return konserve === sync ? done : done.then((keys) => store.assoc('pointer', 'value').then(() => keys))
            }
          })
          assert.deepEqual(result, new Set(['garbage']))
          assert.equal(await store.get('value'), 1)
          const before = await tick()
          assert.ok(store.cutoff() >= before)
          const error = new Error('mine')
          const failing = async () =>
            store.withUnreferencedWrites(() => {
              throw error
            })
          await assert.rejects(failing, (thrown) => thrown === error)
          await tick()
          assert.ok((await store.sweep({ keep: [], before: store.cutoff() })).has('value'))
        }))
    })
  }
}

describe('with promises', () => {
  for (const [backend, config] of backends) {
    const opened = async (use) => {
      const store = await promised.openStore(config())
      try {
        await use(store)
      } finally {
        await store.close()
      }
    }

    test(`appends at once keep the order of their calls, ${backend}`, () =>
      opened(async (store) => {
        await Promise.all(numbers(64).map((n) => store.append('log', n)))
        assert.deepEqual(await store.log('log'), numbers(64))
      }))

    test(`a log is what it was at the call, ${backend}`, () =>
      opened(async (store) => {
        const appended = store.append('log', 1)
        const log = store.log('log')
        const more = store.append('log', 2)
        const removed = store.dissoc('log')
        assert.deepEqual(await Promise.all([appended, log, more, removed]), [undefined, [1], undefined, true])
        assert.deepEqual(await store.log('log'), [])
      }))

    test(`a log is iterated over, again and again, and left in the middle, ${backend}`, () =>
      opened(async (store) => {
        await Promise.all(numbers(150).map((n) => store.append('log', n)))
        const log = store.log('log')
        for (let round = 0; round < 2; round += 1) {
          const found = []
          for await (const n of log) found.push(n)
          assert.deepEqual(found, numbers(150))
        }
        for await (const n of store.log('log')) if (n === 70) break
        assert.deepEqual(await log.toArray(), numbers(150))
        assert.equal(await log.finally(() => {}).then((all) => all.length), 150)
        assert.equal(await store.reduceLog('log', async (sum, n) => sum + n, 0), 11_175)
      }))

    test(`nobody hears of a log that nobody asked for, ${backend}`, () =>
      opened(async (store) => {
        await store.assoc('value', 1)
        store.log('value')
        store.log(undefined)
        assert.equal(await store.log('value').catch(({ code }) => code), 'NOT_A_LOG')
      }))

    test(`a sweep stops at a signal and goes on when it is begun again, ${backend}`, () =>
      opened(async (store) => {
        await Promise.all(numbers(50).map((n) => store.assoc(n, n)))
        const before = await tick()
        const options = { keep: [], before, batchSize: 10 }
        const stopped = AbortSignal.abort(new Error('enough'))
        await assert.rejects(store.sweep({ ...options, signal: stopped }), { message: 'enough' })
        assert.equal((await store.keys().toArray()).length, 50)
        const stopper = new AbortController()
        const sweeping = store.sweep({ ...options, signal: stopper.signal })
        stopper.abort()
        await assert.rejects(sweeping, { name: 'AbortError' })
        const left = (await store.keys().toArray()).length
        assert.equal((await store.sweep(options)).size, left)
        assert.deepEqual(await store.keys().toArray(), [])
      }))
  }

  for (const [backend, config] of backends) {
    test(`what pointers lead to is never swept while they move, ${backend}`, async () => {
      const store = await promised.openStore(config())
      let writing = true
      const writer = async (name) => {
        for (let n = 0; n < 60; n += 1) {
          await store.withUnreferencedWrites(async () => {
            const key = ['value', name, n]
            await store.assoc(key, { name, n })
            if (n % 7 === 0) await pause(2)
            await store.assoc(['pointer', name], key)
          })
          const key = await store.get(['pointer', name])
          assert.deepEqual(await store.get(key), { name, n }, 'a pointer leads to its value')
        }
      }
      const sweeper = async () => {
        let deleted = 0
        while (writing) {
          const before = store.cutoff()
          const keep = []
          for await (const [pointer, key] of store.entries({ prefix: ['pointer'] })) keep.push(pointer, key)
          deleted += (await store.sweep({ keep, before, batchSize: 5 })).size
          await pause(1)
        }
        return deleted
      }
      const sweeping = sweeper()
      await Promise.all(['a', 'b', 'c'].map(writer)).finally(() => (writing = false))
      assert.ok((await sweeping) > 0)
      await store.close()
    })
  }

  test('nothing of a log stays in its folder', async () => {
    const path = join(folder, 'emptied')
    const store = await promised.openStore({ path, syncBlob: false })
    for (const [round, end] of ['dissoc', 'assoc', 'sweep'].entries()) {
      await Promise.all(numbers(300).map((n) => store.append('log', n)))
      const blobs = async () => (await readdir(path)).filter((file) => file.endsWith('.ksv')).length
      assert.equal(await blobs(), 301)
      if (end === 'dissoc') await store.dissoc('log')
      if (end === 'assoc') await store.assoc('log', round)
      if (end === 'sweep') await store.sweep({ keep: [], before: await tick() })
      assert.equal(await blobs(), end === 'assoc' ? 1 : 0)
      await store.dissoc('log')
    }
    await store.close()
    assert.equal(await codeOf(() => store.append('log', 1)), 'CLOSED')
    assert.equal(await codeOf(() => store.log('log')), 'CLOSED')
    assert.equal(await codeOf(() => store.sweep({ keep: [], before: 1 })), 'CLOSED')
  })
})
