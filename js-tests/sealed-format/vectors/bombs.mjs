// Numbers that would make a reader work, or allocate, without end.

import { concat, filled, patched, u32, unhex } from '../bytes.mjs'
import { assemble, rechecked, split } from '../blob.mjs'
import { encode } from '../cbor-write.mjs'
import * as lz4 from '../lz4.mjs'
import * as zstd from '../zstd.mjs'
import { writeSlot } from '../slots.mjs'
import {
  COSTS,
  entry,
  forge,
  ID,
  K,
  mapOf,
  NAME_KEY,
  PASSPHRASE,
  RAW_KEY,
  recordOf,
  refused,
  SLOT_SALT,
} from './stores.mjs'

const MIB = 1 << 20
const LIMIT = 256 * MIB
const MOST = 2 ** 32 - 1

export async function bombs(group, stores) {
  await costs(group, stores)
  await slots(group, stores)
  for (const store of [stores.plain, stores.raw]) {
    await lengths(group, store)
    await sizes(group, store)
    await frames(group, store)
    await items(group, store)
  }
}

/** Slots whose tag is right: made with these costs where Argon2id has them, and else only saying so. */
async function costs(group, { passphrase, raw }) {
  const put = async (title, slot, store = passphrase, secret = PASSPHRASE) =>
    group.record(store, title, await recordOf({ secret, slot }), 'WRONG_KEY')
  for (const cost of [{ t: 17 }, { m: 40, p: 5 }, { m: 64, p: 8 }, { m: 262145 }])
    await put(`a slot made with ${JSON.stringify(cost)}`, { costs: { ...COSTS, ...cost } })
  const said = [{ t: 0 }, { t: MOST }, { p: 0 }, { p: 2 ** 24 }, { p: MOST }, { m: 0 }, { m: 7 }, { m: 31, p: 4 }]
  for (const cost of [...said, { m: 2 ** 31 }, { m: MOST }, { m: MOST, t: MOST, p: MOST }])
    await put(`a slot that says ${JSON.stringify(cost)}`, { written: { ...COSTS, ...cost } })
  for (const kdf of [0, 2, 255]) await put(`a slot of kdf ${kdf}`, { kdf })
  for (const kdf of [1, 2, 255]) await put(`a slot of kdf ${kdf}`, { kdf }, raw, RAW_KEY)
  for (const cost of ['m', 't', 'p']) {
    const written = { m: 0, t: 0, p: 0, [cost]: 1 }
    await put(`a slot of kdf 0 that says ${JSON.stringify({ [cost]: 1 })}`, { written }, raw, RAW_KEY)
  }
}

/** How many slots a record has, and how many keys a slot. */
async function slots(group, { raw }) {
  const right = await writeSlot(ID, RAW_KEY, concat(NAME_KEY, K), SLOT_SALT)
  const put = async (title, slots) =>
    group.record(raw, title, await recordOf({ secret: RAW_KEY, slots }), 'CORRUPT', { silent: true })
  await put('no slot', [])
  await put('9 slots, of which the first opens', [right, ...new Array(8).fill(filled(141, 1))])
  await put('9 slots, of which the last opens', [...new Array(8).fill(filled(141, 1)), right])
  await put('1000 empty slots', new Array(1000).fill(filled(0, 0)))
  for (const length of [0, 16, 31, 32, 33, 65, 95, 97, 320, 3200]) {
    const record = await recordOf({ secret: RAW_KEY, secrets: filled(length, 0x33) })
    group.record(raw, `a slot of ${length} bytes of secrets`, record, 'WRONG_KEY')
  }
}

/** Lengths of meta that are too much, with and without so many bytes. */
async function lengths(group, store) {
  const right = await forge(store)
  const { head, meta, value } = split(right.blob)
  for (const length of [MIB + 1, 2 ** 31, MOST]) {
    const says = (blob, name) => rechecked(name, patched(blob, 4, u32(length)))
    group.changed(store, `a length of meta of ${length}, check made right`, right, says, refused(store))
  }
  const longer = concat(meta, filled(MIB + 1 - meta.length, 0))
  const blob = assemble(right.name, patched(head, 4, u32(longer.length)), longer, value)
  group.blob(store, 'meta of 1 MiB and a byte, check made right', { ...right, blob }, refused(store))
}

