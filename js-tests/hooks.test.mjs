// Write hooks and changes in Node: with promises and without, in memory and in a folder.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'
import { run } from './helpers/process.mjs'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-hooks-'))))
after(() => rm(folder, { recursive: true, force: true }))

let made = 0
const views = [
  ['konserve', promised],
  ['konserve/sync', sync],
]
const backends = [
  ['memory', () => ({ backend: 'memory', id: `hooks-${(made += 1)}` })],
  ['files', () => ({ path: join(folder, `store-${(made += 1)}`), syncBlob: false })],
]

/** What the console is told of errors while `act` runs. */
async function reported(act) {
  const { error } = console
  const said = []
  console.error = (...parts) => said.push(parts.join(' '))
  try {
    await act()
    // What a function promised to fail later.
    await new Promise((resolve) => setTimeout(resolve, 1))
  } finally {
    console.error = error
  }
  return said
}

for (const [view, konserve] of views) {
  for (const [backend, config] of backends) {
    describe(`write hooks: ${view}, ${backend}`, () => {
      const opened = async (use) => {
        const store = await konserve.openStore(config())
        try {
          await use(store)
        } finally {
          await store.close()
        }
      }

      test('each kind of write is told, fully, before its call returns', () =>
        opened(async (store) => {
          let told = []
          store.addWriteHook('test', (event) => told.push(event))
          const tells = async (write, ...expected) => {
            told = []
            await write()
            assert.deepStrictEqual(told, expected)
          }
          const key = ['k', 1n]
          await tells(() => store.assoc(key, { a: 1 }, { meta: { by: 'ada' } }), {
            op: 'assoc',
            key,
            value: { a: 1 },
            meta: { by: 'ada' },
          })
          await tells(() => store.assoc(key, { n: 1 }), { op: 'assoc', key, value: { n: 1 }, oldValue: { a: 1 } })
          const path = [key, 'n']
          await tells(() => store.assocIn(path, 2), { op: 'assoc-in', key, path, value: 2, oldValue: 1 })
          await tells(() => store.updateIn(path, (n) => n + 1), { op: 'update-in', key, path, value: 3, oldValue: 2 })
          await tells(() => store.dissocIn(path), { op: 'dissoc-in', key, path, oldValue: 3 })
          await tells(() => store.update(key, () => undefined), { op: 'update', key, value: undefined, oldValue: {} })
          await tells(() => store.dissoc(key), { op: 'dissoc', key, oldValue: undefined })
          await tells(() => store.dissoc(key))
          await tells(() => store.dissocIn(path))
          await tells(() => store.multiAssoc([['z', 1], ['a', 2]], { meta: { by: 'ada' } }), {
            op: 'multi-assoc',
            keys: ['z', 'a'],
            kvs: [['z', 1], ['a', 2]],
            meta: { by: 'ada' },
          }) // prettier-ignore
          await tells(() => store.multiDissoc(['z', 'none', 'a']), { op: 'multi-dissoc', keys: ['z', 'a'] })
          await tells(() => store.multiDissoc(['none']))
          store.removeWriteHook('test')
          await tells(() => store.assoc(key, 1))
        }))

      test('appends, sweeps, imports and copies are told, the latter with their keys', () =>
        opened(async (store) => {
          let told = []
          store.addWriteHook('test', (event) => told.push(event))
          const tells = async (write, ...expected) => {
            told = []
            await write()
            for (const { keys } of told) keys?.sort()
            assert.deepStrictEqual(told, expected)
          }
          const key = 'log'
          await tells(() => store.append(key, 1, { meta: { by: 'ada' } }), {
            op: 'append',
            key,
            value: 1,
            meta: { by: 'ada' },
          })
          await tells(() => store.append(key, [2]), { op: 'append', key, value: [2] })
          await store.assoc('expired', 1, { expires: 1 })
          await tells(() => store.sweep({ keep: [key], before: 1 }), { op: 'sweep', keys: ['expired'] })
          const source = await konserve.openStore(config())
          await source.assoc('a', 1)
          await source.append('b', 1)
          const all = []
          for await (const chunk of source.export()) all.push(chunk)
          await tells(() => store.import(all), { op: 'import', keys: ['a', 'b'] })
          await tells(() => store.import(all))
          await tells(() => source.copyTo(store, { existing: 'replace' }), { op: 'import', keys: ['a', 'b'] })
          await source.close()
        }))

      test('what failed is not told', () =>
        opened(async (store) => {
          await store.assoc('k', 1)
          const told = []
          store.addWriteHook('test', (event) => told.push(event))
          const fails = async (call) => assert.ok(await Promise.resolve().then(call).then(() => false, () => true)) // prettier-ignore
          await fails(() => store.assocIn(['k', 'inside'], 1))
          await fails(() => store.assoc('k', () => 1))
          await fails(() =>
            store.update('k', () => {
              throw new Error('mine')
            }),
          )
          await fails(() => store.multiAssoc([['a', 1], ['b', () => 1]])) // prettier-ignore
          assert.deepEqual(told, [])
        }))

      test('a hook that throws, or promises and fails, is reported and breaks nothing', () =>
        opened(async (store) => {
          const told = []
          store.addWriteHook('throws', () => {
            throw new Error('first')
          })
          store.addWriteHook('rejects', async () => {
            throw new Error('second')
          })
          store.addWriteHook('works', ({ value }) => told.push(value))
          const said = await reported(() => store.assoc('k', 1))
          assert.equal(said.length, 2)
          assert.match(said[0], /konserve: the write hook throws failed: Error: first/)
          assert.match(said[1], /konserve: the write hook rejects failed: Error: second/)
          assert.deepEqual([told, await store.get('k')], [[1], 1])
        }))

      test('a hook is replaced by its id; what it does with its event nobody else sees', () =>
        opened(async (store) => {
          const told = []
          store.addWriteHook('a', () => told.push('never'))
          store.addWriteHook('a', (event) => event.value.push('changed'))
          store.addWriteHook('b', (event) => told.push(event.value))
          await store.assoc('k', [1])
          assert.deepEqual([told, await store.get('k')], [[[1]], [1]])
          assert.throws(() => store.addWriteHook('c'), { code: 'INVALID_VALUE' })
        }))
    })
  }
}

