// Backings of one's own: the two examples keep every promise of the compliance suite, and one that misbehaves is told of.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { connectStore, createStore, deleteStore, openStore, storeExists } from 'konserve'
import { openStore as openStoreSync } from 'konserve/sync'
import { LevelBacking, levelAt } from '../examples/level-backing.mjs'
import { MapBacking } from '../examples/map-backing.mjs'
import { folder as served, launch } from './helpers/browser.mjs'
import { own } from '../pkg-template/own.js'
import { judge, reportsOfPage, suiteInNode } from './helpers/compliance.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = fs.mkdtempSync(join(tmpdir(), 'konserve-'))
after(() => fs.rmSync(folder, { recursive: true }))

/** One backing for each place, made when it is first asked for. */
const each = (make) => {
  const made = new Map()
  return (place) => {
    if (!made.has(place)) made.set(place, make(place))
    return { backend: own(made.get(place)) }
  }
}

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

describe('the compliance suite', () => {
  let run
  before(async () => (run = await suiteInNode()))

  test('over the Map of the guide', async (t) => judge(t, await run(each(() => new MapBacking()))))
  test('over it, synchronously', async (t) =>
    judge(
      t,
      await run(
        each(() => new MapBacking()),
        { sync: true },
      ),
    ))
  test('over one that is shared and gives promises', async (t) => judge(t, await run(each(() => new SharedMap()))))

  test('over LevelDB in Node', async (t) => {
    judge(t, await run(each((place) => levelAt(join(folder, place)))))
  })

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
      import { own } from '/konserve/own.js'
      const made = new Map()
      const at = (place) => made.get(place) ?? made.set(place, own(levelAt(place))).get(place)`
    const roots = [served(join(folder, 'page'), '/example/'), served(here('../pkg-template'), '/konserve/')]
    judge(t, await reportsOfPage(browser, '(place) => ({ backend: at(place) })', { imports, roots }))
  })
})

test('the guide shows the example as it is, and the example runs', async () => {
  const guide = fs.readFileSync(here('../docs/backings.md'), 'utf8')
  const example = fs.readFileSync(here('../examples/map-backing.mjs'), 'utf8')
  const lines = (text) =>
    text
      .split('\n')
      .map((line) => line.trim())
      .join('\n')
  const methods = [...guide.matchAll(/```js\n((?:read|write|names)\([^]*?)```/g)].map(([, code]) => code)
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
