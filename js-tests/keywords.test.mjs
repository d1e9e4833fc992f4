// Maps with keywords as keys: Maps by default, plain objects with `keywords: 'strings'`.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as promised from 'konserve'
import { Keyword, List, Symbol_, Tagged } from 'konserve'
import * as sync from 'konserve/sync'
import { decode } from '../pkg-template/decode.js'
import { encodeValue } from '../pkg-template/encode.js'
import { Records } from '../pkg-template/records.js'
import * as values from '../pkg-template/values.js'

const k = Keyword.of
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const keywordMap = (object) => new Map(Object.entries(object).map(([name, value]) => [k(name), value]))

let places = 0
for (const [view, konserve] of [
  ['konserve', promised],
  ['konserve/sync', sync],
]) {
  /** Two stores over one place: with names as keywords, and as everybody else sees it. */
  const opened = async (config) => {
    const id = `keywords-${view}-${(places += 1)}`
    const open = (more) => konserve.openStore({ backend: 'memory', id, ...more })
    return [await open({ keywords: 'strings', ...config }), await open()]
  }
  const fails = async (act, expected) => assert.rejects(async () => act(), { name: 'KonserveError', ...expected })

  describe(`keywords: 'strings': ${view}`, () => {
    test('plain objects are maps with keywords, both ways and at any depth', async () => {
      const [names, usual] = await opened()
      const ada = { name: 'Ada', 'user/born': 1815, tags: new Set([{ a: 1 }]), list: [{ b: List.of({ c: 2 }) }] }
      await names.assoc('ada', ada)
      assert.deepStrictEqual(await names.get('ada'), ada)
      const seen = keywordMap({
        name: 'Ada',
        'user/born': 1815,
        tags: new Set([keywordMap({ a: 1 })]),
        list: [keywordMap({ b: List.of(keywordMap({ c: 2 })) })],
      })
      assert.deepStrictEqual(await usual.get('ada'), seen)
      await usual.assoc('bob', seen)
      assert.deepStrictEqual(await names.get('bob'), ada)
    })

    test('by default a map with keywords is a Map', async () => {
      const [, usual] = await opened()
      const map = keywordMap({ a: 1, 'b/c': keywordMap({ d: k('e') }) })
      await usual.assoc('map', map)
      assert.deepStrictEqual(await usual.get('map'), map)
      assert.equal((await usual.get('map')).get(k('a')), 1)
      assert.equal(await usual.getIn(['map', k('b/c'), k('d')]), k('e'))
    })

    test('what is no map with nothing but keywords stays a Map, and keywords elsewhere stay keywords', async () => {
      const [names] = await opened()
      for (const value of [
        new Map([['text', 1]]),
        new Map([
          [k('a'), 1],
          ['a', 2],
        ]),
        new Map([
          [k('2'), 1],
          [k('1'), 1],
          [Symbol_.of('a'), 2],
        ]),
        new Map([[1, { a: new Map([['x', {}]]) }]]),
        new Map([[{ a: 1 }, k('b')]]),
        [k('a'), new Set([k('b')]), new Tagged(27, ['my.ns/Rec', { a: k('c') }])],
        new Error('failed', { cause: { code: 1 } }),
      ]) {
        await names.assoc('it', value)
        assert.deepStrictEqual(await names.get('it'), value)
      }
      await names.assoc('it', new Map([['a', 1]]))
      await names.assoc('empty', new Map())
      assert.deepStrictEqual(await names.get('empty'), {}, 'nothing tells an empty Map from an empty object')
    })

    test('names that no keyword has are refused with their place', async () => {
      const [names] = await opened()
      await fails(() => names.assoc('it', { a: [{ '': 1 }] }), {
        code: 'INVALID_VALUE',
        message: /^value\.a\[0\]\[""\] /,
      })
      await fails(() => names.assoc('it', { ':a': 1 }), {
        code: 'INVALID_VALUE',
        message: /^value\[":a"\] is a name that/,
      })
      await fails(() => names.getIn(['it', '']), { code: 'INVALID_PATH', message: /^path\[1\] / })
      const odd = { 'with space': 1, 1: 'one', __proto__: 2, constructor: 3, ключ: 4 }
      Object.defineProperty(odd, '__proto__', { value: 5, enumerable: true, writable: true, configurable: true })
      await names.assoc('odd', odd)
      assert.deepStrictEqual(await names.get('odd'), odd)
    })

    test('texts in paths name keywords, the key is left as it is', async () => {
      const [names, usual] = await opened()
      await names.assocIn(['user', 'name', 'first'], 'Ada')
      assert.deepStrictEqual(await names.get('user'), { name: { first: 'Ada' } })
      assert.deepStrictEqual(await usual.get('user'), keywordMap({ name: keywordMap({ first: 'Ada' }) }))
      assert.equal(await names.getIn(['user', 'name', 'first']), 'Ada')
      assert.equal(await names.getIn(['user', k('name'), 'first']), 'Ada')
      const changed = await names.updateIn(['user', 'name'], (name) => ({ ...name, last: 'Lovelace' }))
      assert.deepStrictEqual(changed, [{ first: 'Ada' }, { first: 'Ada', last: 'Lovelace' }])
      assert.equal(await names.dissocIn(['user', 'name', 'first']), true)
      assert.deepStrictEqual(await names.get('user'), { name: { last: 'Lovelace' } })
      await names.assoc({ id: 1 }, { list: [{ a: 1 }] })
      assert.equal(await names.getIn([{ id: 1 }, 'list', 0, 'a']), 1)
      assert.deepStrictEqual(await usual.get({ id: 1 }), keywordMap({ list: [keywordMap({ a: 1 })] }))
      const keys = (await names.keys().toArray()).map(({ key }) => key)
      assert.deepStrictEqual(
        keys.find((key) => typeof key === 'object'),
        { id: 1 },
      )
    })

    test('batches, logs, listings, metadata and hooks have them too', async () => {
      const [names, usual] = await opened()
      const events = []
      names.addWriteHook('all', (event) => events.push(event))
      await names.multiAssoc({ a: { x: 1 } }, { meta: { by: { name: 'me' } } })
      assert.deepStrictEqual(await usual.get('a'), keywordMap({ x: 1 }))
      assert.deepStrictEqual((await names.multiGet(['a'])).get('a'), { x: 1 })
      assert.deepStrictEqual((await names.getMeta('a')).by, { name: 'me' })
      assert.deepStrictEqual((await usual.getMeta('a')).by, keywordMap({ name: 'me' }))
      await names.append('log', { e: 1 })
      assert.deepStrictEqual(await names.log('log'), [{ e: 1 }])
      assert.deepStrictEqual(await usual.log('log'), [keywordMap({ e: 1 })])
      await names.assocIn(['a', 'y'], { z: 2 }, { meta: { by: { name: 'you' } } })
      const { path, value, oldValue, meta } = events.at(-1)
      assert.deepStrictEqual([path, value, oldValue, meta], [['a', 'y'], { z: 2 }, undefined, { by: { name: 'you' } }])
      assert.deepStrictEqual(events[0].kvs, [['a', { x: 1 }]])
      assert.deepStrictEqual(new Map(await names.entries({ type: 'edn' }).toArray()).get('a'), { x: 1, y: { z: 2 } })
    })

    test('with records, whose fields then have keywords, as records of Clojure do', async () => {
      class Person {
        name = 'Eve'
      }
      const [names, usual] = await opened({ records: { 'klib/Person': Person } })
      await names.assoc('eve', { at: new Person() })
      assert.ok((await names.get('eve')).at instanceof Person)
      assert.equal((await names.get('eve')).at.name, 'Eve')
      const record = new Tagged(27, ['klib/Person', keywordMap({ name: 'Eve' })])
      assert.deepStrictEqual(await usual.get('eve'), keywordMap({ at: record }))
    })

    test('a serializer of your own sees values as the application does', async () => {
      const seen = []
      const serializer = {
        id: 200,
        name: 'seeing',
        encode: (value) => (seen.push(value), new TextEncoder().encode(JSON.stringify(value))),
        decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
      }
      const names = await konserve.openStore({ backend: 'memory', keywords: 'strings', serializer })
      await names.assoc('it', { a: { b: 1 } })
      assert.deepStrictEqual(await names.get('it'), { a: { b: 1 } })
      assert.deepStrictEqual(seen[0], { a: { b: 1 } })
      assert.equal(await names.getIn(['it', 'a', 'b']), 1)
    })

    test('said once for the tiers of a store', async () => {
      const back = { backend: 'memory', id: `keywords-${view}-back` }
      const tiers = { frontendConfig: { backend: 'memory' }, backendConfig: back }
      const before = await konserve.openStore({ ...back, keywords: 'strings' })
      await before.assoc('root', { next: 'leaf' })
      await before.assoc('leaf', {})
      await before.close()
      const met = []
      const walk = (value, key) => (met.push([key, value]), value.next && [value.next])
      const store = await konserve.openStore({
        ...{ backend: 'tiered', keywords: 'strings', ...tiers },
        sync: { roots: ['root'], walk },
      })
      assert.deepStrictEqual(met, [
        ['root', { next: 'leaf' }],
        ['leaf', {}],
      ])
      assert.deepStrictEqual(await store.get('root'), { next: 'leaf' })
      await store.close()
      const twice = { ...tiers, backendConfig: { ...back, keywords: 'strings' } }
      await fails(() => konserve.openStore({ backend: 'tiered', ...twice }), {
        code: 'INVALID_CONFIG',
        message: /keywords/,
      })
    })

    test('any other word is no way to have keywords', async () => {
      for (const keywords of ['text', true, null])
        await fails(() => konserve.openStore({ backend: 'memory', keywords }), { code: 'INVALID_CONFIG' })
    })
  })
}

