// Backings of one's own: the two examples keep every promise of the compliance suite, and one that misbehaves is told of.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { connectStore, createStore, deleteStore, openStore, storeExists } from 'konserve'
import { openStore as openStoreSync } from 'konserve/sync'
import { compliance, runCompliance } from 'konserve/testing'
import { LevelBacking, levelAt } from '../examples/level-backing.mjs'
import { MapBacking } from '../examples/map-backing.mjs'
import { folder as served, launch } from './helpers/browser.mjs'
import { judge, reportOfPage } from './helpers/compliance.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = fs.mkdtempSync(join(tmpdir(), 'konserve-'))
after(() => fs.rmSync(folder, { recursive: true }))

/** A Map that others may write to, and whose methods take their time. */
class SharedMap extends MapBacking {
  capability = { shared: true, atomicBatches: true }

  async read(names) {
    return super.read(names)
  }

  async names(after, limit) {
    return super.names(after, limit)
  }

  async write(writes) {
    const holds = ({ name, expect }) => {
      const [there] = super.read([name])
      if (!there || !expect) return expect === undefined || (!there && expect === null)
      return Buffer.compare(there.subarray(8, 20), expect) === 0
    }
    return writes.find((write) => !holds(write))?.name ?? super.write(writes)
  }
}

/** A LevelDB stays open, since the backing leaves it to its owner to close. */
const databases = new Map()
function openedOnce(location) {
  if (!databases.has(location)) databases.set(location, levelAt(location))
  return databases.get(location)
}

describe('the compliance suite', () => {
  const over = (what, open, options) => test(what, async (t) => judge(t, await runCompliance({ open, ...options })))

  over('over the Map of the guide', () => new MapBacking())
  over('over it, synchronously', () => new MapBacking(), { sync: true })
  over('over one that is shared and gives promises', () => new SharedMap())
  over('over LevelDB in Node', (place) => openedOnce(join(folder, place)))

  test('over level in Chromium', async (t) => {
    const browser = await launch()
    t.after(() => browser.close())
    await build({
      entryPoints: [here('../examples/level-backing.mjs')],
      outfile: join(folder, 'page', 'level.js'),
      bundle: true,
      format: 'esm',
      logLevel: 'warning',
    })
    const imports = `import { levelAt } from '/example/level.js'
      const made = new Map()
      const openedOnce = (place) => made.get(place) ?? made.set(place, levelAt(place)).get(place)`
    judge(t, await reportOfPage(browser, 'openedOnce', { imports, roots: [served(join(folder, 'page'), '/example/')] }))
  })
})

test('the suite tells a broken promise by its case, and what was thrown', async () => {
  const failure = new RangeError('no room')
  class Full extends MapBacking {
    write() {
      throw failure
    }
  }
  const cases = await compliance({ open: () => new MapBacking() })
  assert.ok(cases.length >= 120, `${cases.length} cases`)
  const again = new Set(cases.map(({ name }) => name))
  assert.equal(again.size, cases.length)

  let made = 0
  const open = () => ((made += 1) === 1 ? new MapBacking() : new Full())
  const [{ run }] = (await compliance({ open })).filter(({ name }) => name === 'the_record_is_put_once')
  await assert.rejects(run, (error) => {
    assert.match(error.message, /method write.*no room/)
    assert.equal(error.cause.code, 'BACKEND')
    assert.equal(error.cause.cause, failure)
    return true
  })
})

test('a report tells in words what was skipped, by which capability, and what failed', async () => {
  class Forgetful extends MapBacking {
    read(names) {
      return names.map(() => undefined)
    }
  }
  const report = await runCompliance({ open: () => new Forgetful() })
  const { passed, skipped, failed } = report
  assert.ok(failed.length > 50 && passed.length > 5, String(report))
  assert.deepEqual([...new Set(skipped.map(({ skipped }) => skipped))].sort(), ['ordered', 'shared'])
  assert.ok(String(report).startsWith(`${passed.length} passed, ${skipped.length} skipped, ${failed.length} failed\n`))
  assert.match(String(report), /^skipped, since it is not shared: .*two_open_stores_are_one/m)
  for (const { name, error } of failed) assert.ok(String(report).includes(`failed: ${name}: ${error.message}`))
})

