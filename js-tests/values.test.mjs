// The converter alone: values to CBOR and back.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decode } from '../pkg-template/decode.js'
import { encodeKey, encodeKeyAsPath, encodePath, encodeValue } from '../pkg-template/encode.js'
import { KonserveError } from '../pkg-template/error.js'
import * as values from '../pkg-template/values.js'
import { exactCases, pollutingNames, refusedCases } from './values.cases.mjs'

const { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } = values
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bytes = (text) => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const vectors = JSON.parse(readFileSync(new URL('../tests/vectors/sealed.json', import.meta.url), 'utf8'))

for (const { name, value, back } of exactCases(values)) {
  test(`${name}: comes back exactly, and is written the same again`, () => {
    const written = encodeValue(value)
    const read = decode(written)
    assert.deepStrictEqual(read, back)
    assert.equal(hex(encodeValue(read)), hex(written))
  })
}

for (const { name, value, message, cause } of refusedCases) {
  test(`${name}: is refused, naming the place`, () => {
    assert.throws(
      () => encodeValue(value, 'value', 'the key'),
      (error) => {
        assert.ok(error instanceof KonserveError)
        assert.equal(error.code, 'INVALID_VALUE')
        assert.match(error.message, message)
        assert.equal(error.key, 'the key')
        if (cause !== undefined) assert.equal(error.cause, cause)
        return true
      },
    )
    assert.equal(hex(encodeValue([1])), '8101', 'the next value is not disturbed')
  })
}

test('513 levels are one too many, for arrays, objects and tags', () => {
  const deep = (wrap, depth) => Array.from({ length: depth }).reduce(wrap, 0)
  const wraps = [(inner) => [inner], (inner) => ({ inner }), (inner) => new Tagged(1234, inner)]
  for (const wrap of wraps) {
    encodeValue(deep(wrap, 512))
    assert.throws(() => encodeValue(deep(wrap, 513)), { code: 'LIMIT_EXCEEDED', message: /512 levels/ })
  }
  const inSet = (inner) => new Set([inner])
  encodeValue(deep(inSet, 256))
  assert.throws(() => encodeValue(deep(inSet, 257)), { code: 'LIMIT_EXCEEDED' })
})

// What stands for values that JSON cannot say, in the vectors.
function ofJson(json) {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map(ofJson)
  const content = Object.values(json)[0]
  switch (Object.keys(json)[0]) {
    case '$bigint':
      return BigInt(content)
    case '$number':
      return Number(content)
    case '$bytes':
      return bytes(content)
    case '$undefined':
      return undefined
    case '$date':
      return new Date(content)
    case '$set':
      return new Set(content.map(ofJson))
    case '$map':
      return new Map(content.map((entry) => entry.map(ofJson)))
    case '$tag':
      return decode(encodeValue(new Tagged(content, ofJson(json.value))))
    default:
      return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, ofJson(value)]))
  }
}

for (const { title, value, serialized, type } of vectors.vectors) {
  if (serialized === undefined || type === 'binary') continue
  test(`vector "${title}": the same bytes, both ways`, () => {
    assert.equal(hex(encodeValue(ofJson(value))), serialized)
    assert.deepStrictEqual(decode(bytes(serialized)), ofJson(value))
  })
}

for (const { key, canonical } of vectors.keys) {
  test(`key ${JSON.stringify(key)}: its canonical bytes are read as the key`, () => {
    const read = decode(bytes(canonical))
    const given = ofJson(key)
    const wide = typeof given === 'number' && Math.abs(given) > 2 ** 53 && Number.isInteger(given)
    // In canonical form -0 is 0, and members stand in the order of their bytes.
    if (Object.is(given, -0)) assert.equal(read, 0)
    else if (given instanceof Map) assert.deepEqual(new Map([...read].sort()), new Map([...given].sort()))
    else assert.deepStrictEqual(read, given)
    if (!wide && !(given instanceof Map) && !(given instanceof Set) && !Number.isNaN(given) && given !== Infinity) {
      const floats = typeof given === 'number' && !Number.isInteger(given)
      if (!floats && !Object.is(given, -0)) assert.equal(hex(encodeKey(given)), canonical)
    }
  })
}

