// Exports: a record and the blobs as they are stored, in one file.

import { concat, equal, filled, hex, readU32, readU64, u32, u64, utf8 } from './bytes.mjs'
import { must } from './fault.mjs'
import { H } from './hash.mjs'

const MAGIC = utf8('konserve-export1')
const HASH = 32
const NAME = 16
const END = filled(NAME, 0)

const check = (holds, why) => must(holds, 'CORRUPT', `export: ${why}`)

/** An export of `blobs`, each `{ name, blob }`, in the order given. `count` need not be true. */
export function writeExport(record, blobs, count = blobs.length) {
  const parts = blobs.flatMap(({ name, blob }) => [name, u64(blob.length), blob])
  return hashed(concat(MAGIC, u32(record.length), record, ...parts, END, u64(count)))
}

/** These bytes and their hash. */
export const hashed = (bytes) => concat(bytes, H(bytes))

/** Reads an export: `{ record, blobs }`. */
export function readExport(bytes) {
  check(bytes.length >= HASH && equal(H(bytes.slice(0, -HASH)), bytes.slice(-HASH)), 'its hash')
  const input = { bytes: bytes.slice(0, -HASH), at: 0 }
  check(equal(take(input, MAGIC.length), MAGIC), 'its beginning')
  const record = take(input, readU32(take(input, 4), 0))
  const blobs = readBlobs(input)
  check(readU64(take(input, 8), 0) === BigInt(blobs.length) && input.at === input.bytes.length, 'its end')
  return { record, blobs }
}

function take(input, length) {
  check(BigInt(length) <= BigInt(input.bytes.length - input.at), 'cut')
  return input.bytes.slice(input.at, (input.at += Number(length)))
}

function readBlobs(input) {
  const blobs = []
  for (let name = take(input, NAME); !equal(name, END); name = take(input, NAME)) {
    check(blobs.length === 0 || hex(blobs.at(-1).name) < hex(name), 'not ascending')
    blobs.push({ name, blob: take(input, readU64(take(input, 8), 0)) })
  }
  return blobs
}
