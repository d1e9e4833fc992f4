// The vectors of the sealed layout, through the package and its files: what is plain is read, what is damaged refused.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { connectStore, createStore } from 'konserve'
import { decode } from '../pkg-template/decode.js'

const vectors = JSON.parse(await readFile(new URL('../tests/vectors/sealed.json', import.meta.url), 'utf8'))
const plain = (list) => vectors[list].filter(({ encrypted }) => encrypted === false)
const bytes = (hex) => Buffer.from(hex, 'hex')
const value = (hex) => decode(new Uint8Array(bytes(hex)))
/** To compare values of the package's bundled classes with those of its sources. */
const shown = (value) => inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null })

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-vectors-'))))
after(() => rm(folder, { recursive: true }))

const fileOf = (name) => name.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5.ksv')

let stores = 0
/** Gives `use` a new store whose only blob is this one. */
async function withBlob({ name, blob }, use) {
  const path = join(folder, String(stores++))
  const store = await createStore({ path })
  await writeFile(join(path, fileOf(name)), bytes(blob))
  await use(store)
  await store.close()
}

test('values, their metadata and their keys are read', async () => {
  const read = plain('vectors').filter(({ type }) => type === 'edn')
  assert.ok(read.length >= 10)
  for (const vector of read) {
    const key = value(vector.canonical_key)
    await withBlob(vector, async (store) => {
      assert.equal(shown(await store.get(key)), shown(value(vector.serialized)), vector.title)
      const { lastWrite, size } = await store.getMeta(key)
      assert.deepEqual([Number(lastWrite), size], [vector.last_write, vector.size], vector.title)
      const [{ key: listed }] = await store.keys().toArray()
      assert.equal(shown(listed), shown(key), vector.title)
    })
  }
})

test('what is damaged is the error that the format names', async () => {
  const ofKey = vectors.keys.find(({ canonical }) => canonical === '616b').name_plain
  const damaged = plain('negative')
  assert.ok(damaged.length >= 50)
  for (const vector of damaged) {
    const { title, name, code } = vector
    await withBlob(vector, async (store) => {
      // One lies under the name of another key than its own: only a listing meets it.
      const met = fileOf(name) === ofKey ? store.get('k') : store.entries().toArray()
      await assert.rejects(met, { name: 'KonserveError', code }, title)
      await store.assoc('other', 1)
      assert.equal(await store.get('other'), 1, `${title}: the store works on`)
    })
  }
})

test('records are read, or refused as the format says', async () => {
  const records = vectors.negative_records.filter((vector) => vector.raw_key === undefined)
  assert.ok(records.length >= 2)
  for (const [at, { title, record, code }] of records.entries()) {
    const path = join(folder, `record ${at}`)
    await (await createStore({ path })).close()
    await writeFile(join(path, 'konserve.store'), bytes(record))
    await assert.rejects(connectStore({ path }), { name: 'KonserveError', code }, title)
  }
})
