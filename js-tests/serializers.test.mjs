// Serializers of one's own: the example keeps transit, and whatever one does wrong is told.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import * as promised from 'konserve'
import { Char, Keyword, Ratio, Symbol_, Tagged, Uuid } from 'konserve'
import * as sync from 'konserve/sync'
import transit from 'transit-js'
import { transitSerializer } from '../examples/transit-serializer.mjs'
import { folder as served, launch, resultOf, serve } from './helpers/browser.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
let folder
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-serializers-'))))
after(() => rm(folder, { recursive: true, force: true }))

/** The parts of a blob: header, metadata, and the value section. */
function sections(blob) {
  const head = 20 + blob.readUInt32BE(4)
  return { serializer: blob[1], compressor: blob[2], value: blob.subarray(head) }
}

async function blobs(path) {
  const files = (await readdir(path)).filter((name) => name.endsWith('.ksv'))
  return Promise.all(files.map((name) => readFile(join(path, name))))
}

const text = (bytes) => new TextDecoder().decode(bytes)
/** Keeps values as JSON, and counts. */
const json = (id = 128) => ({
  id,
  name: 'json',
  written: [],
  encode(value) {
    this.written.push(value)
    return new TextEncoder().encode(JSON.stringify(value))
  },
  decode: (bytes) => JSON.parse(text(bytes)),
})

