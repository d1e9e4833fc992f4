// Signals on what takes long and is no binary: listings, logs, updates. A reason comes back as it is, and nothing is left.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-signals-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const backends = [
  ['memory', () => ({ backend: 'memory' })],
  ['file', () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false })],
]
const reason = new Error('not wanted any more')
const isReason = (error) => error === reason
const aborted = AbortSignal.abort(reason)
const never = new Promise(() => {})

/** As many microtasks as no chain of promises of ours is long. */
async function microtasks() {
  for (let n = 0; n < 100; n++) await undefined
}

for (const [backend, config] of backends) {
  describe(backend, () => {
    const opened = async (use) => {
      const given = config()
      const store = await promised.openStore(given)
      try {
        await use(store, given)
      } finally {
        await store.close()
      }
    }

    test('a listing or a log ends with the reason, at the next entry, and again at once', () =>
      opened(async (store) => {
        for (let n = 0; n < 20; n++) {
          await store.assoc(n, n)
          await store.append('log', n)
        }
        for (const [what, open] of Object.entries({
          keys: (signal) => store.keys({ signal }),
          entries: (signal) => store.entries({ type: 'edn', signal }),
          log: (signal) => store.log('log', { signal }),
        })) {
          const stop = new AbortController()
          const listing = open(stop.signal)
          let seen = 0
          const iterating = (async () => {
            for await (const entry of listing) {
              assert.notEqual(entry, undefined)
              seen += 1
              if (seen === 3) stop.abort(reason)
            }
          })()
          await assert.rejects(iterating, isReason, what)
          assert.equal(seen, 3, what)
          await assert.rejects(listing.toArray(), isReason, what)
          await assert.rejects(open(aborted).toArray(), isReason, what)
          assert.ok((await open(new AbortController().signal).toArray()).length >= 20, what)
        }
        await assert.rejects(async () => store.log('log', { signal: aborted }), isReason)
        await assert.rejects(async () => store.log('log', 5), { code: 'INVALID_CONFIG' })
      }))

    test('reduceLog ends with the reason, also while its function waits', () =>
      opened(async (store) => {
        for (let n = 0; n < 5; n++) await store.append('log', n)
        const signal = aborted
        await assert.rejects(
          store.reduceLog('log', () => assert.fail('called'), 0, { signal }),
          isReason,
        )
        for (const end of [() => 1, () => never]) {
          const stop = new AbortController()
          let calls = 0
          const fn = () => {
            calls += 1
            if (calls === 2) stop.abort(reason)
            return calls === 2 ? end() : calls
          }
          await assert.rejects(store.reduceLog('log', fn, 0, stop), isReason)
          assert.equal(calls, 2)
          assert.deepEqual(getEventListeners(stop.signal, 'abort'), [])
        }
        assert.equal(await store.reduceLog('log', (n) => n + 1, 0, new AbortController()), 5)
      }))

    test('an update ends with the reason: nothing was changed, and the key is free', () =>
      opened(async (store, { path }) => {
        await store.assoc('k', { n: 1 })
        const files = path && (await readdir(path))
        await assert.rejects(
          store.update('k', () => assert.fail('called'), { signal: aborted }),
          isReason,
        )
        const ways = {
          'before it is called': (stop) => {
            stop.abort(reason)
            return assert.fail
          },
          'by the function itself': (stop) => () => {
            stop.abort(reason)
            return 2
          },
          'while the function waits': (stop) => () => {
            setImmediate(() => stop.abort(reason))
            return never
          },
          'and then the function promises': (stop) => async () => {
            await undefined
            stop.abort(reason)
            return 2
          },
        }
        for (const [when, make] of Object.entries(ways)) {
          const stop = new AbortController()
          const updating = store.updateIn(['k', 'n'], make(stop), stop)
          await assert.rejects(updating, isReason, when)
          assert.deepEqual(getEventListeners(stop.signal, 'abort'), [], when)
        }
        assert.deepEqual(await store.get('k'), { n: 1 })
        if (path) assert.deepEqual(await readdir(path), files)
        assert.deepEqual(await store.updateIn(['k', 'n'], async (n) => n + 1, new AbortController()), [1, 2])
      }))

    test('an update that somebody else was faster than is not tried again', () =>
      opened(async (store) => {
        const stop = new AbortController()
        let go
        const first = store.update('k', () => new Promise((resolve) => (go = resolve)))
        let calls = 0
        const second = store.update('k', async () => (calls += 1), stop)
        const third = store.update('k', async (n = 0) => n + 1)
        const refused = assert.rejects(second, isReason)
        while (calls === 0 || !go) await new Promise(setImmediate)
        stop.abort(reason)
        go(1)
        assert.deepEqual(await first, [undefined, 1])
        await refused
        assert.equal(calls, 1)
        assert.deepEqual(await third, [1, 2])
      }))

    test('what is being written when the signal is aborted is written, and says so', () =>
      opened(async (store) => {
        const stop = new AbortController()
        const fn = () => {
          microtasks().then(() => stop.abort(reason))
          return Promise.resolve(7)
        }
        assert.deepEqual(await store.update('k', fn, stop), [undefined, 7])
        assert.equal(await store.get('k'), 7)
      }))
  })
}