const written = [
  ['an object of texts is a map', { a: 1 }, 'a1 61 61 01'],
  ['a Map of texts is tag 259', new Map([['a', 1]]), 'd90103 a1 61 61 01'],
  ['a Map of others is a map', new Map([[1, 'a']]), 'a1 01 61 61'],
  ['a Set is tag 258', new Set([1]), 'd90102 81 01'],
  ['a keyword is tag 39 with its colon', Keyword.of('a/b'), 'd827 64 3a612f62'],
  ['a symbol is tag 39 without', Symbol_.of('a/b'), 'd827 63 612f62'],
  ['a uuid is tag 37', new Uuid('123e4567-e89b-12d3-a456-426614174000'), 'd825 50 123e4567e89b12d3a456426614174000'],
  ['a ratio is tag 30 with plain integers', new Ratio(-1, 3), 'd81e 82 20 03'],
  ['a wide ratio has bignums', new Ratio(2n ** 64n, 3), 'd81e 82 c249010000000000000000 03'],
  ['a decimal is tag 4, exponent first', Decimal.parse('-12.50'), 'c4 82 21 3904e1'],
  ['a character is konserve’s', new Char('x'), 'd81b 82 6c 636c6f6a7572652f63686172 61 78'],
  ['a RegExp without flags is tag 35', /a/, 'd823 61 61'],
  ['a RegExp with flags is ours', /a/g, 'd81b 82 69 6a732f726567657870 82 61 61 61 67'],
  [
    'an Error is ours',
    new Error('x'),
    'd81b 82 68 6a732f6572726f72 a2 64 6e616d65 65 4572726f72 67 6d657373616765 61 78',
  ],
  ['a Float64Array is tag 86', Float64Array.of(1), 'd856 48 000000000000f03f'],
  ['an Int16Array is tag 77', Int16Array.of(-2), 'd84d 42 feff'],
  ['floats are eight bytes', 1.5, 'fb 3ff8000000000000'],
  ['NaN is one pattern', -Number.NaN, 'fb 7ff8000000000000'],
  ['-0 is a float', -0, 'fb 8000000000000000'],
]
for (const [name, value, expected] of written) {
  test(`written: ${name}`, () => assert.equal(hex(encodeValue(value)), expected.replaceAll(' ', '')))
}

const read = [
  ['half floats', '86 f93e00 f90001 f98000 f97c00 f9fc00 f97e00', [1.5, 2 ** -24, -0, Infinity, -Infinity, Number.NaN]],
  ['single floats', '82 fa3fc00000 fa7f800000', [1.5, Infinity]],
  [
    'integers beyond 2^53 as bigints',
    '83 1b0020000000000001 1bffffffffffffffff 3b0020000000000000',
    [2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 53n) - 1n],
  ],
  ['2^53 itself as number', '82 1b0020000000000000 3b001fffffffffffff', [2 ** 53, -(2 ** 53)]],
  ['bignums with leading zeros', '82 c2430000ff c240', [255n, 0n]],
  [
    'dates with an offset',
    'c0 78 1b 323032302d30312d30315430323a30303a30302e352b30323a3030',
    new Date('2020-01-01T00:00:00.500Z'),
  ],
  [
    'dates with finer digits, cut',
    'c0 78 1e 313936392d31322d33315432333a35393a35392e3939393939393939395a',
    new Date(-1),
  ],
  ['dates in seconds', '82 c1 1903e8 c1 fb3ff8000000000000', [new Date(1_000_000), new Date(1500)]],
  ['big-endian typed arrays', '82 d841 42 0102 d852 48 3ff0000000000000', [Uint16Array.of(0x102), Float64Array.of(1)]],
  ['tag 64 as Uint8Array', 'd840 42 0102', Uint8Array.of(1, 2)],
  [
    'a map whose first keys are texts',
    'a3 61 62 01 61 31 02 05 03',
    new Map([
      ['b', 1],
      ['1', 2],
      [5, 3],
    ]),
  ],
  ['an impossible RegExp as Tagged', 'd823 61 28', new Tagged(35, '(')],
  [
    'a date that is none as Tagged',
    'c0 78 14 323032302d30322d33305430303a30303a30305a',
    new Tagged(0, '2020-02-30T00:00:00Z'),
  ],
  ['a ratio not in lowest terms as Tagged', 'd81e 82 02 04', new Tagged(30, [2, 4])],
  ['a keyword with two colons as Tagged', 'd827 63 3a3a61', new Tagged(39, '::a')],
  ['a typed array of a broken length as Tagged', 'd855 43 010203', new Tagged(85, Uint8Array.of(1, 2, 3))],
  ['a uuid of a wrong length as Tagged', 'd825 41 01', new Tagged(37, Uint8Array.of(1))],
]
for (const [name, cbor, expected] of read) {
  test(`read: ${name}`, () => assert.deepStrictEqual(decode(bytes(cbor)), expected))
}

