// Stores that Clojure's konserve wrote, read and written by the package, entry for entry as their manifests say.

import assert from 'node:assert/strict'
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import * as promised from 'konserve'
import { Keyword, Tagged } from 'konserve'
import * as sync from 'konserve/sync'
import { readEdn } from './helpers/edn.mjs'

const fixtures = fileURLToPath(new URL('../../shared/fixtures/konserve/', import.meta.url))
const stores = existsSync(fixtures)
  ? readdirSync(fixtures).filter((name) => existsSync(join(fixtures, name, 'store')))
  : []
if (stores.length === 0) {
  test('stores that Clojure wrote', { skip: `there is no folder ${fixtures}, which holds them` }, () => {})
}

const scratch = mkdtempSync(join(tmpdir(), 'konserve-fixtures-'))
after(() => rmSync(scratch, { recursive: true }))
let folders = 0
const folder = () => join(scratch, String((folders += 1)))

const KEYS = { 'aeskeys-bytes': Uint8Array.from({ length: 32 }, (_, at) => at) }

/** What the config must say to read a store, and what to write one like it. */
function configOf(name, { serializer, compressor, encryptor }) {
  const key = KEYS[name] ?? 's3cr3t'
  return {
    opening: encryptor ? { encryptor: { type: 'aes', key } } : {},
    likeIt: {
      layout: 'konserve',
      serializer: serializer.startsWith('Fressian') ? 'fressian' : 'cbor',
      compressor: compressor ?? 'none',
    },
  }
}

/** A store of its own, byte for byte as Clojure left it. */
function copyOf(name) {
  const path = folder()
  cpSync(join(fixtures, name, 'store'), path, { recursive: true })
  chmodSync(path, 0o755)
  for (const file of readdirSync(path)) chmodSync(join(path, file), 0o644)
  return path
}

/** EDN as it is read here, but for the one key that no reader of EDN can read. */
function readText(text, serializer) {
  const spaced = Keyword.of('with space')
  if (text === ':with space') return spaced
  const value = readEdn(text.replace(':key :with space', ':key :with-space'), serializer)
  if (text.includes(':key :with space')) value.set(Keyword.of('key'), spaced)
  return value
}

/** The metadata that `getMeta` gives, of the map that konserve has. */
function metaOf(map) {
  const {
    key,
    type,
    'last-write': lastWrite,
    ...own
  } = Object.fromEntries([...map].map(([name, value]) => [name.text, value]))
  return { key, type: type.text, lastWrite, ...own }
}

function entriesOf(name) {
  const { config, entries } = JSON.parse(readFileSync(join(fixtures, name, 'manifest.json'), 'utf8'))
  const serializer = configOf(name, config).likeIt.serializer
  const all = entries
    .filter(({ kind }) => kind !== null)
    .map(({ file, kind, key: text, value, meta }) => ({
      file,
      kind,
      source: value,
      text,
      key: text === null ? undefined : readText(text, 'fressian'),
      value: readText(value, serializer),
      meta: metaOf(readText(meta, serializer)),
    }))
  const damaged = entries.filter(({ kind }) => kind === null).map(({ file }) => file.replace('.ksv', ''))
  return { config: configOf(name, config), all, damaged: damaged.sort() }
}

const textOf = (value) => JSON.stringify(value, (_, it) => plain(it))

