// zstd frames (RFC 8878): of raw and run-length blocks by this; others by Node, from 22.15 on.

import zlib from 'node:zlib'
import { concat } from './bytes.mjs'
import { Fault, must } from './fault.mjs'

const MAGIC = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd])
const MAX_WINDOW = 8 << 20
const MAX_BLOCK = 128 << 10
const [RAW, RUN, COMPRESSED] = [0, 1, 2]

const check = (holds, why) => must(holds, 'CORRUPT', `zstd: ${why}`)

/** Whether frames of every kind can be read here. */
export const readsAll = zlib.zstdDecompressSync !== undefined

function littleEndian(n, length) {
  return Uint8Array.from({ length }, (_, at) => Math.floor(n / 2 ** (8 * at)) % 256)
}

/** A frame of blocks `{ kind, bytes, size }`. `size` of the whole is declared if given, the window is 2^`window`. */
export function frame(blocks, { size, window = 20 } = {}) {
  const declared = size === undefined ? [] : [littleEndian(size, 8)]
  const header = concat(new Uint8Array([size === undefined ? 0 : 0xc0, (window - 10) << 3]), ...declared)
  const parts = blocks.map(({ kind, bytes, size: length = bytes.length }, at) => {
    const last = at === blocks.length - 1 ? 1 : 0
    return concat(littleEndian(last | (kind << 1) | (length << 3), 3), bytes)
  })
  return concat(MAGIC, header, ...parts)
}

/** A frame that holds `bytes` as they are. */
export function write(bytes, options) {
  const blocks = []
  for (let at = 0; at < bytes.length || at === 0; at += MAX_BLOCK)
    blocks.push({ kind: RAW, bytes: bytes.slice(at, at + MAX_BLOCK) })
  return frame(blocks, options)
}

/** Blocks of one byte, repeated. */
export function run(byte, times) {
  const blocks = []
  for (let left = times; left > 0; left -= MAX_BLOCK)
    blocks.push({ kind: RUN, bytes: new Uint8Array([byte]), size: Math.min(left, MAX_BLOCK) })
  return blocks
}

/** Reads a frame of bytes of which there must be no more than `size`, and nothing after it. */
export function read(bytes, size) {
  const input = { bytes, at: 0 }
  check(
    take(input, 4).every((byte, at) => byte === MAGIC[at]),
    'no frame',
  )
  const { checked, maxBlock } = header(input, size)
  const parts = blocks(input, size, maxBlock)
  if (checked) take(input, 4)
  check(input.at === bytes.length, 'bytes after the frame')
  return checked || parts === undefined ? byNode(bytes, size) : concat(...parts)
}

function take(input, length) {
  check(length <= input.bytes.length - input.at, 'cut')
  return input.bytes.subarray(input.at, (input.at += length))
}

const number = (bytes) => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0)

function header(input, size) {
  const [flags] = take(input, 1)
  const single = (flags & 0x20) !== 0
  check((flags & 8) === 0, 'a reserved bit')
  let window = single ? 0 : windowOf(take(input, 1)[0])
  check(number(take(input, [0, 1, 2, 4][flags & 3])) === 0, 'a dictionary')
  const width = [single ? 1 : 0, 2, 4, 8][flags >> 6]
  const declared = width === 0 ? undefined : number(take(input, width)) + (width === 2 ? 256 : 0)
  if (single) window = declared
  must(window <= MAX_WINDOW, 'LIMIT_EXCEEDED', 'zstd: the window')
  check(declared === undefined || declared === size, 'another size')
  return { checked: (flags & 4) !== 0, maxBlock: Math.min(window, MAX_BLOCK) }
}

function windowOf(byte) {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

/** What the blocks hold, or undefined if one is compressed. */
function blocks(input, size, maxBlock) {
  const parts = []
  let [left, readable, last] = [size, true, false]
  while (!last) {
    const head = number(take(input, 3))
    const [kind, length] = [(head >> 1) & 3, head >> 3]
    last = (head & 1) === 1
    check(kind <= COMPRESSED && length <= maxBlock, 'no block')
    const bytes = take(input, kind === RUN ? 1 : length)
    if (kind === COMPRESSED) readable = false
    else check((left -= length) >= 0, 'more than its size')
    parts.push(kind === RUN ? new Uint8Array(length).fill(bytes[0]) : bytes)
  }
  return readable ? parts : undefined
}

function byNode(bytes, size) {
  if (!readsAll) throw new Fault('NOT_READ', 'this Node has no zstd')
  try {
    return new Uint8Array(zlib.zstdDecompressSync(bytes, { maxOutputLength: Math.max(size, 1) }))
  } catch {
    return check(false, 'no such content')
  }
}