test('what is Tagged for want of meaning is written back as it was', () => {
  for (const cbor of [
    'd82361 28',
    'd81e820204',
    'd827633a3a61',
    'd85543010203',
    'd9300082f6a10102',
    'd81b82 61 78 a0',
  ]) {
    assert.equal(hex(encodeValue(decode(bytes(cbor)))), cbor.replaceAll(' ', ''))
  }
})

test('bytes that are no CBOR are CORRUPT', () => {
  const broken = [
    '',
    '1c',
    '5f',
    '9f',
    'bf',
    'ff',
    'f8ff',
    'e0',
    '61',
    '61ff',
    '62c328',
    '8201',
    'a101',
    '1901',
    '5b7fffffffffffffff',
    '9b7fffffffffffffff',
    'bb7fffffffffffffff',
    '0101',
    'd8',
  ]
  for (const cbor of broken) assert.throws(() => decode(bytes(cbor)), { code: 'CORRUPT' }, cbor)
  assert.throws(() => decode(new Uint8Array(100_000).fill(0x81)), { code: 'CORRUPT' })
  assert.throws(() => decode(new Uint8Array(100_000).fill(0xc6)), { code: 'CORRUPT' })
})

for (const [name, cbor, change] of [
  [
    'a date with finer digits',
    'c0 78 1e 313936392d31322d33315432333a35393a35392e3939393939393939395a',
    (date) => date.setTime(5),
  ],
  ['a leap second', 'c0 74 323031362d31322d33315432333a35393a36305a', (date) => date.setTime(5)],
  ['a date in fractions of milliseconds', 'c1 fb 3ff8000000000001', (date) => date.setTime(5)],
  ['a RegExp with a slash', 'd823 63 612f62', (regexp) => regexp.compile('c')],
  ['a RegExp of nothing', 'd823 60', (regexp) => regexp.compile('c')],
]) {
  test(`${name} is written as it was read, until it is changed`, () => {
    const value = decode(bytes(cbor))
    assert.equal(hex(encodeValue({ value })), `a16576616c7565${cbor.replaceAll(' ', '')}`)
    change(value)
    assert.deepStrictEqual(decode(encodeValue(value)), value)
  })
}

for (const [name, cbor] of [
  ['a map with the keys 1 and 1.0', 'a2 01 61 fb3ff0000000000000 62'],
  ['a set with a double and a float', 'd90102 82 fb3ff8000000000000 fa3fc00000'],
]) {
  test(`${name} is refused: one of them would be lost`, () => {
    const whole = bytes(cbor.replace('61 fb', '6161 fb').replace(/62$/, '6162'))
    assert.throws(() => decode(whole), { code: 'UNSUPPORTED', message: /one in JavaScript/ })
  })
}

test('a List does what arrays do, and is none of them', () => {
  const list = decode(encodeValue(List.of(3, 1, 2)))
  assert.ok(list instanceof List && Array.isArray(list))
  assert.deepEqual([list.length, list[0], list.at(-1), [...list].sort()], [3, 3, 2, [1, 2, 3]])
  assert.deepStrictEqual(
    list.map((n) => n + 1),
    List.of(4, 2, 3),
  )
  assert.throws(() => assert.deepStrictEqual(list, [3, 1, 2]))
})

test('any bytes give a value or an error of their own, quickly', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
  console.log(`seed ${seed} (SEED=${seed} runs it again)`)
  let state = seed
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const samples = exactCases(values)
    .map(({ value }) => encodeValue(value))
    .filter(({ length }) => length < 2000)
  for (let round = 0; round < 20_000; round++) {
    const sample = samples[random(samples.length)]
    const bytes =
      round % 2
        ? Uint8Array.from({ length: random(60) }, () => random(256))
        : sample.slice(0, 1 + random(sample.length))
    if (bytes.length) bytes[random(bytes.length)] = random(256)
    try {
      decode(bytes)
    } catch (error) {
      assert.match(error.code, /^(CORRUPT|UNSUPPORTED)$/, `${hex(bytes)}: ${error.stack}`)
    }
  }
  assert.equal({}.polluted, undefined)
})