/** For messages, and to sort by. */
function plain(value) {
  if (typeof value === 'bigint') return `${value}n`
  if (Object.is(value, -0) || Number.isNaN(value) || Math.abs(value) === Infinity) return String(value)
  if (value instanceof Map) return { map: [...value].map(textOf).sort() }
  if (value instanceof Set) return { set: [...value].map(textOf).sort() }
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} ${value}`
  if (value instanceof RegExp) return String(value)
  const type = value?.constructor
  return type === undefined || [Array, Object, String, Number, Boolean].includes(type)
    ? value
    : { [type.name]: { ...value } }
}

const sorted = (list) => [...list].sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1))

async function collect(listing) {
  const all = []
  let error
  try {
    for await (const entry of listing) all.push(entry)
  } catch (thrown) {
    error = thrown
  }
  return { all, error }
}

/** The elements of a log in their order, of what the manifest has: each names the next. */
function elementsOf(head, entries) {
  const of = (element, name) => element.get(Keyword.of(name))
  const left = entries.map(({ value }) => value)
  const elements = []
  for (let next = null; left.length > 0; next = elements.length === 1 ? head[1] : undefined) {
    // Only the last two, and one before them, can be told by what they point to.
    const at = next === undefined ? 0 : left.findIndex((element) => of(element, 'next')?.text === next?.text)
    assert.ok(at >= 0 && (next !== undefined || left.length === 1))
    elements.unshift(...left.splice(at, 1))
  }
  return elements.map((element) => of(element, 'elem'))
}

/** What Clojure prints of a value that was read: of this class of incognito's its fields, of its reader's metadata nothing. */
function asPrinted(value) {
  if (Array.isArray(value)) return value.map(asPrinted)
  if (value instanceof Map) return new Map([...value].map(([key, value]) => [asPrinted(key), asPrinted(value)]))
  const [name, fields] = value instanceof Tagged && value.tag === 27 ? value.value : []
  if (name === 'clojure/with-meta' && fields[0].has(Keyword.of('line'))) return asPrinted(fields[1])
  return name === 'incognito.base/IncognitoTaggedLiteral' ? asPrinted(fields) : value
}

/** Whether a key is a number that is another one in JavaScript: a whole double, a float that is not as short as a double. */
function isOtherNumber(text) {
  return (
    text.startsWith('#konserve/float 0.1') ||
    (/^-?\d+\.\d+(E\d+)?$/.test(text) && Number.isSafeInteger(Number(text)) && text !== '-0.0')
  )
}

for (const name of stores) {
  describe(`a store of Clojure's: ${name}`, () => {
    const { config, all, damaged } = entriesOf(name)
    const heads = all.filter(({ kind }) => kind !== 'log-element')
    const elements = (key) => all.filter(({ kind, meta }) => kind === 'log-element' && textOf(meta.key) === textOf(key))

    for (const [view, konserve] of [
      ['konserve', promised],
      ['konserve/sync', sync],
    ]) {
      test(`${view}: every key, with its kind and metadata, and what is damaged is named`, async () => {
        const store = await konserve.connectStore({ path: copyOf(name), access: 'read', ...config.opening })
        const { all: metas, error } = await collect(store.keys())
        assert.deepStrictEqual(
          sorted(metas.map((meta) => ({ ...meta, key: asPrinted(meta.key) }))),
          sorted(heads.map(({ meta }) => meta)),
        )
        if (damaged.length === 0) assert.equal(error, undefined)
        else {
          assert.equal(error.code, 'CORRUPT')
          assert.ok(error.message.includes(`${damaged[0]} and ${damaged.length - 1} more`), error.message)
          const { corrupt } = await store.verify()
          assert.deepStrictEqual(corrupt.map((blob) => blob.name.replace('.ksv', '')).sort(), damaged)
        }
        await store.close()
      })

      test(`${view}: every value, binary and element of a log`, async () => {
        const store = await konserve.connectStore({ path: copyOf(name), access: 'read', ...config.opening })
        const { all: entries } = await collect(store.entries())
        const expected = heads.map(({ meta, value }) => [meta.key, value])
        const [had, wanted] = [sorted(entries.map(asPrinted)), sorted(expected)]
        assert.equal(had.length, wanted.length)
        had.forEach((entry, at) => assert.deepStrictEqual(entry, wanted[at]))
        for (const { kind, value, meta } of heads) {
          if (kind === 'binary') assert.deepStrictEqual(await store.bget(meta.key), value)
          if (kind === 'log-head')
            assert.deepStrictEqual(await store.log(meta.key), elementsOf(value, elements(meta.key)))
        }
        await store.close()
      })

      test(`${view}: each is found by its key`, async () => {
        const store = await konserve.connectStore({ path: copyOf(name), access: 'read', ...config.opening })
        for (const { kind, key, value } of heads.filter(({ text }) => !isOtherNumber(text))) {
          assert.equal(await store.exists(key), true, textOf(key))
          if (kind === 'edn') assert.deepStrictEqual(asPrinted(await store.get(key)), value, textOf(key))
        }
        await store.close()
      })
    }

    for (const keywords of [undefined, 'strings']) {
      const how = keywords === undefined ? '' : `, with keywords: '${keywords}'`
      test(`what was read is written to a store like it, and is the same${how}`, async () => {
        const path = folder()
        const usual = await promised.connectStore({ path: copyOf(name), access: 'read', ...config.opening })
        const from = await promised.connectStore({ path: copyOf(name), access: 'read', keywords, ...config.opening })
        const to = await promised.createStore({ path, syncBlob: false, keywords, ...config.likeIt, ...config.opening })
        const { all: entries } = await collect(from.entries({ type: 'edn' }))
        for (const [key, value] of entries) {
          await to.assoc(key, value)
          assert.deepStrictEqual(await to.get(key), value)
        }
        await to.close()
        const again = await promised.connectStore({ path, ...config.opening })
        // Of keys that are one in JavaScript the last counts.
        const { all: before } = await collect(usual.entries({ type: 'edn' }))
        const last = new Map(before.map((entry) => [textOf(asPrinted(entry[0])), asPrinted(entry)]))
        const { all: written } = await collect(again.entries())
        assert.deepStrictEqual(sorted(written.map(asPrinted)), sorted(last.values()))
        for (const store of [usual, from, again]) await store.close()
        if (name.startsWith('fressian-none-none')) sameBytes(join(fixtures, name, 'store'), path, all)
      })
    }
  })
}

/** Whether a text of EDN has a number that JavaScript has none for: a whole double, a float, an integer beyond ±2^53. */
function hasOtherNumber(text) {
  return (
    /#konserve\/float|\d\.0+\b/.test(text) ||
    (text.match(/-?\b\d{16,}\b/g) ?? []).some((n) => !Number.isSafeInteger(Number(n)))
  )
}

/** Values are the same bytes as Clojure's, but for such numbers. */
function sameBytes(before, after, entries) {
  const valueOf = (path) => {
    const blob = readFileSync(path)
    return blob.subarray(20 + blob.readUInt32BE(4)).toString('hex')
  }
  for (const { kind, file, source } of entries) {
    if (kind !== 'edn' || hasOtherNumber(source)) continue
    assert.equal(valueOf(join(after, file)), valueOf(join(before, file)), source)
  }
}
