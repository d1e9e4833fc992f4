// Values through a real store of the package: in memory with promises, in a folder without.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as konserve from 'konserve'
import { openStore as openSync } from 'konserve/sync'
import { exactCases, pollutingNames, refusedCases } from './values.cases.mjs'

const { KonserveError, openStore } = konserve
let folder
let memory
let files

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'konserve-values-'))
  memory = await openStore({ backend: 'memory' })
  files = openSync({ path: folder, syncBlob: false })
})
after(async () => {
  await memory?.close()
  files?.close()
  await rm(folder, { recursive: true, force: true })
})

for (const { name, value, back } of exactCases(konserve)) {
  test(`${name}: is kept exactly`, async () => {
    await memory.assoc(name, value)
    assert.deepStrictEqual(await memory.get(name, 'not found'), back)
    files.assoc(name, value)
    assert.deepStrictEqual(files.get(name, 'not found'), back)
    const inside = name.includes('512') ? undefined : value
    if (inside !== undefined) {
      await memory.assocIn(['inside', name], value)
      assert.deepStrictEqual(await memory.getIn(['inside', name]), back)
    }
  })
}

for (const { name, value, message, cause } of refusedCases) {
  test(`${name}: is refused, and what was there stays`, async () => {
    const refused = (error) => {
      assert.ok(error instanceof KonserveError)
      assert.deepEqual([error.code, error.key], ['INVALID_VALUE', name])
      assert.match(error.message, message)
      if (cause !== undefined) assert.equal(error.cause, cause)
      return true
    }
    await memory.assoc(name, 'before')
    await assert.rejects(memory.assoc(name, value), refused)
    await assert.rejects(
      memory.update(name, () => value),
      refused,
    )
    // The language itself looks for `then` in what an asynchronous function returns, and awaits promises.
    if (!/^Promise|get throws/.test(name))
      await assert.rejects(
        memory.update(name, async () => value),
        refused,
      )
    assert.equal(await memory.get(name), 'before')
    files.assoc(name, 'before')
    assert.throws(() => files.assoc(name, value), refused)
    assert.equal(files.get(name), 'before')
  })
}

const twins = [
  ['two equal bytes as keys of a Map', new Map([[Uint8Array.of(1), 1], [Uint8Array.of(1), 2]])], // prettier-ignore
  ['two equal objects in a Set', new Set([{ a: 1 }, { a: 1 }])],
  ['two equal dates in a Set, inside', { list: [new Set([new Date(0), new Date(0)])] }],
]
for (const [name, value] of twins) {
  test(`${name}: is refused`, async () => {
    await assert.rejects(memory.assoc('twins', value), { code: 'INVALID_VALUE', message: /twice/ })
    assert.throws(() => files.assoc('twins', value), { code: 'INVALID_VALUE' })
    assert.equal(await memory.exists('twins'), false)
  })
}

test('513 levels are one too many', async () => {
  const deep = Array.from({ length: 513 }).reduce((inner) => [inner], 0)
  await assert.rejects(memory.assoc('deep', deep), { code: 'LIMIT_EXCEEDED', key: 'deep' })
})

test('every kind of key is its own key', async () => {
  const { Keyword, Symbol_, Uuid, Ratio, Decimal, Char, Tagged } = konserve
  const store = await openStore({ backend: 'memory' })
  const keys = [
    '', 'a', 0, 1, -1, 1.5, Number.NaN, Infinity, 2 ** 53, 1n, 2n ** 70n, -1n, null, true, false, [], ['a'], [['a']],
    {}, { a: 1 }, new Map(), new Map([[1, 2]]), new Set(), new Set([1]), new Date(0), new Date(1), Uint8Array.of(1),
    Float64Array.of(1), Uint8Array.of(1).buffer, /a/, /a/g, Keyword.of('a'), Symbol_.of('a'), new Char('a'),
    new Uuid('123e4567-e89b-12d3-a456-426614174000'), new Ratio(1, 3), Decimal.parse('1.0'), Decimal.parse('1.00'),
    new Tagged(1234, 'a'), '__proto__', 'k\0', 'é', '🌍',
  ] // prettier-ignore
  for (const [at, key] of keys.entries()) await store.assoc(key, at)
  for (const [at, key] of keys.entries()) assert.equal(await store.get(key), at, String(at))
  assert.equal((await store.keys().toArray()).length, keys.length)
  assert.equal(await store.get(-0), keys.indexOf(0), '-0 is 0')
  assert.equal(await store.get(new Set([1])), await store.get(new Set([1])))
  await store.assoc({ x: 1, y: 2 }, 'object')
  assert.equal(await store.get({ y: 2, x: 1 }), 'object', 'the order of properties does not matter')
})