let places = 0
for (const [view, konserve] of [
  ['konserve', promised],
  ['konserve/sync', sync],
]) {
  const opened = (config) => konserve.openStore({ backend: 'memory', ...config })
  const place = () => ({ backend: 'memory', id: `serializers-${(places += 1)}` })
  const fails = async (act, expected) => assert.rejects(async () => act(), { name: 'KonserveError', ...expected })

  describe(`serializers: ${view}`, () => {
    test("in konserve's layout metadata passes through it, too", async () => {
      for (const keywords of [undefined, 'strings']) {
        const store = await opened({ layout: 'konserve', serializer: transitSerializer, keywords })
        await store.assoc(Keyword.of('user'), { visits: 1 }, { meta: { by: 'Ada' } })
        await store.updateIn([Keyword.of('user'), 'visits'], (visits) => visits + 1)
        await store.append('log', 'one')
        await store.append('log', 'two')
        assert.deepEqual(await store.get(Keyword.of('user')), { visits: 2 })
        assert.deepEqual(await store.log('log'), ['one', 'two'])
        const listed = new Map((await store.keys().toArray()).map(({ key, ...rest }) => [key, rest]))
        assert.deepEqual([...listed.keys()].map(String).sort(), [':user', 'log'])
        const { type, by, lastWrite } = listed.get(Keyword.of('user'))
        assert.deepEqual([type, by, lastWrite > new Date(0)], ['edn', 'Ada', true])
        assert.deepEqual((await store.verify()).corrupt, [])
        await store.close()
      }
    })

    test("one that does not keep metadata writes nothing in konserve's layout", async () => {
      const store = await opened({ layout: 'konserve', serializer: json() })
      const refused = { code: 'INVALID_VALUE', message: /metadata/ }
      await fails(() => store.assoc('a', 1), refused)
      await fails(() => store.append('log', 1), refused)
      await fails(() => store.multiAssoc({ a: 1 }), refused)
      assert.deepEqual(await store.keys().toArray(), [])
      await store.close()
    })

    test('a store with transit works as any other, and holds transit', async () => {
      const path = join(folder, `transit ${view.replace('/', ' ')}`)
      const store = await konserve.openStore({ path, syncBlob: false, serializer: transitSerializer })
      const user = {
        name: 'Ada',
        role: Keyword.of('role/admin'),
        born: new Date('1815-12-10'),
        id: new Uuid('550e8400-e29b-41d4-a716-446655440000'),
        tags: new Set(['math', Symbol_.of('poet')]),
        seen: new Map([[1, { '~b': 2.5, __proto__: null }]]),
        big: 2n ** 100n,
        bytes: Uint8Array.of(1, 2, 3),
        none: null,
      }
      await store.assoc('user', user)
      const [blob] = await blobs(path)
      const { serializer, value } = sections(blob)
      assert.equal(serializer, 200)
      const read = transit.reader('json').read(text(value))
      assert.equal(read.get('name'), 'Ada')
      assert.ok(transit.equals(read.get('role'), transit.keyword('role/admin')))
      assert.equal(read.get('born').getTime(), user.born.getTime())
      assert.ok(read.get('tags').has(transit.symbol('poet')))
      assert.equal(transit.writer('json').write(read), text(value))

      assert.deepEqual(await store.get('user'), { ...user, seen: new Map([[1, { '~b': 2.5 }]]) })
      assert.equal(await store.getIn(['user', 'tags', 'none'], 'none'), 'none')
      assert.equal(await store.getIn(['user', 'seen', 1, '~b']), 2.5)
      await store.assocIn(['user', 'address', 'city'], 'London')
      const [old, now] = await store.updateIn(['user', 'visits'], (visits = 0) => visits + 1)
      assert.deepEqual([old, now], [undefined, 1])
      assert.equal(await store.dissocIn(['user', 'big']), true)
      const { address, visits, big } = await store.get('user')
      assert.deepEqual([address, visits, big], [{ city: 'London' }, 1, undefined])

      const mine = Keyword.of('a/key')
      await store.multiAssoc([[mine, [1, 2]]], { meta: { by: mine } })
      assert.deepEqual(await store.multiGet([mine]), new Map([[mine, [1, 2]]]))
      assert.equal((await store.getMeta(mine)).by, mine)
      for (const element of ['a', { b: mine }]) await store.append('log', element)
      assert.deepEqual(await store.log('log'), ['a', { b: mine }])
      await store.bassoc('bytes', 'as they are')
      assert.equal(text(await store.bget('bytes')), 'as they are')
      // Besides the values: the head of the log and the binary.
      const ids = (await blobs(path)).map((blob) => sections(blob).serializer).sort()
      assert.deepEqual(ids, [200, 200, 200, 200, 3, 3])
      await store.close()

      await fails(() => konserve.connectStore({ path }), {
        code: 'UNSUPPORTED',
        message: /serializer 200\b.*serializers/,
      })
      const again = await konserve.connectStore({ path, serializers: [transitSerializer] })
      await again.update('user', ({ visits }) => ({ visits }))
      assert.deepEqual(await again.get('user'), { visits: 1 })
      assert.ok(
        (await blobs(path)).some(
          (blob) => sections(blob).serializer === 200 && text(sections(blob).value).includes('visits'),
        ),
      )
      await again.close()
    })

    test('what transit has no form for is refused, with the cause', async () => {
      const store = await opened({ serializer: transitSerializer })
      for (const value of [undefined, new Ratio(1, 3), new Char('a'), new Tagged(9, 1), new Map([['a', 1]]), [/x/]]) {
        await assert.rejects(
          async () => store.assoc('k', value),
          ({ code, key, cause }) => code === 'INVALID_VALUE' && key === 'k' && cause instanceof TypeError,
        )
      }
      assert.equal(await store.exists('k'), false)
    })

    test('compression comes after it', async () => {
      const path = join(folder, `compressed ${view.replace('/', ' ')}`)
      const store = await konserve.openStore({
        path,
        syncBlob: false,
        serializer: transitSerializer,
        compressor: 'lz4',
      })
      const value = { list: Array.from({ length: 200 }, () => 'the same again') }
      await store.assoc('k', value)
      assert.deepEqual(await store.get('k'), value)
      const [blob] = await blobs(path)
      assert.deepEqual([sections(blob).serializer, sections(blob).compressor], [200, 1])
      assert.ok(blob.length < 1000)
      assert.equal((await store.getMeta('k')).size, transitSerializer.encode(value).length)
      await store.close()
    })

    test('each value is read with what wrote it, and written with what the store is given', async () => {
      const at = place()
      const [first, second] = [json(128), json(129)]
      await (await konserve.createStore({ ...at, serializer: first })).assoc('first', { n: 1 })
      // The same one twice is one.
      const both = await konserve.connectStore({ ...at, serializer: second, serializers: [first, second] })
      await both.assoc('second', { n: 2 })
      assert.deepEqual([first.written.length, second.written.length], [1, 1])
      assert.deepEqual(
        await both.multiGet(['first', 'second']),
        new Map([
          ['first', { n: 1 }],
          ['second', { n: 2 }],
        ]),
      )

      const usual = await konserve.connectStore({ ...at, serializers: [first] })
      await usual.assoc('third', { n: 3 })
      assert.equal(first.written.length, 2)
      for (const read of [
        () => usual.get('second'),
        () => usual.multiGet(['second']),
        () => usual.update('second', (it) => it),
      ])
        await fails(read, { code: 'UNSUPPORTED', key: 'second', message: /serializer 129\b.*serializers/ })
      await fails(() => usual.entries().toArray(), { code: 'UNSUPPORTED' })
      assert.equal((await usual.keys().toArray()).length, 3)

      const plain = await konserve.connectStore({ ...at, serializer: 'cbor', serializers: [first] })
      await plain.assoc('fourth', { n: 4n })
      assert.equal(first.written.length, 2)
      assert.deepEqual(await plain.get('fourth'), { n: 4n })
      await fails(() => konserve.connectStore({ ...at, serializer: 'cbor' }), { code: 'UNSUPPORTED', message: /128/ })
      await fails(() => konserve.connectStore({ ...at, serializer: second }), { code: 'UNSUPPORTED', message: /128/ })
    })

    test('it sees values as the application does, records included', async () => {
      class Point {}
      const seen = []
      const spy = { ...json(), encode: (value) => (seen.push(value), new TextEncoder().encode('1')) }
      const store = await opened({ serializer: spy, records: { 'geo/Point': Point } })
      await store.assoc('k', [new Point(), new Map([[1, 2n]])])
      assert.ok(seen[0][0] instanceof Point)
      assert.deepEqual(seen[0][1], new Map([[1, 2n]]))

      const gives = { ...json(), decode: () => [Object.assign(new Point(), { x: 1 })] }
      const giving = await opened({ serializer: gives, records: { 'geo/Point': Point } })
      await giving.assoc('k', 1)
      const [point] = await giving.get('k')
      assert.ok(point instanceof Point && point.x === 1)
    })

    test('what it throws, and what it gives that is none, is told; what was there stays', async () => {
      const own = json()
      const store = await opened({ serializer: own })
      await store.assoc('k', 1)
      const failure = new RangeError('no')
      const throws = () => {
        throw failure
      }
      const { encode, decode } = own
      own.encode = throws
      const at = { key: 'k', message: /serializer json/ }
      const writes = [
        () => store.assoc('k', 2),
        () => store.assocIn(['k'], 2),
        () => store.multiAssoc({ other: 1, k: 2 }),
        () => store.append('k', 2),
      ]
      for (const write of writes.slice(0, 2)) await fails(write, { ...at, code: 'INVALID_VALUE', cause: failure })
      await fails(writes[2], { code: 'INVALID_VALUE', cause: failure })
      await fails(() => store.append('log', 2), { code: 'INVALID_VALUE', key: 'log', cause: failure })
      for (const given of [undefined, null, 'text', [1], Promise.resolve(new Uint8Array(1)), new ArrayBuffer(1)]) {
        own.encode = () => given
        await fails(writes[0], { ...at, code: 'INVALID_VALUE' })
      }
      own.encode = encode
      own.decode = throws
      for (const read of [() => store.get('k'), () => store.update('k', (n) => n + 1), () => store.multiGet(['k'])])
        await fails(read, { ...at, code: 'CORRUPT', cause: failure })
      const { corrupt } = await store.verify({ repair: true })
      assert.deepEqual(
        corrupt.map(({ code, quarantined }) => [code, quarantined]),
        [['CORRUPT', false]],
      )
      for (const given of [Symbol('none'), () => 1, new (class None {})(), Promise.resolve(1), new Set([[1], [1]])]) {
        own.decode = () => given
        await fails(() => store.get('k'), { code: 'CORRUPT', key: 'k' })
      }
      let deep = null
      for (let depth = 0; depth < 600; depth++) deep = [deep]
      own.decode = () => deep
      await fails(() => store.get('k'), { code: 'LIMIT_EXCEEDED', key: 'k' })
      own.decode = decode
      assert.equal(await store.get('k'), 1)
      assert.equal(await store.exists('other'), false)
    })

    test('it may use the store while it works', async () => {
      const own = json()
      const store = await opened({ serializer: own })
      const { encode } = own
      const asked = []
      own.encode = (value) => {
        own.encode = encode
        asked.push(store.assoc('inside', { of: value }))
        return own.encode(value)
      }
      await store.assoc('k', 1)
      await Promise.all(asked)
      assert.deepEqual(await store.get('inside'), { of: 1 })
      assert.equal(await store.get('k'), 1)
    })

    test('copies and exports go from one to the other', async () => {
      const from = await opened({ serializer: transitSerializer })
      await from.assoc('k', { a: Keyword.of('b') })
      await from.append('log', 1)
      const to = await opened({ compressor: 'lz4' })
      assert.equal(await from.copyTo(to), 3)
      assert.deepEqual(await to.get('k'), { a: Keyword.of('b') })
      assert.deepEqual(await to.log('log'), [1])

      const chunks = []
      for await (const chunk of from.export()) chunks.push(chunk)
      const knows = await opened({ serializers: [transitSerializer] })
      await knows.import(Buffer.concat(chunks))
      assert.deepEqual(await knows.get('k'), { a: Keyword.of('b') })
      await fails(() => to.import(Buffer.concat(chunks), { existing: 'replace' }), {
        code: 'UNSUPPORTED',
        message: /200/,
      })
    })

    for (const [wrong, config] of [
      ['an id below 128', { serializer: json(127) }],
      ['an id above 255', { serializer: json(256) }],
      ['an id that is no whole number', { serializer: json(128.5) }],
      ['an id that is a text', { serializer: json('128') }],
      ['no id', { serializer: { ...json(), id: undefined } }],
      ['no name', { serializer: { ...json(), name: undefined } }],
      ['a name that is no text', { serializer: { ...json(), name: 7 } }],
      ['no encode', { serializer: { ...json(), encode: undefined } }],
      ['no decode', { serializer: { ...json(), decode: 'text' } }],
      ['a number', { serializer: 128 }],
      ['a function', { serializer: json }],
      ['an unknown name', { serializer: 'json' }],
      ['one that is no array', { serializers: json() }],
      ['null in place of an array', { serializers: null }],
      ['a name among those that read', { serializers: ['cbor'] }],
      ['nothing among those that read', { serializers: [undefined] }],
      ['two of one id', { serializers: [json(), json()] }],
      ['two of one id, one of which writes', { serializer: json(), serializers: [json()] }],
    ]) {
      test(`${wrong} is refused, and makes no store`, async () => {
        const at = place()
        await fails(() => konserve.openStore({ ...at, ...config }), { code: 'INVALID_CONFIG' })
        assert.equal(await konserve.storeExists(at), false)
      })
    }
  })
}

