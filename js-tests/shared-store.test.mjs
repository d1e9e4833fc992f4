// Stores in the layout of Clojure's konserve, in Node: every way to write them, keys, and what the config may say.

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import * as promised from 'konserve'
import { Keyword } from 'konserve'
import * as sync from 'konserve/sync'

const scratch = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'konserve-shared-'))
after(() => rmSync(scratch, { recursive: true }))
let folders = 0
const place = () => ({ path: join(scratch, String((folders += 1))), syncBlob: false })
const blobsOf = ({ path }) => readdirSync(path).filter((name) => name.endsWith('.ksv'))
const fails = (act, expected) => assert.rejects(async () => act(), { name: 'KonserveError', ...expected })

const SERIALIZERS = { edn: 0, fressian: 1, cbor: 3 }
const COMPRESSORS = { none: 0, lz4: 1, zstd: 2 }
const HEX = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'
const ENCRYPTORS = {
  none: { id: 0 },
  aes: { id: 1, encryptor: { type: 'aes', key: 's3cr3t' }, wrong: { type: 'aes', key: 's3cr3t!' } },
  'aes-gcm': {
    id: 2,
    encryptor: { type: 'aes-gcm', key: HEX },
    wrong: { type: 'aes-gcm', key: new Uint8Array(32) },
  },
}

const VALUES = new Map([
  ['text', 'again and again '.repeat(50)],
  ['list', [1, 2.5, -3n, null, true]],
  [Keyword.of('app/state'), new Map([[Keyword.of('n'), new Set([1, 2])]])],
  [new Date(0), new Date(86_400_000)],
  [[1, 'two'], Uint8Array.of(1, 2, 3)],
])

