// What is wrong although every check, digest and tag is right: only who has the keys can have written it.

import { concat, filled, unhex } from '../bytes.mjs'
import { canonical, encode } from '../cbor-write.mjs'
import { encrypt, encryptUnpadded, H } from '../hash.mjs'
import { elementKey } from '../log.mjs'
import * as lz4 from '../lz4.mjs'
import { writeMap } from '../meta.mjs'
import { nameOf } from '../names.mjs'
import * as zstd from '../zstd.mjs'
import { CREATED, entry, forge, mapOf, refused, RIGHT } from './stores.mjs'

export async function behind(group, stores) {
  for (const store of [stores.plain, stores.raw, stores.passphrase]) await maps(group, store)
  for (const store of [stores.plain, stores.raw]) {
    await prefixes(group, store)
    await names(group, store)
    await values(group, store)
    await frames(group, store)
    await logs(group, store)
  }
  await padding(group, stores.raw)
}

const putter =
  (group, store) =>
  async (title, parts, code = 'CORRUPT', options) =>
    group.blob(store, title, await forge(store, parts), code, options)

async function maps(group, store) {
  const put = putter(group, store)
  for (const name of Object.keys(RIGHT)) await put(`a map without ${name}`, { map: mapOf({ [name]: undefined }) })
  const wrong = {
    type: { 'of no kind': encode('value'), 'as a number': encode(1), 'as bytes': encode(unhex('65646e')) },
    'last-write': { 'as a text': encode('now'), negative: encode(-1), 'as a float': unhex('fb4000000000000000') },
    expires: { 'as a text': encode('never'), negative: encode(-1), null: encode(null) },
    user: { 'as an array': encode([]), 'as a text': encode('mine') },
  }
  for (const [name, values] of Object.entries(wrong))
    for (const [what, value] of Object.entries(values)) {
      const own = name === 'last-write' ? 'lastWrite' : name
      await put(`${name} ${what}`, { map: mapOf({ [own]: entry(name, value) }) })
    }
  await put('no map', { map: encode(['key']) })
  await put('no byte of a map', { map: new Uint8Array() })
  await put('a map that is cut', { map: mapOf({}).slice(0, -1) })
  await put('a byte after the map', { map: concat(mapOf({}), filled(1, 0)) })
  await put('two maps', { map: concat(mapOf({}), mapOf({})) })
  await put('a map with an entry twice', { map: mapOf({ again: RIGHT.type }) })
  await put('a map of indefinite length', { map: concat(unhex('bf'), mapOf({}).slice(1), unhex('ff')) })
  await put('a map in a tag', { map: concat(unhex('d90103'), mapOf({})) })
  await put('user entries with a key twice', { map: mapOf({ user: entry('user', unhex('a2616100616101')) }) })
}

async function prefixes(group, store) {
  const put = putter(group, store)
  const right = concat(filled(8, 0), filled(32, 1), writeMap({ key: 'k', type: 'edn', lastWrite: CREATED }))
  for (const length of [0, 7, 8, 39, 40]) await put(`meta of ${length} bytes`, { prefixed: right.slice(0, length) })
  await put('a digest of zeros', { digest: filled(32, 0) }, refused(store))
  await put('the digest of another value', { digest: H(encode('w')) }, refused(store))
  if (store.encrypted)
    await put('the digest of the value before encryption', { digest: H(encode('v')) }, refused(store))
}

/** Keys that are not canonical, or not those of the blob's name. */
async function names(group, store) {
  const put = putter(group, store)
  const { name } = await forge(store)
  const keyed = (key) => mapOf({ key: entry('key', key) })
  await put('another key in meta', { map: keyed(canonical('other')) })
  await put('a longer head of the key', { map: keyed(unhex('78016b')) })
  const forms = {
    'the integer 1 as a float': 'fb3ff0000000000000',
    'the integer 1 with a longer head': '1801',
    'a float that is not the shortest': 'fb3ff8000000000000',
    '-0': 'f98000',
    'another NaN': 'f97e01',
    'a bigint with a zero in front': 'c2420001',
    'a map with its entries in another order': 'a2616200616100',
    'a set with its members in another order': 'd90102820201',
    undefined: 'f7',
  }
  for (const [title, form] of Object.entries(forms)) {
    const key = unhex(form)
    const parts = { name: nameOf(key, store.nameKey), map: keyed(key) }
    await put(`a key that is not canonical: ${title}`, parts, 'CORRUPT', { met: 'list' })
  }
  await put('a key that is two items', { name, map: keyed(concat(canonical('k'), canonical('k'))) })
}