test('the example runs', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [here('../examples/transit-serializer.mjs')])
  assert.match(stdout, /visits: 1/)
})

test('a store in IndexedDB keeps transit', async (t) => {
  const browser = await launch()
  t.after(() => browser.close())
  const contents = `
    import { Keyword, connectStore, openStore } from 'konserve'
    import { transitSerializer } from '../examples/transit-serializer.mjs'
    const store = await openStore({ name: 'transit', serializer: transitSerializer })
    await store.assoc('user', { role: Keyword.of('role/admin'), list: 'x'.repeat(5000) })
    await Promise.all([1, 2, 3].map(() => store.updateIn(['user', 'visits'], (visits = 0) => visits + 1)))
    await store.append('log', new Set([1]))
    await store.close()
    const refused = await connectStore({ name: 'transit' }).catch(({ code }) => code)
    const again = await connectStore({ name: 'transit', serializers: [transitSerializer] })
    const { role, visits } = await again.get('user')
    globalThis.result = [refused, String(role), visits, (await again.log('log'))[0].has(1)]`
  await build({
    stdin: { contents, resolveDir: here('.') },
    outfile: join(folder, 'page', 'page.js'),
    bundle: true,
    format: 'esm',
    external: ['konserve'],
    logLevel: 'warning',
  })
  const body = `<!doctype html><title>transit</title><link rel="icon" href="data:,">
    <script type="importmap">{ "imports": { "konserve": "/konserve/index.js" } }</script>
    <script type="module" src="/page/page.js"></script>`
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body } : undefined)
  const server = await serve(index, served(join(folder, 'page'), '/page/'), served(here('../pkg'), '/konserve/'))
  t.after(() => server.close())
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual([result, problems], [['UNSUPPORTED', ':role/admin', 3, true], []])
})
