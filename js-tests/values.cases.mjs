// What a store keeps exactly, and what it refuses. The same cases run against the converter and against a store.

import { createContext, runInContext } from 'node:vm'

/** The cases, made of the value classes of the package under test: `[name, value]`, and where it differs what comes back. */
export function exactCases({ Keyword, Symbol_, Uuid, Ratio, Decimal, Char, List, Tagged }) {
  const own = (name, value) =>
    Object.defineProperty({}, name, { value, enumerable: true, writable: true, configurable: true })
  const foreign = createContext({})
  const there = (code) => runInContext(code, foreign)
  const manyKeys = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`key${at}`, at]))
  const nested = (depth) => Array.from({ length: depth }).reduce((inner) => [inner], 'deep')
  const array = Array.from({ length: 1000 }, (_, at) => at * 1.5)

  return [
    ['undefined', undefined],
    ['null', null],
    ['true', true],
    ['false', false],

    ['0', 0],
    ['-0', -0],
    ['1', 1],
    ['-1', -1],
    ['23', 23],
    ['24', 24],
    ['-24', -24],
    ['-25', -25],
    ['255 and 256', [255, 256, -256, -257]],
    ['65535 and 65536', [65535, 65536, -65536, -65537]],
    ['2^32 and its neighbours', [2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 32) - 1]],
    ['2^53', 2 ** 53],
    ['-2^53', -(2 ** 53)],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER],
    ['2^53 + 2, a float', 2 ** 53 + 2],
    ['2^63, a float', 2 ** 63],
    ['1e300', 1e300],
    ['1.5', 1.5],
    ['0.1', 0.1],
    ['-0.1', -0.1],
    ['NaN', Number.NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    ['smallest subnormal', Number.MIN_VALUE],
    ['largest number', Number.MAX_VALUE],

    ['0n', 0n],
    ['1n', 1n],
    ['-1n', -1n],
    ['255n and 256n', [255n, 256n, -255n, -256n, -257n]],
    ['2n ** 53n + 1n', 2n ** 53n + 1n],
    ['2n ** 64n', 2n ** 64n],
    ['-(2n ** 64n)', -(2n ** 64n)],
    ['a bigint of 1,000 digits', 10n ** 1000n],

    ['empty text', ''],
    ['ASCII', 'konserve'],
    ['text of 23, 24, 31, 32, 33 characters', [23, 24, 31, 32, 33].map((length) => 'x'.repeat(length))],
    ['text of 255, 256, 65535, 65536 characters', [255, 256, 65535, 65536].map((length) => 'x'.repeat(length))],
    ['umlauts, each length around a head', [11, 12, 23, 24, 127, 128].map((length) => 'ü'.repeat(length))],
    ['Greek, Chinese', 'Ελληνικά 漢字'],
    ['emoji', '👩‍👩‍👧‍👦🇪🇺'],
    ['long emoji', '🌍'.repeat(10_000)],
    ['U+0000', 'a\0b'],
    ['a byte order mark is kept', '\uFEFFtext'],
    ['a long text with a byte order mark', `\uFEFF${'text'.repeat(50)}`],
    ['U+FFFF and U+10FFFF', '\uFFFF\u{10FFFF}'],
    ['U+2028', '\u2028\u2029'],

    ['Date now', new Date(1_700_000_000_123)],
    ['Date 0', new Date(0)],
    ['Date with whole seconds', new Date(1_700_000_000_000)],
    ['Date before 1970', new Date(-1)],
    ['Date of year 0', new Date('0000-01-01T00:00:00Z')],
    ['Date before year 0', new Date(-62_167_219_200_001)],
    ['Date of year 9999', new Date('9999-12-31T23:59:59.999Z')],
    ['Date after year 9999', new Date(253_402_300_800_001)],
    ['first Date', new Date(-8.64e15)],
    ['last Date', new Date(8.64e15)],
    ['last Date but one', new Date(8.64e15 - 1)],

    ['Uint8Array', Uint8Array.of(0, 1, 255)],
    ['empty Uint8Array', new Uint8Array(0)],
    ['a part of a buffer', new Uint8Array([1, 2, 3, 4]).subarray(1, 3)],
    ['Buffer', Buffer.from('abc'), Uint8Array.of(97, 98, 99)],
    ['Uint8ClampedArray', Uint8ClampedArray.of(1, 255)],
    ['Int8Array', Int8Array.of(-128, 127)],
    ['Uint16Array', Uint16Array.of(1, 65535)],
    ['Int16Array', Int16Array.of(-32768, 32767)],
    ['Uint32Array', Uint32Array.of(1, 2 ** 32 - 1)],
    ['Int32Array', Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['BigUint64Array', BigUint64Array.of(1n, 2n ** 64n - 1n)],
    ['BigInt64Array', BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['Float32Array', Float32Array.of(1.5, -0, Number.NaN)],
    ['Float64Array', Float64Array.of(0.1, -0, Infinity)],
    ['a typed array that is a part', new Float64Array([1, 2, 3, 4]).subarray(1, 3)],
    ...(globalThis.Float16Array ? [['Float16Array', globalThis.Float16Array.of(1.5, -0)]] : []),
    ['ArrayBuffer', Uint8Array.of(1, 2, 3).buffer],
    ['DataView', new DataView(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2), new DataView(Uint8Array.of(2, 3).buffer)],

    ['empty array', []],
    ['array of everything plain', [1, 'a', null, undefined, true, [2, [3]]]],
    ['array of 1,000 numbers', array],
    ['array of undefined, not holes', [undefined, undefined]],
    ['empty object', {}],
    ['object', { name: 'Ada', list: [1, 2.5], inner: { deep: { deeper: true } } }],
    ['object of 300 keys', manyKeys],
    ['object with the empty key', { '': 1 }],
    ['object with whole-number keys', { 2: 'b', 1: 'a', x: 'c' }],
    ['object with undefined', { a: undefined }],
    ['object with keys beyond ASCII', { ключ: 1, 鍵: 2, '🔑': 3 }],
    ['object with a long key', { ['k'.repeat(1000)]: 1 }],
    ['object without prototype comes back plain', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      'object with a getter comes back with its value',
      {
        get a() {
          return 1
        },
      },
      { a: 1 },
    ],
    ['object frozen', Object.freeze({ a: 1 })],
    ['the same object twice, no cycle', ((twice) => [twice, { twice }])({ a: 1 })],
    ['nested 512 deep', nested(512)],
    ['__proto__ as own key', own('__proto__', { polluted: true })],
    ['__proto__ null', own('__proto__', null)],
    ['constructor as own key', { constructor: 'x', prototype: 'y' }],
    ['toString and others as own keys', { toString: 1, valueOf: 2, hasOwnProperty: 3, then: 4, length: 5 }],
    ['hidden properties are not part of it', Object.defineProperty({ a: 1 }, 'hidden', { value: 1 }), { a: 1 }],
    [
      "a library's hidden symbol is not part of it",
      Object.defineProperty({ a: 1 }, Symbol('mark'), { value: 1 }),
      { a: 1 },
    ],
    ['proxy of an object behaves as what it shows', new Proxy({ a: 1 }, {}), { a: 1 }],
    ['proxy that shows more', new Proxy({}, moreThanThere()), { shown: 'shown' }],
    ['proxy of an array', new Proxy([1, [2]], {}), [1, [2]]],

    [
      'Map with text keys',
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ],
    ['empty Map', new Map()],
    [
      'Map with number keys',
      new Map([
        [1, 'a'],
        [-1, 'b'],
        [1.5, 'c'],
      ]),
    ],
    [
      'Map with mixed keys keeps its order',
      new Map([
        ['b', 1],
        ['2', 2],
        ['1', 3],
        [7, 4],
        ['a', 5],
      ]),
    ],
    [
      'Map with keys of all kinds',
      new Map([
        [null, 1],
        [undefined, 2],
        [true, 3],
        [1n, 4],
        [Number.NaN, 5],
      ]),
    ],
    ['Map with __proto__ as key', new Map([['__proto__', 1]])],
    ['Map of Maps', new Map([[{ a: 1 }, new Map([['x', new Map()]])]])],
    ['Set', new Set([1, 'a', null, Number.NaN])],
    ['empty Set', new Set()],
    ['Set of Sets', new Set([new Set([1]), new Set([2])])],

    ['RegExp', /a+b/],
    ['RegExp with flags', /a\/b/giu],
    ['RegExp of nothing', new RegExp('')],
    ['Error', new Error('failed')],
    ['Error without message', new Error('')],
    ['TypeError', new TypeError('wrong')],
    ['RangeError with cause', new RangeError('far', { cause: { code: 1 } })],
    ['Error with cause undefined', new Error('x', { cause: undefined })],
    ['Errors that cause each other', new Error('a', { cause: new SyntaxError('b', { cause: new URIError('c') }) })],
    ['AggregateError', new AggregateError([new Error('a'), 'b'], 'both')],
    ['Error with properties of its own', Object.assign(new Error('x'), { code: 'E', errno: -2, list: [1] })],
    ['Error with __proto__ of its own', withOwn(new Error('x'), '__proto__', 1)],

    ['Keyword', Keyword.of('name')],
    ['Keyword with namespace', Keyword.of('my.ns/name')],
    ['Symbol_', Symbol_.of('my.ns/name')],
    ['Uuid', new Uuid('123e4567-e89b-12d3-a456-426614174000')],
    ['Ratio', new Ratio(1, 3)],
    ['Ratio of bigints', new Ratio(-(10n ** 30n), 7n)],
    [
      'Ratio at the ends of 64 bits',
      [new Ratio(2n ** 63n - 1n, 2), new Ratio(-(2n ** 63n), 3), new Ratio(2n ** 63n, 3)],
    ],
    ['Decimal', Decimal.parse('12.50')],
    ['Decimal with exponent', Decimal.parse('-1.5e-7')],
    ['Decimal of many digits', Decimal.parse('123456789012345678901234567890.123')],
    ['Char', new Char('x')],
    ['Char beyond 16 bits', new Char('🌍')],
    ['List', List.of(1, [2], List.of('a'))],
    ['empty List', new List()],
    ['List of one number, which is no length', List.from([3])],
    ['List as key of a Map and member of a Set', new Map([[List.of(1), new Set([List.of(2), [2]])]])],
    ['Tagged around a List', [new Tagged(1234, List.of(1)), new Tagged(27, ['clojure/list', List.of(1)])]],
    ['Tagged, a sorted map', new Tagged(27, ['clojure/sorted-map', new Map([[Keyword.of('a'), 1]])])],
    ['Tagged, a value with metadata', new Tagged(27, ['clojure/with-meta', [{ doc: 'hi' }, [1, 2]]])],
    ['Tagged, a list of Java', new Tagged(27, ['java/list', [1, 2]])],
    [
      'Tagged, a duration',
      new Tagged(
        1002,
        new Map([
          [1, 5],
          [-9, 1],
        ]),
      ),
    ],
    [
      'Map with Keywords as keys',
      new Map([
        [Keyword.of('a'), 1],
        [Keyword.of('b'), { c: Keyword.of('a') }],
      ]),
    ],
    ['Tagged, unknown', new Tagged(1234, { a: [1] })],
    ['Tagged, a record', new Tagged(27, ['my.ns/Record', { a: 1 }])],
    ['Tagged, a URI', new Tagged(32, 'https://example.org/')],
    ['Tagged, the widest tag', new Tagged(2n ** 64n - 1n, null)],

    ['objects of another realm', there('({ a: [1, { b: new Date(5) }] })'), { a: [1, { b: new Date(5) }] }],
    ['Map and Set of another realm', there('[new Map([[1, 2]]), new Set([3])]'), [new Map([[1, 2]]), new Set([3])]],
    ['Error of another realm', there('new TypeError("x")'), new TypeError('x')],
    [
      'bytes of another realm',
      there('[new Uint8Array([1]), new Float64Array([2])]'),
      [Uint8Array.of(1), Float64Array.of(2)],
    ],
    ['RegExp of another realm', there('/x/g'), /x/g],
  ].map(([name, value, back = value]) => ({ name, value, back }))
}

function withOwn(object, key, value) {
  return Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true })
}