for (const name of pollutingNames) {
  for (const depth of [0, 1, 2]) {
    const wrap = (value) => Array.from({ length: depth }).reduce((inner) => ({ inner }), value)
    const payload = { polluted: true }
    const own = (value) =>
      Object.defineProperty({}, name, { value, enumerable: true, writable: true, configurable: true })
    const entries = {
      object: own(payload),
      Map: new Map([[name, payload]]),
      Error: Object.assign(new Error('x'), { data: own(payload) }),
    }
    for (const [entry, value] of Object.entries(entries)) {
      test(`${name} in an ${entry}, ${depth} deep, pollutes nothing`, () => {
        const before = Object.getOwnPropertyNames(Object.prototype).join()
        const back = decode(encodeValue(wrap(value)))
        assert.deepStrictEqual(back, wrap(value))
        assert.equal({}.polluted, undefined)
        assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before)
        if (entry === 'object' && depth === 0) {
          assert.ok(Object.hasOwn(back, name))
          assert.equal(Object.getPrototypeOf(back), Object.prototype)
        }
      })
    }
  }
}

test('a frozen Object.prototype does not hinder reading', async () => {
  const { execFileSync } = await import('node:child_process')
  const url = (file) => JSON.stringify(new URL(`../pkg-template/${file}`, import.meta.url).href)
  const code = `import { decode } from ${url('decode.js')}; import { encodeValue } from ${url('encode.js')};
    Object.freeze(Object.prototype); process.stdout.write(JSON.stringify(decode(encodeValue({ toString: 1, a: 2 }))))`
  assert.equal(String(execFileSync(process.execPath, ['--input-type=module', '-e', code])), '{"toString":1,"a":2}')
})

test('a getter that encodes something itself disturbs nothing', () => {
  const inner = []
  const value = {
    before: 'x'.repeat(100),
    get nested() {
      inner.push(encodeValue({ inner: 'y'.repeat(50_000) }), encodeKey('z'))
      return 1
    },
    after: 'z',
  }
  const bytes = encodeValue([value, value])
  const plain = { before: 'x'.repeat(100), nested: 1, after: 'z' }
  assert.deepStrictEqual(decode(bytes), [plain, plain])
  assert.deepStrictEqual(inner.map(decode), [{ inner: 'y'.repeat(50_000) }, 'z', { inner: 'y'.repeat(50_000) }, 'z'])
})

test('what was handed out is never written over', () => {
  const rounds = Array.from({ length: 2000 }, (_, at) => [at, 'x'.repeat(at % 300)])
  const written = rounds.map((value) => encodeValue(value))
  rounds.forEach((value, at) => assert.deepStrictEqual(decode(written[at]), value))
})

test('wherever a buffer ends, nothing is lost', () => {
  const kinds = [
    (n) => 'x'.repeat(n % 40),
    (n) => n * 1.5,
    (n) => n * 1e6,
    (n) => BigInt(n) ** 3n,
    (n) => [n],
    (n) => 'é'.repeat(n % 9),
  ]
  for (let round = 0; round < 120_000; round++) {
    const value = [kinds[round % kinds.length](round), kinds[(round >> 3) % kinds.length](round)]
    const bytes = encodeValue(value)
    if (round % 7 === 0) encodeKey('k'.repeat(round % 5))
    const read = decode(bytes)
    if (read[0] !== value[0] || read[1] !== value[1]) assert.deepStrictEqual(read, value, `round ${round}`)
  }
})

test('wherever a buffer ends, short texts and keys are whole', () => {
  for (let round = 0; round < 500; round++) {
    const value = Array.from({ length: 100 + round }, (_, at) => ({ ['k'.repeat(at % 3)]: 'abcdefg'.slice(0, at % 8) }))
    assert.equal(JSON.stringify(decode(encodeValue(value))), JSON.stringify(value), `round ${round}`)
  }
})

test('what was read shares nothing with the bytes', () => {
  const bytes = encodeValue({ a: Uint8Array.of(1, 2), f: Float32Array.of(1) }).slice()
  const value = decode(bytes)
  bytes.fill(0)
  assert.deepStrictEqual(value, { a: Uint8Array.of(1, 2), f: Float32Array.of(1) })
})

test('large values are written and read: 1 MiB of bytes, of text, 100,000 items', () => {
  for (const value of [
    new Uint8Array(2 ** 20).fill(7),
    'é'.repeat(2 ** 19),
    Array.from({ length: 100_000 }, (_, at) => ({ at })),
  ]) {
    assert.deepStrictEqual(decode(encodeValue(value)), value)
  }
})