for (const name of pollutingNames) {
  for (const depth of [0, 1, 2]) {
    const before = () => [Object.prototype, Array.prototype, Map.prototype].map((p) => Reflect.ownKeys(p).length).join()
    const untouched = (was) => {
      assert.equal({}.polluted, undefined)
      assert.equal([].polluted, undefined)
      assert.equal(before(), was)
    }
    const own = (value) =>
      Object.defineProperty({}, name, { value, enumerable: true, writable: true, configurable: true })

    test(`${name} in a value, ${depth} deep, pollutes nothing`, async () => {
      const was = before()
      const value = Array.from({ length: depth }).reduce((inner) => ({ inner }), own({ polluted: true }))
      await memory.assoc('pollution', value)
      assert.deepStrictEqual(await memory.get('pollution'), value)
      untouched(was)
    })

    test(`${name} as step of a path, ${depth} deep, pollutes nothing`, async () => {
      const was = before()
      const path = ['pollution by path', ...Array.from({ length: depth }, () => 'inner'), name]
      await memory.dissoc(path[0])
      assert.equal(await memory.getIn(path, 'none'), 'none', 'what objects inherit is not found')
      await memory.assocIn([...path, 'polluted'], true)
      assert.equal(await memory.getIn([...path, 'polluted']), true)
      const [, now] = await memory.updateIn([...path, 'polluted'], (old) => [old])
      assert.deepStrictEqual(now, [true])
      const root = await memory.getIn(path.slice(0, -1))
      assert.deepStrictEqual(root, own({ polluted: [true] }))
      assert.equal(await memory.dissocIn(path), true)
      assert.deepStrictEqual(await memory.getIn(path.slice(0, -1)), {})
      untouched(was)
    })

    test(`${name} in options, ${depth} deep, pollutes nothing`, async () => {
      const was = before()
      const payload = Array.from({ length: depth }).reduce((inner) => own(inner), own({ polluted: true }))
      await memory.assoc('pollution by meta', 1, { meta: payload })
      const meta = await memory.getMeta('pollution by meta')
      assert.deepStrictEqual(meta[name], payload[name])
      assert.ok(Object.hasOwn(meta, name))
      await assert.rejects(memory.assoc('x', 1, payload), { code: 'INVALID_CONFIG' })
      await assert.rejects(openStore({ backend: 'memory', ...payload }), { code: 'INVALID_CONFIG' })
      assert.throws(() => memory.keys(payload) && openSync({ backend: 'memory', ...payload }), {
        code: 'INVALID_CONFIG',
      })
      untouched(was)
    })
  }
}

test('a getter of a value may call the store', async () => {
  let inner
  const value = {
    before: 'x'.repeat(300),
    get nested() {
      inner = memory.assoc('from a getter', { deep: 'y'.repeat(1000) })
      files.assoc('from a getter', [1, 2, 3])
      return files.get('from a getter')
    },
    after: 'z',
  }
  await memory.assoc('with a getter', value)
  await inner
  assert.deepStrictEqual(await memory.get('with a getter'), { before: 'x'.repeat(300), nested: [1, 2, 3], after: 'z' })
  assert.deepStrictEqual(await memory.get('from a getter'), { deep: 'y'.repeat(1000) })
})

test('what was given, and what was got, may be changed without the store noticing', async () => {
  const value = { list: [1], bytes: Uint8Array.of(1) }
  const written = memory.assoc('mine', value)
  value.list.push(2)
  value.bytes[0] = 9
  await written
  const got = await memory.get('mine')
  got.list.push(3)
  assert.deepStrictEqual(await memory.get('mine'), { list: [1], bytes: Uint8Array.of(1) })
})
