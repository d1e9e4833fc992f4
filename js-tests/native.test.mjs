// The native program and the package work on one folder, and write the same bytes.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createStore, connectStore } from 'konserve'

const program = process.env.KONSERVE_PROGRAM ?? fileURLToPath(new URL('../target/debug/konserve', import.meta.url))
const konserve = async (...args) => (await promisify(execFile)(program, args)).stdout
/** Values by name, with the EDN text that the program reads and prints. */
const cases = JSON.parse(await readFile(new URL('../tests/vectors/values.json', import.meta.url), 'utf8'))

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-native-'))))
after(() => rm(folder, { recursive: true }))

/** A folder's blobs by file name, without what depends on the time: when it was written, and the check over that. */
async function timelessBlobs(path) {
  const blobs = new Map()
  for (const file of (await readdir(path)).filter((name) => name.endsWith('.ksv'))) {
    const blob = await readFile(join(path, file))
    const stamp = blob.indexOf('last-write') + 'last-write'.length + 1
    blobs.set(
      file,
      blob
        .fill(0, 8, 20)
        .fill(0, stamp, stamp + 8)
        .toString('hex'),
    )
  }
  return blobs
}

test('what the program writes, the package reads; what it writes of that is the same, byte for byte', async () => {
  const [native, script] = [join(folder, 'by the program'), join(folder, 'by a script')]
  for (const { name, edn } of cases) {
    await konserve('put', '--create', '--edn', native, JSON.stringify(name), '--', edn)
  }
  const [read, written] = [await connectStore({ path: native }), await createStore({ path: script })]
  for (const { name } of cases) await written.assoc(name, await read.get(name))
  await Promise.all([read.close(), written.close()])
  assert.deepEqual(await timelessBlobs(native), await timelessBlobs(script))
})

test('what the package wrote, the program lists, reads and verifies', async () => {
  const path = join(folder, 'by a script')
  const listed = (await konserve('ls', path)).trim().split('\n')
  assert.deepEqual(listed.sort(), cases.map(({ name }) => JSON.stringify(name)).sort())
  for (const { name, edn } of cases.slice(0, 40))
    assert.equal(await konserve('get', path, '--', name), `${edn}\n`, name)
  assert.match(await konserve('verify', path), new RegExp(`\\b${cases.length}\\b`))
})

test('records that the program writes are objects of their class here, and the other way round', async () => {
  class Point {
    constructor(x, y) {
      Object.assign(this, { x, y })
    }
  }
  const path = join(folder, 'records')
  await konserve('put', '--create', '--edn', path, '"native"', '--', '[#geo/Point {"x" 1, "y" 2.5}]')
  const store = await connectStore({ path, records: { 'geo/Point': Point } })
  const [point] = await store.get('native')
  assert.ok(point instanceof Point)
  assert.deepEqual({ ...point }, { x: 1, y: 2.5 })
  await store.assoc('script', { at: new Point(3, 4) })
  await store.close()
  assert.equal(await konserve('get', path, '--', 'script'), '{"at" #geo/Point {"x" 3, "y" 4}}\n')
})

test('while the package has a folder open, the program reads it and is refused as writer', async () => {
  const path = join(folder, 'shared out')
  const store = await createStore({ path })
  await store.assocIn(['n'], 1)
  assert.equal(await konserve('get', path, 'n'), '1\n')
  await assert.rejects(konserve('put', path, 'n', '2'), (error) => {
    assert.equal(error.code, 3)
    assert.match(error.stderr, /STORE_LOCKED/)
    assert.ok(error.stderr.includes(`process ${process.pid}`), error.stderr)
    return true
  })
  await store.close()
  await konserve('put', path, 'n', '2')
  const again = await connectStore({ path })
  assert.equal(await again.get('n'), 2)
  await again.close()
})