test('writes to a key are told in their order, also those begun at once', async () => {
  for (const [, config] of backends) {
    const store = await promised.openStore(config())
    const told = []
    store.addWriteHook('test', ({ value, oldValue }) => told.push([oldValue, value]))
    await Promise.all(Array.from({ length: 200 }, () => store.update('n', (n = 0) => n + 1)))
    assert.deepEqual(
      told,
      Array.from({ length: 200 }, (_, n) => [n === 0 ? undefined : n, n + 1]),
    )
    await store.close()
  }
})

test('a hook may write and read', async () => {
  const store = sync.openStore({ backend: 'memory' })
  const told = []
  store.addWriteHook('copies', ({ key, value }) => key === 'k' && store.assoc('copy', [store.get('k'), value]))
  store.addWriteHook('test', ({ key, value }) => told.push([key, value]))
  store.assoc('k', 1)
  assert.deepEqual(told, [['k', 1], ['copy', [1, 1]]]) // prettier-ignore
  store.close()
})

describe('changes', () => {
  const opened = () => promised.openStore({ backend: 'memory' })

  test('an iteration has the writes from its beginning on, until the store is closed', async () => {
    const store = await opened()
    await store.assoc('before', 1)
    const changes = store.changes()
    await store.assoc('k', 1)
    await store.updateIn(['k'], (n) => n + 1)
    await store.multiAssoc({ a: 1, b: 2 })
    await store.dissoc('none')
    await store.multiDissoc(['a', 'none'])
    const seen = (async () => {
      const all = []
      for await (const change of changes) all.push(change)
      return all
    })()
    await store.dissoc('k')
    await store.close()
    const local = (op, ...keys) => ({ op, keys, origin: 'local' })
    assert.deepEqual(await seen, [
      local('assoc', 'k'),
      local('update', 'k'),
      local('multi-assoc', 'a', 'b'),
      local('multi-dissoc', 'a'),
      local('dissoc', 'k'),
    ])
    assert.deepEqual(await changes.next(), { done: true, value: undefined })
    assert.throws(() => store.changes(), { code: 'CLOSED' })
    assert.throws(() => store.addEventListener('change', () => {}), { code: 'CLOSED' })
    await store.close()
  })

  test('a signal ends it, and so does leaving it', async () => {
    const store = await opened()
    const abort = new AbortController()
    const changes = store.changes({ signal: abort.signal })
    const waiting = [changes.next(), changes.next()]
    await store.assoc('k', 1)
    abort.abort()
    assert.deepEqual((await Promise.all(waiting)).map(({ done }) => done), [false, true]) // prettier-ignore
    assert.equal((await store.changes({ signal: abort.signal }).next()).done, true)
    const left = store.changes()
    await store.assoc('k', 2)
    for await (const { keys } of left) {
      assert.deepEqual(keys, ['k'])
      break
    }
    await store.assoc('k', 3)
    assert.equal((await left.next()).done, true)
    await store.close()
  })

  test('a reader that is too slow is told that changes were lost', async () => {
    const store = await opened()
    const changes = store.changes()
    for (let n = 0; n < 1025; n++) await store.assoc(n, n)
    await store.assoc('last', 1)
    await store.close()
    const seen = []
    for await (const change of changes) seen.push(change)
    assert.deepEqual(seen, [{ lost: true }, { op: 'assoc', keys: ['last'], origin: 'local' }])
  })

  test("listeners to 'change': functions and objects, once, by signal, removed", async () => {
    const store = await opened()
    const told = []
    const always = (event) => told.push(['always', event])
    const object = { name: 'object', handleEvent: ({ op }) => told.push([object.name, op]) }
    const abort = new AbortController()
    store.addEventListener('change', always)
    store.addEventListener('change', always)
    store.addEventListener('change', object, { signal: abort.signal })
    store.addEventListener('change', () => told.push(['once']), { once: true })
    await store.assoc('k', 1)
    const event = { type: 'change', op: 'assoc', keys: ['k'], origin: 'local' }
    assert.deepEqual(told.splice(0), [['always', event], ['object', 'assoc'], ['once']])
    abort.abort()
    await store.assoc('k', 2)
    assert.deepEqual(told.splice(0), [['always', event]])
    store.removeEventListener('change', always)
    store.removeEventListener('change', always)
    await store.assoc('k', 3)
    assert.deepEqual(told, [])
    for (const wrong of [['changed', always], ['change'], ['change', 5]]) {
      assert.throws(() => store.addEventListener(...wrong), { code: 'INVALID_VALUE' })
    }
    store.addEventListener('change', () => {
      throw new Error('mine')
    })
    const said = await reported(() => store.assoc('k', 4))
    assert.match(said.join(), /a listener to 'change' failed: Error: mine/)
    await store.close()
  })

  test('who waits for changes keeps no process running', async () => {
    const main = `
      import { openStore } from 'konserve'
      const store = await openStore({ path: ${JSON.stringify(join(folder, 'waiting'))} })
      store.addWriteHook('id', () => {})
      store.addEventListener('change', ({ keys }) => console.log(keys.join()))
      await store.assoc('k', 1)
      store.changes().next()`
    const printed = await run(process.execPath, ['--input-type=module', '--eval', main], { cwd: import.meta.dirname })
    assert.equal(printed, 'k\n')
  })
})
