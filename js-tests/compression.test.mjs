// What a write is compressed with, where it says so itself.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openStore } from 'konserve'
import * as sync from 'konserve/sync'

let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-compression-'))))
after(() => rm(folder, { recursive: true }))

const text = 'all work and no play '.repeat(100)

/** Byte 2 of the header of the only blob. */
async function compressor(path) {
  const [name, ...more] = (await readdir(path)).filter((name) => name.endsWith('.ksv'))
  assert.deepEqual(more, [])
  return ['none', 'lz4', 'zstd'][(await readFile(join(path, name)))[2]]
}

for (const [kind, encryptor] of [
  ['plain', undefined],
  ['encrypted', { type: 'aes-blake3', key: new Uint8Array(32) }],
]) {
  test(`a write has a compressor of its own: ${kind}`, async () => {
    const path = join(folder, kind)
    const store = await openStore({ path, encryptor, compressor: 'lz4', syncBlob: false })
    const found = []
    for (const compressorOf of ['none', 'zstd', 'lz4', undefined]) {
      const options = { compressor: compressorOf }
      await store.assoc('k', text, options)
      found.push(await compressor(path))
      await store.update('k', (old) => old + '!', options)
      found.push(await compressor(path))
      assert.equal(await store.get('k'), text + '!')
      await store.bassoc('k', text, options)
      found.push(await compressor(path))
      assert.equal(new TextDecoder().decode(await store.bget('k')), text)
    }
    assert.deepEqual(
      found,
      ['none', 'zstd', 'lz4', 'lz4'].flatMap((name) => [name, name, name]),
    )
    await store.close()
  })
}

test('what is no compressor is refused, and so is one for konserve', async () => {
  const store = await openStore({ backend: 'memory' })
  await assert.rejects(store.assoc('k', 1, { compressor: 'gzip' }), { code: 'INVALID_CONFIG' })
  await assert.rejects(store.append('k', 1, { compressor: 'lz4' }), { name: 'KonserveError' })
  await store.close()
  const shared = await openStore({ path: join(folder, 'konserve'), layout: 'konserve' })
  await assert.rejects(shared.assoc('k', text, { compressor: 'lz4' }), { code: 'UNSUPPORTED' })
  assert.equal(await shared.exists('k'), false)
  await shared.close()
})

test('the same without promises', () => {
  const store = sync.openStore({ backend: 'memory' })
  store.assoc('k', text, { compressor: 'zstd' })
  assert.equal(store.get('k'), text)
  store.close()
})