async function values(group, store) {
  const put = putter(group, store)
  const v = encode('v')
  for (const size of [0, 1, 3, 16]) await put(`a size of ${size} in place of 2`, { size })
  await put('no item', { content: new Uint8Array() })
  await put('two items', { content: concat(v, v) })
  await put('an item that is cut', { content: v.slice(0, 1) })
  await put('a size that is too small of a binary', { type: 'binary', content: filled(16, 1), size: 15 })
  await put('a size that is too large of a binary', { type: 'binary', content: filled(16, 1), size: 17 })
  for (const serializer of [2, 4, 127, 128, 255]) await put(`serializer ${serializer}`, { serializer }, 'UNSUPPORTED')
  for (const compressor of [3, 127, 255]) await put(`compressor ${compressor}`, { compressor }, 'UNSUPPORTED')
  const items = {
    'a map with a key twice': 'a2616100616101',
    'a Map with a key twice': 'd90103a201000102',
    'a set with a member twice': 'd90102820101',
    'an array of indefinite length': '9f01ff',
    'a text of indefinite length': '7f6176ff',
    'invalid UTF-8': '61ff',
    'a surrogate in UTF-8': '63eda080',
    'a reserved head': '1c',
    'a simple value of one byte': 'f8ff',
    'a lonely break': 'ff',
    'a time that is no number': 'c1f6',
    'a date that is none': 'c074323032332d30322d33305430303a30303a30305a',
    'a bignum of a text': 'c26101',
    'a set of a map': 'd90102a0',
    'a Map of an array': 'd9010380',
  }
  for (const [title, item] of Object.entries(items)) await put(`the value is ${title}`, { content: unhex(item) })
}

async function frames(group, store) {
  const put = putter(group, store)
  const [content, size] = [encode('a'.repeat(30)), 32]
  for (const [title, compressor, { write }] of [
    ['LZ4', 1, lz4],
    ['zstd', 2, zstd],
  ]) {
    const frame = write(content)
    const of = (what, bytes, length = size) => put(`${title}: ${what}`, { content: bytes, compressor, size: length })
    await of('no frame', content)
    await of('nothing', new Uint8Array())
    await of('two frames', concat(frame, frame))
    await of('an empty frame after it', concat(frame, write(new Uint8Array())))
    await of('a byte after it', concat(frame, filled(1, 0)))
    await of('cut', frame.slice(0, -1))
    await of('only its magic number', frame.slice(0, 4))
    await of('less than the size', frame, size + 1)
    await of('more than the size', frame, size - 1)
    await of('a skippable frame', concat(unhex('502a4d1804000000'), filled(4, 0)), 0)
    await of('a skippable frame before it', concat(unhex('502a4d1804000000'), filled(4, 0), frame))
  }
}

async function logs(group, store) {
  const put = putter(group, store)
  const [key, type, id] = ['log', 'append-log', filled(16, 0xa0)]
  const log = { met: 'log' }
  const heads = {
    'no array': 'log',
    'two entries': [id, 0],
    'four entries': [id, 0, 1, 2],
    'an id of 15 bytes': [filled(15, 0xa0), 0, 1],
    'an id that is a text': ['a'.repeat(16), 0, 1],
    'a negative first': [id, -1, 1],
    'a next that is a text': [id, 0, '1'],
    'its end before its beginning': [id, 2, 1],
  }
  for (const [title, value] of Object.entries(heads))
    await put(`a log's head: ${title}`, { key, type, value }, 'CORRUPT', log)
  const head = { key, type, value: [id, 0, 2] }
  const element = (n, parts) => forge(store, { key: elementKey(id, n), type: 'log-element', value: n, ...parts })
  await put('a log without its elements', head, 'CORRUPT', log)
  await put('a log without its last element', head, 'CORRUPT', { ...log, others: [await element(0)] })
  const others = [await element(0), await element(1, { type: 'edn' })]
  await put('a log with a value as an element', head, 'CORRUPT', { ...log, others })
  await put('a log of 2^53 elements that are not there', { key, type, value: [id, 0, 2 ** 53] }, 'CORRUPT', log)
}

/** Ciphertexts that are not what CBC with padding gives. */
async function padding(group, raw) {
  const put = putter(group, raw)
  const block = filled(16, 0x61)
  const broken = { 'none, the last byte is 0': 0, 'none, the last byte is 17': 17, 'the last byte is 2 after a 1': 2 }
  const map = writeMap({ key: 'k', type: 'edn', lastWrite: CREATED })
  const prefix = concat(filled(7, 0), unhex('02'), filled(32, 1), map)
  for (const [title, byte] of Object.entries(broken)) {
    const end = new Uint8Array([1, byte])
    const padded = concat(prefix, filled((32 - ((prefix.length + 2) % 16)) % 16, 0x61), end)
    await put(`padding of meta: ${title}`, { prefixed: padded, ciphers: [encryptUnpadded, encrypt] })
    const content = concat(block.slice(0, 14), end)
    await put(`padding of the value: ${title}`, { content, size: 14, ciphers: [encrypt, encryptUnpadded] })
  }
  const sections = { 'no byte': 0, '1 byte': 1, '15 bytes': 15, '17 bytes': 17 }
  for (const [title, length] of Object.entries(sections)) {
    const cipher = () => filled(length, 0x61)
    await put(`a ciphertext of the value of ${title}`, { ciphers: [encrypt, cipher] })
    await put(`a ciphertext of meta of ${title}`, { ciphers: [cipher, encrypt] })
  }
  await put('a value that is not encrypted', { content: block, ciphers: [encrypt, (key, iv, plain) => plain] })
}
