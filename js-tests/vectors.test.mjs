// The vectors of the sealed layout, through the package and its files: what is right is read, what is not is refused.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { connectStore, createStore, Keyword, Uuid } from 'konserve'
import { decode } from '../pkg-template/decode.js'
import * as values from '../pkg-template/values.js'
import { runNegative, runSealed } from './helpers/vector-runner.mjs'
import { read } from './sealed-format/negative.mjs'

const vectors = async (name) =>
  JSON.parse(await readFile(new URL(`../tests/vectors/${name}.json`, import.meta.url), 'utf8'))
/** Values as the package has them: its bundle has classes of its own. */
function value(cbor) {
  const decoded = decode(new Uint8Array(cbor))
  if (decoded instanceof values.Keyword) return Keyword.of(decoded.text)
  return decoded instanceof values.Uuid ? new Uuid(String(decoded)) : decoded
}
/** To compare values of the package's bundled classes with those of its sources. */
const shown = (value) => inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null })

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-vectors-'))))
after(() => rm(folder, { recursive: true }))

let stores = 0
/** A folder for each store. */
const place = {
  async fill(files, { secret, id }) {
    const path = join(folder, String(++stores))
    await mkdir(path)
    for (const [name, bytes] of files) await writeFile(join(path, name), bytes)
    return connectStore({ path, ...(id && { id }), ...(secret && { encryptor: { type: 'aes-blake3', key: secret } }) })
  },
  names: () => readdir(join(folder, String(stores))),
  value,
  is: (found, cbor) => shown(found) === shown(value(cbor)),
}

test('keys, blobs, records and what is damaged of them, plain and encrypted', async () => {
  const { counts, problems } = await runSealed(await vectors('sealed'), place)
  assert.deepEqual(problems, [])
  assert.deepEqual(counts, { key: 76, blob: 19, negative: 84, record: 4, 'negative record': 12 })
})

test('every fault is the error that the format names', async (t) => {
  const file = await vectors('sealed_negative')
  const all = file.vectors.map((vector) => ({ group: vector.group, ...read(file, vector), name: nameOf(vector) }))
  const { counts, problems } = await runNegative(all, place)
  assert.deepEqual(problems, [])
  assert.equal(
    Object.values(counts).reduce((sum, count) => sum + count),
    file.vectors.length,
  )
  t.diagnostic(JSON.stringify(counts))
})

const nameOf = ({ name, others }) => name ?? others?.[0].name

test('an export is imported', async () => {
  const { vectors: list } = await vectors('sealed')
  const exported = list.find(({ kind }) => kind === 'export')
  const store = await createStore({ backend: 'memory' })
  assert.equal((await store.import(new Uint8Array(Buffer.from(exported.export, 'hex')))).imported, 1)
  const [{ key }] = await store.keys().toArray()
  assert.notEqual(await store.get(key), undefined)
  await store.close()
})
