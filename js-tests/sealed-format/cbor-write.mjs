// CBOR (RFC 8949) as the format writes it: values, and canonical keys.

import { concat, u32, u64, unhex, utf8 } from './bytes.mjs'

/** A tag and its content, of which nothing more is known. */
export class Tagged {
  constructor(tag, value) {
    this.tag = tag
    this.value = value
  }
}

const WHOLE = 2 ** 53

/** The head of an item: its major type and its number, in the fewest bytes. */
export function head(major, number) {
  const n = BigInt(number)
  const first = (info) => new Uint8Array([(major << 5) | info])
  if (n < 24n) return first(Number(n))
  if (n < 0x100n) return concat(first(24), new Uint8Array([Number(n)]))
  if (n < 0x10000n) return concat(first(25), new Uint8Array([Number(n >> 8n), Number(n & 255n)]))
  if (n < 0x100000000n) return concat(first(26), u32(Number(n)))
  return concat(first(27), u64(n))
}

const integer = (n) => (n < 0 ? head(1, -1n - BigInt(n)) : head(0, n))
export const byteString = (bytes) => concat(head(2, bytes.length), bytes)
export const tag = (number, content) => concat(head(6, number), content)
export const array = (items) => concat(head(4, items.length), ...items)
export const map = (pairs) => concat(head(5, pairs.length), ...pairs.flat())

export function text(string) {
  if (!string.isWellFormed()) throw new TypeError('a lone surrogate')
  return concat(head(3, utf8(string).length), utf8(string))
}

function bigint(n) {
  const digits = (n < 0n ? -1n - n : n).toString(16)
  return tag(n < 0n ? 3 : 2, byteString(unhex(digits.padStart(digits.length + (digits.length % 2), '0'))))
}

function double(n) {
  const bytes = new Uint8Array(9)
  bytes[0] = 0xfb
  new DataView(bytes.buffer).setFloat64(1, n)
  return Number.isNaN(n) ? unhex('fb7ff8000000000000') : bytes
}

/** The bits of a half float that is exactly `n`, if there is one. `n` is not NaN, not zero. */
function half(n) {
  if (!Number.isFinite(n)) return n > 0 ? 0x7c00 : 0xfc00
  const sign = n < 0 ? 0x8000 : 0
  const size = Math.abs(n)
  const exponent = Math.max(Math.floor(Math.log2(size)), -14)
  const units = size / 2 ** (exponent - 10)
  if (!Number.isInteger(units) || units >= 2048 || exponent > 15) return undefined
  return sign | (units < 1024 ? units : ((exponent + 15) << 10) | (units - 1024))
}

function shortest(n) {
  if (Number.isNaN(n)) return unhex('f97e00')
  const bits = half(n)
  if (bits !== undefined) return new Uint8Array([0xf9, bits >> 8, bits & 255])
  if (Math.fround(n) !== n) return double(n)
  const bytes = new Uint8Array(5)
  bytes[0] = 0xfa
  new DataView(bytes.buffer).setFloat32(1, n)
  return bytes
}

function number(n, canonical) {
  const whole = Number.isInteger(n) && Math.abs(n) <= WHOLE
  if (whole && (canonical || !Object.is(n, -0))) return integer(n)
  return canonical ? shortest(n) : double(n)
}

function date(value, canonical) {
  const ms = value.getTime()
  if (Number.isNaN(ms)) throw new TypeError('an invalid date')
  const year = value.getUTCFullYear()
  if (year < 0 || year > 9999) return tag(1, number(ms / 1000, canonical))
  return tag(0, text(value.toISOString().replace('.000Z', 'Z')))
}

/** Entries or members, already encoded: in bytewise order when canonical. */
const ordered = (items, canonical, key) => (canonical ? items.sort((a, b) => Buffer.compare(key(a), key(b))) : items)

function entries(pairs, canonical) {
  const encoded = pairs.map((pair) => pair.map((item) => encode(item, canonical)))
  return map(ordered(encoded, canonical, ([key]) => key))
}

function object(value, canonical) {
  if (value instanceof Uint8Array) return byteString(value)
  if (Array.isArray(value)) return array(value.map((item) => encode(item, canonical)))
  if (value instanceof Date) return date(value, canonical)
  if (value instanceof Tagged) return tag(value.tag, encode(value.value, canonical))
  if (value instanceof Map) {
    const asIs = [...value.keys()].some((key) => typeof key !== 'string')
    return asIs ? entries([...value], canonical) : tag(259, entries([...value], canonical))
  }
  if (value instanceof Set) {
    const members = [...value].map((item) => encode(item, canonical))
    return tag(258, array(ordered(members, canonical, (member) => member)))
  }
  return entries(Object.entries(value), canonical)
}

/** The bytes of a value; of a key its canonical ones. */
export function encode(value, canonical = false) {
  if (value === undefined) return unhex('f7')
  if (value === null) return unhex('f6')
  if (typeof value === 'boolean') return unhex(value ? 'f5' : 'f4')
  if (typeof value === 'number') return number(value, canonical)
  if (typeof value === 'bigint') return bigint(value)
  if (typeof value === 'string') return text(value)
  return object(value, canonical)
}

export const canonical = (key) => encode(key, true)
