// Records: classes of one's own, written and read by name, wherever values are.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import * as promised from 'konserve'
import { Tagged } from 'konserve'
import * as sync from 'konserve/sync'
import { decode } from '../pkg-template/decode.js'
import { encodeValue } from '../pkg-template/encode.js'
import { Records } from '../pkg-template/records.js'

class Point {
  constructor(x, y) {
    Object.assign(this, { x, y })
  }
  get length() {
    return Math.hypot(this.x, this.y)
  }
}
class Line {
  constructor(at) {
    this.at = at
  }
}
/** Keeps what it holds to itself, so it needs a write and a read of its own. */
class Money {
  #cents
  constructor(cents) {
    this.#cents = cents
  }
  get cents() {
    return this.#cents
  }
}
class NotFound extends Error {
  name = 'NotFound'
}
const records = {
  'geo/Point': Point,
  'geo/Line': { class: Line },
  'shop/Money': { class: Money, write: (money) => money.cents, read: (cents) => new Money(cents) },
  'shop/NotFound': { class: NotFound, write: ({ message }) => ({ message }), read: (it) => new NotFound(it.message) },
}
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const vectors = JSON.parse(await readFile(new URL('../tests/vectors/records.json', import.meta.url), 'utf8'))

let places = 0
for (const [view, konserve] of [
  ['konserve', promised],
  ['konserve/sync', sync],
]) {
  const opened = (config) => konserve.openStore({ backend: 'memory', records, ...config })
  const place = () => `records-${(places += 1)}`
  const fails = async (act, expected) => assert.rejects(async () => act(), { name: 'KonserveError', ...expected })

  describe(`records: ${view}`, () => {
    test('an object of a class comes back as one, with its own properties', async () => {
      const store = await opened()
      await store.assoc('point', new Point(3, 4))
      const point = await store.get('point')
      assert.ok(point instanceof Point)
      assert.deepEqual(Object.entries(point), [
        ['x', 3],
        ['y', 4],
      ])
      assert.equal(point.length, 5)
      assert.equal(await store.getIn(['point', 'x'], 'none'), 'none', 'a record has no path inside')
      await store.assoc('money', new Money(250))
      assert.equal((await store.get('money')).cents, 250)
      await store.assoc('error', new NotFound('page 7'))
      const error = await store.get('error')
      assert.ok(error instanceof NotFound)
      assert.equal(error.message, 'page 7')
    })

    test('at any depth, in arrays, Maps and Sets, as their keys too, and in each other', async () => {
      const store = await opened()
      const value = {
        list: [new Point(1, 2), [new Line(new Point(3, 4))]],
        map: new Map([
          ['a', new Point(5, 6)],
          [new Point(7, 8), 'at a point'],
        ]),
        set: new Set([new Point(9, 10), new Money(5)]),
        error: new Error('far away', { cause: new Point(0, 0) }),
      }
      await store.assoc('deep', value)
      const read = await store.get('deep')
      assert.deepEqual(read.list, value.list)
      assert.ok(read.list[1][0] instanceof Line && read.list[1][0].at instanceof Point)
      assert.deepEqual(read.map, value.map)
      const [point, money] = read.set
      assert.ok(point instanceof Point && money.cents === 5)
      assert.ok(read.error.cause instanceof Point)
      assert.deepEqual(await store.getIn(['deep', 'list', 0]), new Point(1, 2))
    })

    test('in updates, metadata, logs, batches, listings and hooks', async () => {
      const store = await opened()
      const events = []
      store.addWriteHook('test', (event) => events.push(event))
      await store.assoc('point', new Point(1, 1), { meta: { from: new Point(0, 0) } })
      const [old, now] = await store.update('point', (point) => {
        assert.ok(point instanceof Point)
        return new Point(point.x + 1, point.length)
      })
      assert.ok(old instanceof Point && now instanceof Point && now.x === 2)
      const meta = await store.getMeta('point')
      assert.ok(meta.from instanceof Point)
      for (const { from } of await store.keys().toArray()) assert.ok(from instanceof Point)

      await store.multiAssoc([['a', new Point(2, 2), { meta: { by: new Money(7) } }]], { meta: { all: new Line(1) } })
      assert.ok((await store.multiGet(['a', 'b'])).get('a') instanceof Point)
      const own = await store.getMeta('a')
      assert.ok(own.by instanceof Money && own.all instanceof Line)

      await store.append('log', new Point(3, 3))
      assert.ok((await store.log('log'))[0] instanceof Point)
      assert.equal(await store.reduceLog('log', (sum, point) => sum + point.length, 0), new Point(3, 3).length)
      await store.dissoc('log')

      for (const [key, value] of await store.entries().toArray()) assert.ok(value instanceof Point, key)
      const [assoc, update, batch] = events
      assert.ok(assoc.value instanceof Point && assoc.meta.from instanceof Point)
      assert.ok(update.oldValue instanceof Point && update.value instanceof Point)
      assert.ok(batch.kvs[0][0] === 'a' && batch.kvs[0][1] instanceof Point)
    })

    test('two stores in one program do not mix', async () => {
      class Other {}
      const id = place()
      const [first, second, without] = await Promise.all([
        opened({ id }),
        opened({ id, records: { 'geo/Point': Other } }),
        opened({ id, records: undefined }),
      ])
      await first.assoc('k', new Point(1, 2))
      assert.ok((await first.get('k')) instanceof Point)
      const other = await second.get('k')
      assert.ok(other instanceof Other && other.x === 1)
      assert.deepEqual(await without.get('k'), new Tagged(27, ['geo/Point', { x: 1, y: 2 }]))
      await fails(() => second.assoc('k', new Point(1, 2)), { code: 'INVALID_VALUE', message: /is a Point/ })
      await fails(() => without.assoc('k', new Other()), { code: 'INVALID_VALUE', message: /is a Other/ })
    })

    test('a record that nobody knows here goes back as it came', async () => {
      const id = place()
      const [knows, knowsNot] = [await opened({ id }), await opened({ id, records: undefined })]
      await knows.assoc('from', { inside: [new Line(new Point(1, 2))] })
      await knowsNot.assoc('to', await knowsNot.get('from'))
      const [from, to] = [await knows.getMeta('from'), await knows.getMeta('to')]
      assert.equal(hex(from.digest), hex(to.digest))
      assert.ok((await knows.get('to')).inside[0].at instanceof Point)
    })

    test('a record is no key, and a key is no record', async () => {
      const store = await opened()
      const point = new Point(1, 2)
      await fails(() => store.get(point), { code: 'INVALID_KEY' })
      await fails(() => store.assoc([point], 1), { code: 'INVALID_KEY' })
      await fails(() => store.multiAssoc([[point, 1]]), { code: 'INVALID_KEY' })
      await fails(() => store.getIn(['k', point]), { code: 'INVALID_PATH' })
      // What a program without these records may use as key stays usable as such.
      const key = new Tagged(27, ['geo/Point', { x: 1, y: 2 }])
      const events = []
      store.addWriteHook('test', (event) => events.push(event))
      await store.assoc(key, point)
      await store.multiAssoc([[key, point]])
      assert.deepEqual((await store.getMeta(key)).key, key)
      assert.deepEqual((await store.keys().toArray())[0].key, key)
      assert.deepEqual(await store.entries().toArray(), [[key, point]])
      assert.deepEqual(events[0].key, key)
      assert.deepEqual(events[1].keys, [key])
      assert.deepEqual(events[1].kvs, [[key, point]])
    })

    test('what a handler throws is the cause, and nothing is written', async () => {
      const failure = new RangeError('no')
      const throws = () => {
        throw failure
      }
      let write = throws
      const store = await opened({ records: { 'geo/Point': { class: Point, write: (it) => write(it), read: throws } } })
      const at = { code: 'INVALID_VALUE', key: 'k', message: /^value\.deep\[0\] .*geo\/Point/ }
      await fails(() => store.assoc('k', { deep: [new Point(1, 2)] }), { ...at, cause: failure })
      write = () => undefined
      await fails(() => store.assoc('k', { deep: [new Point(1, 2)] }), at)
      write = () => Promise.resolve(1)
      await fails(() => store.assoc('k', new Point(1, 2)), { code: 'INVALID_VALUE', message: /await it first/ })
      write = (point) => ({ point })
      await fails(() => store.assoc('k', new Point(1, 2)), { code: 'INVALID_VALUE', message: /cycle/ })
      assert.equal(await store.exists('k'), false)

      write = () => 1
      for (const key of ['k', 'l']) await store.assoc(key, [new Point(1, 2)], { meta: {} })
      await store.append('log', new Point(1, 2))
      const unreadable = { code: 'CORRUPT', message: /geo\/Point/, cause: failure }
      for (const read of [
        () => store.get('k'),
        () => store.getIn(['k', 0]),
        () => store.multiGet(['none', 'k']),
        () => store.update('k', (it) => it),
      ])
        await fails(read, { ...unreadable, key: 'k' })
      await fails(() => store.log('log'), { ...unreadable, key: 'log' })
      await fails(() => store.reduceLog('log', () => 1, 1), { ...unreadable, key: 'log' })
      await fails(() => store.entries().toArray(), unreadable)
      assert.equal((await store.keys().toArray()).length, 3)
    })

    test('a read that gives nothing, and fields that have no names, are told', async () => {
      const id = place()
      const [forgetful, strict] = [
        await opened({ id, records: { 'geo/Point': { class: Point, write: () => [1], read: () => undefined } } }),
        await opened({ id, records: { 'geo/Point': Point } }),
      ]
      await forgetful.assoc('k', new Point(1, 2))
      await fails(() => forgetful.get('k'), { code: 'CORRUPT', key: 'k', message: /gave nothing/ })
      await fails(() => strict.get('k'), { code: 'CORRUPT', key: 'k', message: /see the cause/ })
    })

    test('what a hook is told and cannot be read is reported, and harms nobody', async (t) => {
      const said = t.mock.method(console, 'error', () => undefined)
      const read = () => {
        throw new RangeError('no')
      }
      const store = await opened({ records: { 'geo/Point': { class: Point, read } } })
      store.addWriteHook('mine', () => assert.fail('it was called'))
      await store.assoc('k', new Point(1, 2))
      assert.equal(said.mock.callCount(), 1)
      assert.match(said.mock.calls[0].arguments.join(' '), /write hook mine .*geo\/Point/)
    })

    test('names of fields cannot reach a prototype', async () => {
      const store = await opened()
      const point = new Point(1, 2)
      Object.defineProperty(point, '__proto__', { value: { polluted: true }, enumerable: true })
      Object.defineProperty(point, 'length', { value: 7, enumerable: true })
      await store.assoc('k', point)
      const read = await store.get('k')
      assert.equal(Object.getPrototypeOf(read), Point.prototype)
      assert.deepEqual(Object.getOwnPropertyDescriptor(read, '__proto__').value, { polluted: true })
      assert.equal(read.length, 7)
      assert.equal({}.polluted, undefined)
    })

    test('an old name of a class is still read', async () => {
      const id = place()
      await (await opened({ id, records: { 'old/Point': Point } })).assoc('k', new Point(1, 2))
      const read = ({ x, y }) => new Point(x, y)
      const store = await opened({ id, records: { 'geo/Point': Point, 'old/Point': { read } } })
      await store.update('k', (point) => point)
      const without = await opened({ id, records: undefined })
      assert.deepEqual(await without.get('k'), new Tagged(27, ['geo/Point', { x: 1, y: 2 }]))
    })

    for (const [wrong, given] of [
      ['no object', 'geo/Point'],
      ['null', null],
      ['an array', [Point]],
      ['a name of the format’s', { 'konserve/Point': Point }],
      ['a name of JavaScript’s', { 'js/error': Point }],
      ['the name of characters', { 'clojure/char': Point }],
      ['an empty name', { '': Point }],
      ['a name that is no text', { '\ud800': Point }],
      ['no handler', { 'geo/Point': undefined }],
      ['a handler that is none', { 'geo/Point': 7 }],
      ['neither a class nor a read', { 'geo/Point': {} }],
      ['a write without a class', { 'geo/Point': { read: () => 1, write: () => 1 } }],
      ['a class that is none', { 'geo/Point': { class: 'Point' } }],
      ['a function without a prototype', { 'geo/Point': () => 1 }],
      ['a write that is none', { 'geo/Point': { class: Point, write: true } }],
      ['a read that is none', { 'geo/Point': { class: Point, read: 1 } }],
      ['an option that is none', { 'geo/Point': { class: Point, reed: () => 1 } }],
      ['one class twice', { 'geo/Point': Point, 'geo/Other': Point }],
      ...[Object, Array, Date, Map, Uint8Array, Error, Tagged].map((Class) => [Class.name, { 'a/B': Class }]),
    ]) {
      test(`${wrong} is refused`, () => fails(() => opened({ records: given }), { code: 'INVALID_CONFIG' }))
    }
  })
}

for (const { name, cbor } of vectors) {
  test(`${name} is the same in Rust, byte for byte`, () => {
    const values = {
      'a record': new Point(1, 2.5),
      'a record in a list in a map': { at: [new Point(-1, null)] },
      'a record in a record': new Line(new Point(0, 0)),
    }
    const ours = new Records(records)
    assert.equal(hex(encodeValue(values[name], 'value', undefined, ours)), cbor)
    assert.deepEqual(decode(Uint8Array.from(Buffer.from(cbor, 'hex')), ours), values[name])
  })
}