test('where a backing can be closed, the suite closes each it was given, and asks for another', async () => {
  const blobs = new Map()
  let [opened, closed] = [0, 0]
  class Closing extends MapBacking {
    #isClosed = false

    constructor(place) {
      super()
      opened += 1
      if (!blobs.has(place)) blobs.set(place, new MapBacking())
      for (const method of ['read', 'write', 'names'])
        this[method] = (...given) => {
          assert.ok(!this.#isClosed, `${method} after close`)
          return blobs.get(place)[method](...given)
        }
    }

    close() {
      assert.ok(!this.#isClosed, 'closed twice')
      this.#isClosed = true
      closed += 1
    }
  }
  const report = await runCompliance({ open: (place) => new Closing(place) })
  assert.deepEqual(report.failed, [])
  assert.equal(closed, opened)
  assert.ok(blobs.size > 200)
})

test('the suite says what is wrong with what it was given', async () => {
  await assert.rejects(compliance(), { code: 'INVALID_CONFIG', message: /open/ })
  await assert.rejects(compliance({ open: new MapBacking() }), { code: 'INVALID_CONFIG', message: /function/ })
  await assert.rejects(compliance({ open: () => ({}) }), { code: 'INVALID_CONFIG', message: /method read/ })
  await assert.rejects(compliance({ open: async () => new MapBacking() }), { code: 'INVALID_CONFIG' })
  await assert.rejects(compliance({ open: () => ({ backend: 'paper' }) }), { code: 'INVALID_CONFIG', message: /paper/ })
  const failure = new Error('mine')
  const open = () => {
    throw failure
  }
  await assert.rejects(compliance({ open }), failure)
})

test('the guide shows the example as it is, and the example runs', async () => {
  const guide = fs.readFileSync(here('../docs/backings.md'), 'utf8')
  const example = fs.readFileSync(here('../examples/map-backing.mjs'), 'utf8')
  const lines = (text) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
  const methods = [...guide.matchAll(/```js fragment\n((?:read|write|names)\([^]*?)```/g)].map(([, code]) => code)
  assert.equal(methods.length, 3)
  for (const method of methods) assert.ok(lines(example).includes(lines(method)), method)
  const { stdout } = await promisify(execFile)(process.execPath, [here('../examples/map-backing.mjs')])
  assert.equal(stdout, "{ name: 'Ada', visits: 1 }\n")
})

test('a store in LevelDB is there again after the database was closed', async () => {
  const { Level } = await import('level')
  const location = join(folder, 'again')
  for (const visits of [1, 2]) {
    const database = new Level(location)
    const store = await openStore({ backend: new LevelBacking(database) })
    await store.updateIn(['ada', 'visits'], (visits = 0) => visits + 1)
    assert.deepEqual(await store.get('ada'), { visits })
    await store.close()
    await database.close()
  }
})

test('a store is made beside names that are none of its own', async () => {
  const backend = new MapBacking()
  const foreign = ['!first', 'zzz'].map((name) => ({ name, blob: Uint8Array.of(1) }))
  backend.write(foreign)
  const store = await openStore({ backend })
  await store.assoc('k', 1)
  assert.equal((await store.keys().toArray()).length, 1)
  await store.close()
  await deleteStore({ backend })
  assert.deepEqual(backend.names('', 10), ['!first', 'zzz'])
})

test('create, connect, exist and delete', async () => {
  const backend = new MapBacking()
  assert.equal(await storeExists({ backend }), false)
  await assert.rejects(connectStore({ backend }), { code: 'STORE_NOT_FOUND' })
  const store = await createStore({ backend })
  await store.assoc('k', 1)
  await assert.rejects(openStore({ backend }), { code: 'STORE_LOCKED' })
  await store.close()
  await assert.rejects(createStore({ backend }), { code: 'STORE_EXISTS' })
  assert.equal(await storeExists({ backend }), true)
  const again = openStoreSync({ backend })
  assert.equal(again.get('k'), 1)
  again.close()
  await deleteStore({ backend })
  assert.equal(await storeExists({ backend }), false)
  assert.deepEqual(backend.names('', 10), [])
})

test('an object that lacks a method is refused by name', async () => {
  for (const method of ['read', 'write', 'names']) {
    const backend = Object.assign(new MapBacking(), { [method]: undefined })
    await assert.rejects(openStore({ backend }), { code: 'INVALID_CONFIG', message: new RegExp(`method ${method}`) })
  }
  await assert.rejects(openStore({ backend: null }), { code: 'INVALID_CONFIG' })
  await assert.rejects(openStore({ backend: new MapBacking(), path: 'x' }), { code: 'INVALID_CONFIG', message: /path/ })
})

test('what a method throws is the cause, and the store works on', async () => {
  const backend = new MapBacking()
  const store = await openStore({ backend })
  await store.assoc('k', 1)
  const failure = new RangeError('no disk')
  const thrown = () => {
    throw failure
  }
  for (const throwing of [thrown, () => Promise.reject(failure)]) {
    backend.write = throwing
    await assert.rejects(store.assoc('k', 2), { code: 'BACKEND', cause: failure })
    await assert.rejects(
      store.update('k', (k) => k + 1),
      { code: 'BACKEND', cause: failure },
    )
    delete backend.write
    assert.equal(await store.get('k'), 1)
  }
  await store.assoc('k', 3)
  assert.equal(await store.get('k'), 3)
})

test('an answer that is none is told of, whatever it is', async () => {
  const backend = new MapBacking()
  const store = await openStore({ backend })
  for (const answer of [undefined, null, 7, 'text', {}, [], [7], ['text'], [[]], [undefined, undefined]]) {
    backend.read = () => answer
    await assert.rejects(store.get('k'), { code: 'BACKEND', message: /read/ }, String(answer))
  }
  delete backend.read
  for (const answer of [7, {}, 'no name of a blob']) {
    backend.write = () => answer
    await assert.rejects(store.assoc('k', 1), { code: 'BACKEND', message: /write/ }, String(answer))
  }
  delete backend.write
  for (const answer of [undefined, 7, [7], ['b', 'a'], ['']]) {
    backend.names = () => answer
    await assert.rejects(store.keys().toArray(), { code: 'BACKEND', message: /names/ }, String(answer))
  }
})