function moreThanThere() {
  return {
    ownKeys: () => ['shown'],
    getOwnPropertyDescriptor: (_, key) => ({ value: key, enumerable: true, configurable: true }),
    get: (_, key) => key,
  }
}

function revoked(target) {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function detached() {
  const bytes = new Uint8Array(8)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

function throwing(error) {
  return {
    get bad() {
      throw error
    },
  }
}

const cycle = () => {
  const object = { list: [1] }
  object.list.push({ back: object })
  return object
}

const selfMap = () => {
  const map = new Map()
  return map.set('self', new Set([map]))
}

class Point {
  x = 1
}

class Dates extends Date {}
class Bytes extends Uint8Array {}

const mistake = new Error('the getter failed')

/** `[name, value, what the message must say]`; `cause` where the original error must be kept. */
export const refusedCases = [
  ['function', () => 1, /^value is a function/],
  ['function inside', { users: [0, { on() {} }] }, /^value\.users\[1\]\.on is a function/],
  ['class', Point, /^value is a function/],
  ['symbol', Symbol('s'), /^value is a symbol/],
  ['symbol inside', { a: [Symbol.iterator] }, /^value\.a\[0\] is a symbol/],
  ['Promise', { later: Promise.resolve(1) }, /^value\.later is a Promise: await it/],
  ['WeakMap', [new WeakMap()], /^value\[0\] is a WeakMap/],
  ['WeakSet', { w: new WeakSet() }, /^value\.w is a WeakSet/],
  ['WeakRef', { w: new WeakRef({}) }, /^value\.w is a WeakRef/],
  ['SharedArrayBuffer', new SharedArrayBuffer(8), /^value is a SharedArrayBuffer/],
  [
    'typed array over a SharedArrayBuffer',
    { a: new Int32Array(new SharedArrayBuffer(8)) },
    /^value\.a is over a SharedArrayBuffer/,
  ],
  ['bytes over a SharedArrayBuffer', new Uint8Array(new SharedArrayBuffer(8)), /^value is over a SharedArrayBuffer/],
  ['a detached buffer', { a: detached() }, /^value\.a could not be read/],
  ['object in itself', cycle(), /^value\.list\[1\]\.back contains itself/],
  ['array in itself', ((a) => (a.push(a), a))([]), /^value\[0\] contains itself/],
  ['Map in its Set', selfMap(), /^value\.get\("self"\)\.values\(\)\[0\] contains itself/],
  [
    'Error that is its own cause',
    ((e) => Object.assign(e, { cause: e }))(new Error('x')),
    /^value\.cause contains itself/,
  ],
  ['instance of a class', { at: new Point() }, /^value\.at is a Point/],
  ['object made from another', Object.create({ inherited: 1 }), /^value is an object with a prototype/],
  ['subclass of Date', new Dates(0), /^value is a /],
  ['subclass of Uint8Array', new Bytes(1), /^value is a /],
  ['subclass of Array', class extends Array {}.from([1]), /^value is a /],
  ['subclass of Map', new (class extends Map {})(), /^value is a /],
  ['false array', [Object.create(Array.prototype)], /^value\[0\] has the prototype of arrays/],
  ['false Date', Object.create(Date.prototype), /^value could not be read/],
  ['false Map', { m: Object.create(Map.prototype) }, /^value\.m could not be read/],
  ['boxed number', new Number(1), /^value is a Number object: store the plain number/],
  ['boxed string', new String('x'), /^value is a String object/],
  ['boxed boolean', { b: new Boolean(false) }, /^value\.b is a Boolean object/],
  ['boxed bigint', Object(1n), /^value is a BigInt/],
  ['URL', { link: new URL('https://example.org') }, /^value\.link is a URL/],
  ['iterator', [][Symbol.iterator](), /^value is a Array Iterator/],
  ['generator', (function* () {})(), /^value is a Generator/],
  [
    'arguments',
    (function () {
      return arguments
    })(1),
    /^value is a Arguments/,
  ],
  ['globalThis', globalThis, /^value is a /],
  ['hole', [1, , 3], /^value\[1\] is a hole/], // eslint-disable-line no-sparse-arrays
  ['hole at the end, deep', { rows: [new Array(1)] }, /^value\.rows\[0\]\[0\] is a hole/],
  ['lone surrogate', 'a\uD800', /^value has a lone surrogate/],
  ['lone low surrogate', { t: '\uDC00b' }, /^value\.t has a lone surrogate/],
  ['surrogates in the wrong order', ['\uDC00\uD800'], /^value\[0\] has a lone surrogate/],
  ['lone surrogate in a long text', { t: `${'x'.repeat(5000)}\uD83D` }, /^value\.t has a lone surrogate/],
  ['lone surrogate in a key', { 'k\uD800': 1 }, /^value\["k\\ud800"\] has a lone surrogate/],
  ['lone surrogate as key of a Map', new Map([['\uD800', 1]]), /^value\.keys\(\)\[0\] has a lone surrogate/],
  ['lone surrogate in an Error', new Error('\uD800'), /^value\.message has a lone surrogate/],
  ['invalid Date', { when: new Date(Number.NaN) }, /^value\.when is an invalid Date/],
  ['property named by a symbol', { a: { [Symbol('s')]: 1 } }, /^value\.a has a property named by Symbol\(s\)/],
  ['throwing getter', { a: throwing(mistake) }, /^value\.a\.bad could not be read/, mistake],
  ['getter that throws no error', { a: throwing('text') }, /^value\.a\.bad could not be read/, 'text'],
  ['revoked proxy', { p: revoked({}) }, /^value\.p could not be read/],
  ['revoked proxy of an array', [revoked([])], /^value\[0\] could not be read/],
  ['proxy of a function', new Proxy(() => 1, {}), /^value is a function/],
  ['proxy of a Map', { m: new Proxy(new Map(), {}) }, /^value\.m could not be read/],
  ['proxy of a Date', new Proxy(new Date(0), {}), /^value could not be read/],
  [
    'proxy whose get throws',
    new Proxy(
      { a: 1 },
      {
        get() {
          throw mistake
        },
      },
    ),
    /could not be read/,
    mistake,
  ],
  [
    'proxy whose ownKeys throws',
    {
      p: new Proxy(
        {},
        {
          ownKeys() {
            throw mistake
          },
        },
      ),
    },
    /^value\.p could not be read/,
    mistake,
  ],
  [
    'proxy whose prototype throws',
    [
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw mistake
          },
        },
      ),
    ],
    /^value\[0\] could not be read/,
    mistake,
  ],
  ['Error whose message is no text', Object.assign(new Error('x'), { message: 5 }), /^value\.message is not a text/],
  [
    'function as value of a Map',
    new Map([[1, new Map([['f', () => 1]])]]),
    /^value\.get\(1\)\.get\("f"\) is a function/,
  ],
  ['function as key of a Map', new Map([[() => 1, 1]]), /^value\.keys\(\)\[0\] is a function/],
  ['function behind a key that is an object', new Map([[[], () => 1]]), /^value\.values\(\)\[0\] is a function/],
  ['function in a Set', { s: new Set([1, () => 1]) }, /^value\.s\.values\(\)\[1\] is a function/],
  ['function in an odd place', { 'not a name': { 1: [() => 1] } }, /^value\["not a name"\]\["1"\]\[0\] is a function/],
].map(([name, value, message, cause]) => ({ name, value, message, cause }))

/** 6 names × 3 entries × 3 depths: where a name that objects inherit gets into a store. */
export const pollutingNames = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
]