test('writes of one step take no signal', async () => {
  const store = await promised.openStore({ backend: 'memory' })
  const { signal } = new AbortController()
  for (const call of [
    () => store.assoc('k', 1, { signal }),
    () => store.assocIn(['k'], 1, { signal }),
    () => store.multiAssoc({ k: 1 }, { signal }),
    () => store.append('log', 1, { signal }),
  ]) {
    await assert.rejects(call(), { code: 'INVALID_CONFIG' })
  }
  assert.deepEqual(await store.keys().toArray(), [])
  await store.close()
})

test('the same without promises, where only the program itself can abort', () => {
  const store = sync.openStore({ backend: 'memory' })
  store.append('log', 1)
  for (const call of [
    () => store.keys({ signal: aborted }).toArray(),
    () => store.log('log', { signal: aborted }),
    () => store.reduceLog('log', () => 1, 0, { signal: aborted }),
    () => store.update('k', () => 1, { signal: aborted }),
  ]) {
    assert.throws(call, isReason)
  }
  assert.equal(store.exists('k'), false)
  store.close()
})

test('a signal that outlives the store holds on to nothing of it', async () => {
  const store = await promised.openStore({ backend: 'memory' })
  const { signal } = new AbortController()
  const removed = () => {}
  store.addEventListener('change', removed, { signal })
  store.addEventListener('change', () => {}, { signal, once: true })
  store.addEventListener('change', () => {}, { signal })
  store.changes({ signal })
  const left = store.changes({ signal })
  const listeners = () => getEventListeners(signal, 'abort').length
  assert.equal(listeners(), 5)
  store.removeEventListener('change', removed)
  await left.return()
  await store.assoc('k', 1)
  assert.equal(listeners(), 2)
  await store.verify({ signal })
  await store.copyTo(store, { signal, existing: 'keep' })
  await store.import(store.export({ signal }), { signal, existing: 'keep' })
  assert.equal(listeners(), 2)
  await store.close()
  assert.equal(listeners(), 0)
})

describe('an opening that is aborted', () => {
  for (const [backend, config] of backends) {
    test(`leaves nothing open: ${backend}`, async () => {
      const given = config()
      for (const encryptor of [undefined, { type: 'aes-blake3', key: 'a passphrase' }]) {
        const place = { ...given, path: given.path && `${given.path}${encryptor ? '-encrypted' : ''}`, encryptor }
        await assert.rejects(promised.openStore({ ...place, signal: aborted }), isReason)
        const controller = new AbortController()
        const opening = promised.openStore({ ...place, signal: controller.signal })
        controller.abort(reason)
        await assert.rejects(opening, isReason)
        const { signal } = new AbortController()
        const store = await untilUnlocked(() => promised.openStore({ ...place, signal }))
        await store.assoc('k', 1)
        assert.equal(getEventListeners(signal, 'abort').length, 0)
        await store.close()
      }
    })
  }

  test('a signal is refused where nothing is waited for', () => {
    const { signal } = new AbortController()
    assert.throws(() => sync.openStore({ backend: 'memory', signal }), { code: 'INVALID_CONFIG' })
  })
})

/** What was aborted may be closing still. */
async function untilUnlocked(open) {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (error.code !== 'STORE_LOCKED') throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}
