// XXH32 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), for LZ4 frames.

const P1 = 0x9e3779b1
const P2 = 0x85ebca77
const P3 = 0xc2b2ae3d
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

const times = Math.imul
const rotate = (x, n) => (x << n) | (x >>> (32 - n))

export function xxh32(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  let sum = P5
  if (bytes.length >= 16) [sum, at] = stripes(view)
  sum = (sum + bytes.length) | 0
  for (; at + 4 <= bytes.length; at += 4) sum = times(rotate((sum + times(view.getUint32(at, true), P3)) | 0, 17), P4)
  for (; at < bytes.length; at++) sum = times(rotate((sum + times(bytes[at], P5)) | 0, 11), P1)
  sum = times(sum ^ (sum >>> 15), P2)
  sum = times(sum ^ (sum >>> 13), P3)
  return (sum ^ (sum >>> 16)) >>> 0
}

/** The sum over all stripes of 16 bytes, and where they end. */
function stripes(view) {
  const lanes = [P1 + P2, P2, 0, -P1].map((lane) => lane | 0)
  let at = 0
  for (; at + 16 <= view.byteLength; at += 16)
    for (let n = 0; n < 4; n++)
      lanes[n] = times(rotate((lanes[n] + times(view.getUint32(at + 4 * n, true), P2)) | 0, 13), P1)
  const [a, b, c, d] = lanes
  return [(rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0, at]
}
