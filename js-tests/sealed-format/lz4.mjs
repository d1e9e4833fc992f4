// LZ4 frames (github.com/lz4/lz4, doc/lz4_Frame_format.md and lz4_Block_format.md): all are read, and written uncompressed.

import { concat } from './bytes.mjs'
import { must } from './fault.mjs'
import { xxh32 } from './xxh32.mjs'

const MAGIC = 0x184d2204
const STORED = 0x80000000
/** Of a block, as the descriptor 0x70 says. */
const MAX_BLOCK = 4 << 20

const check = (holds, why) => must(holds, 'CORRUPT', `LZ4: ${why}`)
const littleEndian = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function u32(n) {
  const bytes = new Uint8Array(4)
  littleEndian(bytes).setUint32(0, n, true)
  return bytes
}

const checksum = (descriptor) => new Uint8Array([(xxh32(descriptor) >>> 8) & 255])

/** A frame of these blocks, each `{ bytes, stored }`. `size` is declared when it is given, and need not be true. */
export function frame(blocks, { size, flags = 0 } = {}) {
  const declared = size === undefined ? [] : [u32(size % 2 ** 32), u32(Math.floor(size / 2 ** 32))]
  const descriptor = concat(new Uint8Array([0x60 | flags | (size === undefined ? 0 : 8), 0x70]), ...declared)
  const parts = blocks.flatMap(({ bytes, stored }) => [u32((bytes.length | (stored ? STORED : 0)) >>> 0), bytes])
  return concat(u32(MAGIC), descriptor, checksum(descriptor), ...parts, u32(0))
}

/** A frame that holds `bytes` as they are. */
export function write(bytes) {
  const blocks = []
  for (let at = 0; at < bytes.length; at += MAX_BLOCK)
    blocks.push({ bytes: bytes.slice(at, at + MAX_BLOCK), stored: true })
  return frame(blocks)
}

/** A compressed block of one byte, repeated. At least 20 times. */
export function run(byte, times) {
  // One literal, a match of all but the last five bytes that copies it from one byte before, five literals.
  const more = times - 6 - 4 - 15
  const lengths = [...new Array(Math.floor(more / 255)).fill(255), more % 255]
  return new Uint8Array([0x1f, byte, 1, 0, ...lengths, 0x50, byte, byte, byte, byte, byte])
}

/** Reads a frame of bytes of which there must be no more than `size`, and nothing after it. */
export function read(bytes, size) {
  const input = new Input(bytes)
  const flags = descriptor(input, size)
  const out = { bytes: new Uint8Array(size), length: 0 }
  for (let length = input.u32(); length !== 0; length = input.u32()) {
    const block = input.take(length & ~STORED)
    if (flags & 0x10) check(input.u32() === xxh32(block), 'checksum of a block')
    if (length & STORED) append(out, block)
    else decompress(block, out)
  }
  if (flags & 4) check(input.u32() === xxh32(out.bytes.subarray(0, out.length)), 'checksum')
  check(input.at === bytes.length, 'bytes after the frame')
  return out.bytes.subarray(0, out.length)
}

function descriptor(input, size) {
  check(input.u32() === MAGIC, 'no frame')
  const start = input.at
  const [flags, block] = input.take(2)
  check((flags & 0xc2) === 0x40 && (block & 0x8f) === 0 && block >> 4 >= 4, 'no descriptor')
  check((flags & 1) === 0, 'a dictionary')
  if (flags & 8) check(input.u32() + 2 ** 32 * input.u32() === size, 'another size')
  const described = input.bytes.subarray(start, input.at)
  check(input.take(1)[0] === checksum(described)[0], 'checksum of the descriptor')
  return flags
}

class Input {
  constructor(bytes) {
    this.bytes = bytes
    this.at = 0
  }
  take(length) {
    check(length <= this.bytes.length - this.at, 'cut')
    return this.bytes.subarray(this.at, (this.at += length))
  }
  u32() {
    return littleEndian(this.take(4)).getUint32(0, true)
  }
  /** A length whose first part is `nibble`. */
  length(nibble) {
    let length = nibble
    let byte = nibble === 15 ? 255 : 0
    while (byte === 255) length += byte = this.take(1)[0]
    return length
  }
}

function append(out, bytes) {
  check(bytes.length <= out.bytes.length - out.length, 'more than its size')
  out.bytes.set(bytes, out.length)
  out.length += bytes.length
}

function decompress(block, out) {
  const input = new Input(block)
  while (input.at < block.length) {
    const [token] = input.take(1)
    append(out, input.take(input.length(token >> 4)))
    if (input.at < block.length) match(input, token & 15, out)
  }
}

function match(input, nibble, out) {
  const [low, high] = input.take(2)
  const distance = low | (high << 8)
  const length = input.length(nibble) + 4
  check(distance > 0 && distance <= out.length, 'a match of nothing')
  check(length <= out.bytes.length - out.length, 'more than its size')
  for (let n = 0; n < length; n++, out.length++) out.bytes[out.length] = out.bytes[out.length - distance]
}