for (const [view, konserve] of [
  ['konserve', promised],
  ['konserve/sync', sync],
]) {
  describe(`stores in konserve's layout: ${view}`, () => {
    for (const serializer of Object.keys(SERIALIZERS))
      for (const compressor of Object.keys(COMPRESSORS))
        for (const cipher of Object.keys(ENCRYPTORS))
          test(`${serializer}, ${compressor}, ${cipher}: what was written is there again`, async () => {
            const where = place()
            const { id, encryptor, wrong } = ENCRYPTORS[cipher]
            const codecs = [SERIALIZERS[serializer], COMPRESSORS[compressor], id]
            await fill(await konserve.createStore({ ...where, layout: 'konserve', serializer, compressor, encryptor }))
            for (const name of blobsOf(where)) {
              assert.deepEqual([...readFileSync(join(where.path, name)).subarray(0, 4)], [1, ...codecs])
            }
            const store = await konserve.connectStore({ ...where, encryptor })
            await check(store)
            await store.assoc('written', 'later')
            await store.close()
            if (encryptor) {
              await fails(() => konserve.connectStore({ ...where, encryptor: wrong }), { code: 'WRONG_KEY' })
              await fails(() => konserve.connectStore(where), { code: 'WRONG_KEY' })
            }
            for (const name of blobsOf(where)) {
              assert.deepEqual([...readFileSync(join(where.path, name)).subarray(0, 4)], [1, ...codecs])
            }
          })

    test('a key is any value that can be stored, and the same one is needed', async () => {
      for (const key of [
        'k',
        17,
        Keyword.of('a/b'),
        Uint8Array.of(1, 2),
        new Map([[Keyword.of('x'), [1, null]]]),
        [0.5],
      ]) {
        const config = { ...place(), layout: 'konserve', encryptor: { type: 'aes', key } }
        const store = await konserve.createStore(config)
        await store.assoc('k', 'v')
        await store.close()
        const again = await konserve.openStore(config)
        assert.equal(await again.get('k'), 'v')
        await again.close()
        await fails(() => konserve.openStore({ ...config, encryptor: { type: 'aes', key: 'other' } }), {
          code: 'WRONG_KEY',
        })
      }
    })

    test('what a config says wrongly is named', async () => {
      const opening = (options) => () => konserve.openStore({ backend: 'memory', ...options })
      for (const [options, message] of [
        [{ encryptor: { type: 'aes', key: 'k' } }, /encryptor/],
        [{ layout: 'sealed', encryptor: { type: 'aes', key: 'k' } }, /encryptor/],
        [{ layout: 'clojure' }, /layout "clojure"/],
        [{ layout: 'konserve', serializer: 'json' }, /serializer "json"/],
        [{ layout: 'konserve', compressor: 'gzip' }, /compressor "gzip"/],
        [{ layout: 'konserve', encryptor: 'aes' }, /encryptor is/],
        [{ layout: 'konserve', encryptor: null }, /encryptor is/],
        [{ layout: 'konserve', encryptor: { type: 'des', key: 'k' } }, /encryptor\.type/],
        [{ layout: 'konserve', encryptor: { type: 'aes' } }, /encryptor\.key/],
        [{ layout: 'konserve', encryptor: { type: 'aes', key: () => 1 } }, /encryptor\.key/],
        [{ layout: 'konserve', encryptor: { type: 'aes', key: 'k', salt: 1 } }, /salt/],
        [{ layout: 'konserve', encryptor: { type: 'aes-gcm', key: 'short' } }, /32 bytes/],
        [{ layout: 'konserve', cache: true }, /cached/],
      ])
        await fails(opening(options), { code: 'INVALID_CONFIG', message })
    })

    test('a store is opened in the layout that it has', async () => {
      const [sealed, shared] = [place(), place()]
      await (await konserve.createStore(sealed)).close()
      await fails(() => konserve.openStore({ ...sealed, layout: 'konserve' }), {
        code: 'INVALID_CONFIG',
        message: /layout/,
      })
      await fill(await konserve.createStore({ ...shared, layout: 'konserve', serializer: 'fressian' }))
      await fails(() => konserve.openStore({ ...shared, layout: 'sealed' }), {
        code: 'INVALID_CONFIG',
        message: /layout/,
      })
      assert.equal(await konserve.storeExists(shared), true)
      await fails(() => konserve.createStore({ ...shared, layout: 'konserve' }), { code: 'STORE_EXISTS' })
      await konserve.deleteStore(shared)
      assert.equal(await konserve.storeExists(shared), false)
    })

    test('everything else of a store works there, too', async () => {
      const store = await konserve.openStore({
        ...place(),
        layout: 'konserve',
        serializer: 'fressian',
        compressor: 'lz4',
      })
      await store.assoc('k', { n: 1 }, { meta: { by: 'Ada' } })
      assert.deepEqual(await store.updateIn(['k', 'n'], (n) => n + 1), [1, 2])
      const { key, type, lastWrite, by, ...rest } = await store.getMeta('k')
      assert.deepEqual([key, type, by, lastWrite instanceof Date, rest], ['k', 'edn', 'Ada', true, {}])
      await store.append('log', 'one')
      await store.append('log', 'two')
      assert.deepEqual(await store.log('log'), ['one', 'two'])
      await store.bassoc('bytes', Uint8Array.of(1, 2, 3))
      assert.deepEqual(await store.bget('bytes', { start: 1 }), Uint8Array.of(2, 3))
      assert.deepEqual(await store.multiAssoc({ a: 1, b: 2 }), new Map(Object.entries({ a: false, b: false })))
      assert.equal(await store.dissoc('a'), true)
      const kinds = (await store.keys().toArray()).map(({ key, type }) => `${key} ${type}`).sort()
      assert.deepEqual(kinds, ['b edn', 'bytes binary', 'k edn', 'log append-log'])
      assert.deepEqual((await store.verify()).corrupt, [])
      const other = await konserve.openStore({ backend: 'memory' })
      assert.equal(await store.copyTo(other), 6)
      assert.deepEqual([await other.get('k'), await other.bget('bytes')], [{ n: 2 }, Uint8Array.of(1, 2, 3)])
      await store.close()
    })
  })
}

async function fill(store) {
  for (const [key, value] of VALUES) await store.assoc(key, value)
  await store.close()
}

async function check(store) {
  for (const [key, value] of VALUES) assert.deepEqual(await store.get(key), value)
}
