// Bytes: joined, compared, as hex, as big-endian integers.

export const hex = (bytes) => Buffer.from(bytes).toString('hex')
export const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'))
export const utf8 = (text) => new TextEncoder().encode(text)
export const concat = (...parts) => new Uint8Array(Buffer.concat(parts))
export const equal = (a, b) => Buffer.compare(a, b) === 0
export const filled = (length, byte) => new Uint8Array(length).fill(byte)

const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export function u32(n) {
  const bytes = new Uint8Array(4)
  view(bytes).setUint32(0, n)
  return bytes
}

export function u64(n) {
  const bytes = new Uint8Array(8)
  view(bytes).setBigUint64(0, BigInt(n))
  return bytes
}

export const readU32 = (bytes, at) => view(bytes).getUint32(at)
export const readU64 = (bytes, at) => view(bytes).getBigUint64(at)

/** A copy with `bytes` at `at`. */
export function patched(original, at, bytes) {
  const copy = original.slice()
  copy.set(bytes, at)
  return copy
}

/** A copy with one bit flipped; a negative `at` counts from the end. */
export function flipped(original, at, bit = 0) {
  const copy = original.slice()
  copy[at < 0 ? copy.length + at : at] ^= 1 << bit
  return copy
}