test('what is read is written the same again, but for what is documented', () => {
  const records = new Records({}, 'strings')
  for (const cbor of [
    'a1d827623a6101', // {:a 1}
    'a0', // {}
    'a1616101', // {"a" 1}
    'a2d827623a6101616102', // {:a 1 "a" 2}
    'a1d827633a3a6101', // a keyword ":a", which is none of ours
    'a1d827613a01', // a keyword without a name
    'a1d827616101', // {a 1}
    'a1a1d827623a6101d827623a62', // {{:a 1} :b}
    'd81b82696d792e6e732f526563a1d827623a6101', // #my.ns/Rec {:a 1}
  ]) {
    const read = decode(Buffer.from(cbor, 'hex'), records)
    assert.equal(hex(encodeValue(read, 'value', undefined, records)), cbor)
  }
})

test('a keyword is one object, whoever made it, also after many others', () => {
  const first = values.Keyword.of('first')
  const bytes = encodeValue([first, values.Symbol_.of('first')])
  for (let n = 0; n < 5000; n++) values.Keyword.of(`other${n}`)
  const [keyword, symbol] = decode(bytes)
  assert.equal(keyword, first)
  assert.equal(symbol, values.Symbol_.of('first'))
  assert.equal(decode(encodeValue(new Map([[keyword, 1]]))).get(first), 1)
})
