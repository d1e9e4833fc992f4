// Sections and headers of one write with those of another.

import { concat, filled, patched } from '../bytes.mjs'
import { assemble, kidOf, rechecked, split } from '../blob.mjs'
import * as lz4 from '../lz4.mjs'
import { forge, K, NEW_K, OTHER_SALT, refused } from './stores.mjs'

const LONG = 'a'.repeat(40)

export async function mixed(group, stores) {
  for (const store of [stores.plain, stores.raw]) await sections(group, store)
  await headers(group, stores)
  await fields(group, stores)
  await blocks(group, stores.raw)
}

async function sections(group, store) {
  const first = await forge(store, { value: 'v' })
  const put = (title, head, meta, value) =>
    group.blob(store, title, { ...first, blob: assemble(first.name, head, meta, value) }, refused(store))
  const { head, meta } = split(first.blob)
  const others = {
    'of another write': { value: 'w', salt: OTHER_SALT },
    'of another write with the same salt': { value: 'w' },
    'of another key with the same salt': { key: 'other', value: 'w' },
    'of a longer value': { value: LONG, salt: OTHER_SALT },
  }
  for (const [title, parts] of Object.entries(others)) {
    const second = split((await forge(store, parts)).blob)
    put(`the value section ${title}`, head, meta, second.value)
    put(`header and meta section ${title}`, second.head, second.meta, split(first.blob).value)
  }
}

/** A header that says something else; in a plain store what it says is believed. */
async function headers(group, { plain, raw }) {
  const byte = (at, value) => (blob, name) => rechecked(name, patched(blob, at, [value]))
  const right = { plain: await forge(plain, { value: LONG }), raw: await forge(raw, { value: LONG }) }
  for (const serializer of [0, 1, 2, 128, 255])
    group.changed(raw, `serializer ${serializer}, check made right`, right.raw, byte(1, serializer), 'AUTHENTICATION')
  for (const serializer of [2, 127, 128, 255])
    group.changed(plain, `serializer ${serializer}, check made right`, right.plain, byte(1, serializer), 'UNSUPPORTED')
  const compressors = [
    [1, 'CORRUPT'],
    [2, 'CORRUPT'],
    [3, 'UNSUPPORTED'],
    [255, 'UNSUPPORTED'],
  ]
  for (const [compressor, code] of compressors) {
    const title = `compressor ${compressor}, check made right`
    group.changed(plain, title, right.plain, byte(2, compressor), code)
    group.changed(raw, title, right.raw, byte(2, compressor), 'AUTHENTICATION')
  }
  for (const store of [plain, raw]) {
    const packed = await forge(store, { content: lz4.write(new Uint8Array([0x61, 0x76])), size: 2, compressor: 1 })
    const title = 'compressor 0 of what is compressed, check made right'
    group.changed(store, title, packed, byte(2, 0), store.encrypted ? 'AUTHENTICATION' : 'CORRUPT')
  }
}

/** Parts of one meta section in another. */
async function fields(group, { raw, rekeyed }) {
  const right = await forge(raw)
  const [same, other] = [await forge(raw, { value: 'w' }), await forge(raw, { value: 'w', salt: OTHER_SALT })]
  const meta = (blob) => split(blob).meta
  const taken = (from, start, end) => (blob, name) => {
    const at = start < 0 ? meta(blob).length + start : start
    return rechecked(name, patched(blob, 20 + at, meta(from.blob).slice(at, end)))
  }
  const put = (title, change) => group.changed(raw, `${title}, check made right`, right, change, 'AUTHENTICATION')
  put('the salt of another write', taken(other, 8, 40))
  put('the ciphertext of another write', taken(other, 40, -32))
  put('the ciphertext of another write with the same salt', taken(same, 40, -32))
  put('the tag of another write', taken(other, -32))
  put('the tag of another write with the same salt', taken(same, -32))
  put('all but the tag of another write with the same salt', taken(same, 0, -32))
  for (const [title, lock, kid] of [
    ['the older', NEW_K, K],
    ['the newer', K, NEW_K],
  ]) {
    const locked = await forge(rekeyed, { lock })
    const change = (blob, name) => rechecked(name, patched(blob, 20, kidOf(kid)))
    group.changed(rekeyed, `the id of ${title} key, check made right`, locked, change, 'AUTHENTICATION')
  }
}

/** Blocks of the ciphertext in another order or number. */
async function blocks(group, raw) {
  const right = await forge(raw, { value: LONG })
  const { head, meta, value } = split(right.blob)
  const block = (n) => value.slice(16 * n, 16 * n + 16)
  const put = (title, section) =>
    group.blob(raw, title, { ...right, blob: assemble(right.name, head, meta, section) }, 'AUTHENTICATION')
  put('two blocks of the value exchanged', concat(block(1), block(0), block(2)))
  put('the first block of the value gone', value.slice(16))
  put('the last block of the value gone', value.slice(0, -16))
  put('a block of the value twice', concat(block(0), block(0), block(1), block(2)))
  put('the value empty', new Uint8Array())
  put('the value all zero', filled(value.length, 0))
  put('the ciphertext of meta as the value', meta.slice(40, -32))
}