async function sizes(group, store) {
  const put = async (title, parts, code) => group.blob(store, title, await forge(store, parts), code)
  for (const size of [LIMIT + 1, 2 ** 32, 2 ** 53, 2n ** 63n, 2n ** 64n - 1n]) {
    await put(`a size of ${size}`, { size }, 'LIMIT_EXCEEDED')
    await put(`a size of ${size}, of a binary`, { size, type: 'binary', content: filled(16, 1) }, 'LIMIT_EXCEEDED')
  }
  for (const [title, size] of [
    ['the limit', LIMIT],
    ['1 GiB', 1 << 30],
  ]) {
    const code = size > LIMIT ? 'LIMIT_EXCEEDED' : 'CORRUPT'
    await put(`a size of ${title} of a few bytes under LZ4`, { size, compressor: 1, content: small(lz4) }, code)
    await put(`a size of ${title} of a few bytes under zstd`, { size, compressor: 2, content: small(zstd) }, code)
  }
}

const small = ({ write }) => write(encode('v'))

/** Frames that hold more than the size says, or say that they need more. */
async function frames(group, store) {
  // What is encrypted does not shrink in the file of the vectors.
  const most = store.encrypted ? 64 << 10 : 4 * MIB
  const put = async (title, compressor, content, code, size = 100) =>
    group.blob(store, title, await forge(store, { compressor, content, size }), code)
  const block = { bytes: lz4.run(0, most), stored: false }
  await put('a block of zeros under LZ4, a size of 100', 1, lz4.frame([block]), 'CORRUPT')
  await put('eight blocks of zeros under LZ4, a size of 100', 1, lz4.frame(new Array(8).fill(block)), 'CORRUPT')
  await put('LZ4 that says 2^62', 1, lz4.frame([block], { size: 2 ** 62 }), 'CORRUPT')
  const cutBlock = concat(lz4.frame([]).slice(0, 7), unhex('ffffff7f00'))
  await put('a block of LZ4 of 2^31 - 1', 1, cutBlock, 'CORRUPT')
  await put('zstd in 64 runs, 8 MiB, a size of 100', 2, zstd.frame(zstd.run(0, 8 * MIB)), 'CORRUPT')
  const runs = zstd.run(0, LIMIT + 1)
  await put(
    'zstd in runs, a byte over the limit, and so says the size',
    2,
    zstd.frame(runs),
    'LIMIT_EXCEEDED',
    LIMIT + 1,
  )
  await put('zstd that says 2^60', 2, zstd.write(encode('v'), { size: 2 ** 60 }), 'CORRUPT')
  for (const window of [24, 31, 41]) {
    const content = zstd.write(encode('v'), { window })
    await put(`zstd with a window of 2^${window}`, 2, content, 'LIMIT_EXCEEDED', 2)
  }
}

/** Items that say more than there is, or are too deep. */
async function items(group, store) {
  const put = async (title, content, code) => group.blob(store, title, await forge(store, { content }), code)
  const says = { 'an array': '9b', 'a map': 'bb', bytes: '5b', 'a text': '7b' }
  for (const [what, head] of Object.entries(says))
    for (const count of ['00000000ffffffff', '7fffffffffffffff', 'ffffffffffffffff'])
      await put(`${what} of 0x${count}`, unhex(`${head}${count}00`), 'CORRUPT')
  const deep = (byte, depth) => concat(filled(depth, byte), new Uint8Array([0]))
  const deepest = store.encrypted ? 4000 : 100_000
  for (const depth of [513, deepest]) {
    await put(`arrays ${depth} deep`, deep(0x81, depth), 'LIMIT_EXCEEDED')
    await put(`tags ${depth} deep`, deep(0xc6, depth), 'LIMIT_EXCEEDED')
  }
  await put('maps as keys of maps 513 deep', concat(deep(0xa1, 513), filled(513, 0)), 'LIMIT_EXCEEDED')
  const user = (bytes) => mapOf({ user: entry('user', concat(unhex('a16178'), bytes)) })
  const prefixedMap = async (title, bytes, code) =>
    group.blob(store, title, await forge(store, { map: user(bytes) }), code)
  await prefixedMap(`arrays ${deepest} deep in meta`, deep(0x81, deepest), 'LIMIT_EXCEEDED')
  await prefixedMap('an array of 2^63 in meta', unhex('9b800000000000000000'), 'CORRUPT')
}