test('keywords and symbols are one object each', () => {
  assert.equal(Keyword.of('a/b'), Keyword.of('a/b'))
  assert.equal(decode(encodeValue(Keyword.of('a/b'))), Keyword.of('a/b'))
  assert.equal(decode(encodeValue(Symbol_.of('a'))), Symbol_.of('a'))
  assert.notEqual(Keyword.of('a'), Symbol_.of('a'))
  assert.equal(decode(encodeValue(new Map([[Keyword.of('a'), 1]]))).get(Keyword.of('a')), 1)
  for (let at = 0; at < 3000; at++) Keyword.of(`many/${at}`)
  assert.equal(Keyword.of('a/b'), Keyword.of('a/b'))
})

test('the value classes say what they are', () => {
  assert.deepEqual([Keyword.of('a/b').namespace, Keyword.of('a/b').name, `${Keyword.of('a/b')}`], ['a', 'b', ':a/b'])
  assert.deepEqual([Keyword.of('a').namespace, Keyword.of('/').name, `${Symbol_.of('a/b')}`], [undefined, '/', 'a/b'])
  assert.equal(`${new Uuid('123E4567-E89B-12D3-A456-426614174000')}`, '123e4567-e89b-12d3-a456-426614174000')
  assert.equal(new Uuid(new Uint8Array(16)).text, '00000000-0000-0000-0000-000000000000')
  assert.equal(`${new Ratio(2, -4)}`, '-1/2')
  const decimals = ['12.50', '-0.015', '7', '1E3', '-1.5e-7', '0.00']
  assert.deepEqual(
    decimals.map((text) => `${Decimal.parse(text)}`),
    ['12.50', '-0.015', '7', '1E3', '-0.00000015', '0.00'],
  )
})

test('the value classes refuse what they cannot be', () => {
  const wrong = [
    () => Keyword.of(':a'),
    () => Keyword.of(''),
    () => Keyword.of(1),
    () => Symbol_.of('\uD800'),
    () => new Uuid('x'),
    () => new Uuid(new Uint8Array(15)),
    () => new Uuid(),
    () => new Ratio(1, 0),
    () => new Ratio(1.5, 2),
    () => new Decimal(1.5),
    () => new Decimal(1, 0.5),
    () => Decimal.parse('1,5'),
    () => new Char('ab'),
    () => new Char(''),
    () => new Char('\uD800'),
    () => new Tagged(-1, 0),
    () => new Tagged(2n ** 64n, 0),
    () => new Tagged('a', 0),
  ]
  for (const make of wrong) assert.throws(make, { name: 'KonserveError', code: 'INVALID_VALUE' }, String(make))
})

test('keys and paths that are none have their own codes', () => {
  assert.throws(() => encodeKey(undefined), { code: 'INVALID_KEY', message: /^key is undefined/ })
  assert.throws(() => encodeKey(() => 1), { code: 'INVALID_KEY', message: /^key is a function/ })
  assert.throws(() => encodeKeyAsPath({ a: Symbol('x') }), { code: 'INVALID_KEY', message: /^key\.a is a symbol/ })
  assert.throws(() => encodePath([]), { code: 'INVALID_PATH', message: /empty/ })
  for (const path of [undefined, null, 'a', { 0: 'a', length: 1 }, 5]) {
    assert.throws(() => encodePath(path), { code: 'INVALID_PATH', message: /^path must be an array/ })
  }
  assert.throws(() => encodePath([undefined, 'a']), { code: 'INVALID_KEY' })
  assert.throws(() => encodePath([() => 1]), { code: 'INVALID_KEY', message: /^path\[0\] is a function/ })
  assert.throws(() => encodePath(['a', () => 1]), { code: 'INVALID_PATH', message: /^path\[1\] is a function/ })
  assert.throws(() => encodePath(['a', , 'b']), { code: 'INVALID_PATH', message: /^path\[1\] is a hole/ }) // eslint-disable-line no-sparse-arrays
  assert.throws(() => encodePath(revokedArray()), { code: 'INVALID_PATH' })
  assert.equal(hex(encodePath(['a', 1])), '82616101')
  assert.equal(hex(encodeKeyAsPath('a')), '816161')
})

function revokedArray() {
  const { proxy, revoke } = Proxy.revocable([], {})
  revoke()
  return proxy
}

test('values are whole wherever the buffer they are written into ends', () => {
  for (let length = 0; length < 40; length++) {
    const text = 'x'.repeat(length)
    for (let written = 0; written < 200_000;) {
      const bytes = encodeValue([text])
      assert.equal(decode(bytes)[0], text)
      written += bytes.length
    }
  }
})
