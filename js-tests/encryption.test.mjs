// Encrypted stores through the package in Node: what opens them, what lies in the folder, and how keys change.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import * as promised from 'konserve'
import * as sync from 'konserve/sync'

const root = mkdtempSync(join(tmpdir(), 'konserve-'))
after(() => rmSync(root, { recursive: true }))
let folders = 0
const folder = () => join(root, String(folders++))

const key = Uint8Array.from({ length: 32 }, (_, at) => at)
const other = new Uint8Array(32).fill(7)
const blobs = (path) => readdirSync(path).filter((name) => name.endsWith('.ksv'))
const bytes = (path) => blobs(path).map((name) => readFileSync(join(path, name)))

for (const [entry, { openStore, connectStore, createStore }] of Object.entries({ konserve: promised, sync })) {
  const refused = async (call, code) => {
    await assert.rejects(
      async () => call(),
      (error) => {
        assert.equal(error.code, code, error.message)
        assert.doesNotMatch(`${error.message}${error.stack}`, /horse|0,1,2,3|00010203/)
        return true
      },
    )
  }
  const open = (path, secret) => openStore({ path, encryptor: { type: 'aes-blake3', key: secret } })

  describe(entry, () => {
    for (const [kind, secret, wrong] of [
      ['bytes', key, other],
      ['a passphrase', 'correct horse', 'correct horsf'],
    ])
      test(`${kind} open a store that nothing else opens`, async () => {
        const path = folder()
        const store = await open(path, secret)
        await store.assoc('needle', { name: 'needle' }, { meta: { mine: 'needle' } })
        await store.assocIn(['needle', 'place'], 'needle')
        await store.bassoc('binary', Buffer.from('needle'.repeat(100_000)))
        await store.append('log', 'needle')
        await store.close()
        for (const blob of bytes(path)) assert.equal(blob.includes('needle'), false)
        assert.equal(blobs(path).length, 4)
        await refused(() => open(path, wrong), 'WRONG_KEY')
        await refused(() => openStore({ path }), 'WRONG_KEY')
        const again = await open(path, secret)
        assert.deepEqual(await again.get('needle'), { name: 'needle', place: 'needle' })
        const { mine, size } = await again.getMeta('needle')
        assert.deepEqual([mine, size], ['needle', 26])
        assert.equal(Buffer.from(await again.bget('binary', { start: 300_000, end: 300_006 })).toString(), 'needle')
        assert.deepEqual(
          (await again
            .keys()
            .toArray()
            .then?.((all) => all.length)) ?? 3,
          3,
        )
        assert.deepEqual((await again.verify()).corrupt, [])
        await again.close()
      })

    test('a key for a store without one, and what is no key, are refused', async () => {
      const path = folder()
      await (await openStore({ path })).close()
      await refused(() => open(path, key), 'AUTHENTICATION')
      for (const none of [undefined, '', new Uint8Array(31), new Uint8Array(33), [1], 7, null, '\ud800'])
        await refused(() => open(folder(), none), 'INVALID_CONFIG')
      await refused(
        () => createStore({ path: folder(), layout: 'konserve', encryptor: { type: 'aes-blake3', key } }),
        'INVALID_CONFIG',
      )
      await refused(() => createStore({ path: folder(), encryptor: { type: 'aes', key: 'k' } }), 'INVALID_CONFIG')
    })

    test('keys are added, changed and removed, and rekey leaves nothing under the old one', async () => {
      const path = folder()
      const store = await open(path, key)
      await store.assoc('k', 'v')
      await store.addKey('correct horse')
      await store.changePassphrase({ from: 'correct horse', to: 'another horse' })
      await refused(() => store.removeKey('correct horse'), 'WRONG_KEY')
      const before = bytes(path).map((blob) => blob.toString('hex', 20, 28))
      cpSync(path, `${path}-before`, { recursive: true })
      const told = []
      assert.equal(await store.rekey({ keys: ['another horse'], onProgress: (seen) => told.push(seen) }), 1)
      assert.deepEqual(told, [1])
      assert.notDeepEqual(
        bytes(path).map((blob) => blob.toString('hex', 20, 28)),
        before,
      )
      await refused(() => store.removeKey('another horse'), 'INVALID_CONFIG')
      await refused(() => store.rekey({ keys: [] }), 'INVALID_CONFIG')
      await store.close()
      await refused(() => open(path, key), 'WRONG_KEY')
      const again = await open(path, 'another horse')
      assert.equal(await again.get('k'), 'v')
      await again.close()
    })

    test('a store in memory, a tiered one and a cached one are encrypted too', async () => {
      const encryptor = { type: 'aes-blake3', key }
      const path = folder()
      for (const config of [
        { backend: 'memory', encryptor },
        { path, cache: true, encryptor },
        { backend: 'tiered', frontendConfig: { backend: 'memory' }, backendConfig: { path: folder() }, encryptor },
      ]) {
        const store = await openStore(config)
        await store.assoc('k', [1, 2])
        assert.deepEqual(await store.get('k'), [1, 2])
        await store.close()
      }
      const again = await connectStore({ path, encryptor })
      assert.deepEqual(await again.get('k'), [1, 2])
      await again.close()
    })
  })
}

test('the native program’s store and the package’s are one', async () => {
  const path = folder()
  const secret = randomBytes(32)
  const store = await promised.openStore({ path, encryptor: { type: 'aes-blake3', key: new Uint8Array(secret) } })
  await store.assoc('k', 1)
  await store.close()
  const again = sync.openStore({ path, encryptor: { type: 'aes-blake3', key: secret.subarray() } })
  assert.equal(again.get('k'), 1)
  again.close()
})
