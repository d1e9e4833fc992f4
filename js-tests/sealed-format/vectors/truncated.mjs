// Blobs that are cut, or go on.

import { concat, filled, patched, u32 } from '../bytes.mjs'
import { assemble, rechecked, split } from '../blob.mjs'
import { H } from '../hash.mjs'
import { forge, refused } from './stores.mjs'

/** Where something ends in a blob of each kind, besides its header and its meta section. */
const ENDS = { plain: { 'the size': 28, 'the digest': 60 }, raw: { 'the key id': 28, 'the salt': 60 } }

export async function truncated(group, { plain, raw }) {
  for (const store of [plain, raw]) {
    const right = await forge(store, { value: 'a longer value' })
    cutBlob(group, store, right)
    cutMeta(group, store, right)
    appended(group, store, right)
  }
  await cutValue(group, plain)
}

function cutBlob(group, store, right) {
  const metaEnd = 20 + split(right.blob).meta.length
  const inner = store.encrypted ? { 'the ciphertext of meta': metaEnd - 32 } : {}
  const ends = { 'the lengths': 8, 'the header': 20, ...ENDS[store.title], ...inner, 'the meta section': metaEnd }
  const cut = (title, length) => group.changed(store, title, right, (blob) => blob.slice(0, length), refused(store))
  cut('one byte', 1)
  for (const [what, end] of Object.entries(ends)) {
    cut(`cut a byte before the end of ${what}`, end - 1)
    cut(`cut at the end of ${what}`, end)
    cut(`cut a byte after the end of ${what}`, end + 1)
  }
  cut('the last 16 bytes cut', right.blob.length - 16)
}

/** Meta sections of other lengths, with the length and the check made right. */
function cutMeta(group, store, right) {
  const { meta, value, head } = split(right.blob)
  const lengths = store.encrypted
    ? [0, 8, 40, 71, 72, 73, 88, meta.length - 32, meta.length - 16, meta.length - 1]
    : [0, 8, 39, 40, 41, meta.length - 1]
  const options = { met: 'get' }
  for (const length of lengths) {
    const blob = assemble(right.name, patched(head, 4, u32(length)), meta.slice(0, length), value)
    group.blob(store, `meta section of ${length} bytes, check made right`, { ...right, blob }, refused(store), options)
    // The bytes that are left go to the value: the blob is as long as it was.
    const moved = rechecked(right.name, patched(right.blob, 4, u32(length)))
    group.blob(store, `meta length ${length}, check made right`, { ...right, blob: moved }, refused(store), options)
  }
}

function appended(group, store, right) {
  const { meta, value, head } = split(right.blob)
  const code = refused(store)
  group.changed(store, 'a zero appended', right, (blob) => concat(blob, filled(1, 0)), code)
  group.changed(store, '16 bytes appended', right, (blob) => concat(blob, filled(16, 16)), code)
  group.changed(store, 'the blob twice', right, (blob) => concat(blob, blob), code)
  group.changed(store, 'its value twice', right, (blob) => concat(blob, value), code)
  for (const length of [1, 16]) {
    const longer = concat(meta, filled(length, 0))
    const blob = assemble(right.name, patched(head, 4, u32(longer.length)), longer, value)
    group.blob(store, `${length} bytes after meta, check made right`, { ...right, blob }, code)
    const moved = rechecked(right.name, patched(right.blob, 4, u32(longer.length)))
    group.blob(store, `meta ${length} bytes longer, check made right`, { ...right, blob: moved }, code)
  }
}

/** In a plain store whoever cuts can make the digest right too. */
async function cutValue(group, plain) {
  const content = (await forge(plain, { value: 'a longer value' })).blob.slice(-15)
  for (const length of [0, 1, 14]) {
    const section = content.slice(0, length)
    const put = async (title, size) =>
      group.blob(plain, title, await forge(plain, { content: section, digest: H(section), size }), 'CORRUPT')
    await put(`value of ${length} bytes, digest made right`, content.length)
    await put(`value of ${length} bytes, digest and size made right`, length)
  }
}
