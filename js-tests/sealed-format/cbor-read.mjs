// CBOR, read strictly: definite lengths, nothing twice, no deeper than 512, and no more than the input holds.

import { hex } from './bytes.mjs'
import { Tagged } from './cbor-write.mjs'
import { must } from './fault.mjs'

const MAX_DEPTH = 512
const WHOLE = 2n ** 53n
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/i

const check = (holds, why) => must(holds, 'CORRUPT', `CBOR: ${why}`)

class Reader {
  constructor(bytes) {
    this.bytes = bytes
    this.at = 0
    this.depth = 0
  }

  take(length) {
    check(BigInt(length) <= BigInt(this.bytes.length - this.at), 'cut')
    const taken = this.bytes.slice(this.at, this.at + Number(length))
    this.at += Number(length)
    return taken
  }

  /** The number of a head, as a bigint. */
  argument(info) {
    if (info < 24) return BigInt(info)
    check(info < 28, 'a head that means nothing here')
    const bytes = this.take(1 << (info - 24))
    return BigInt(`0x${hex(bytes)}`)
  }

  deeper(read) {
    must(++this.depth <= MAX_DEPTH, 'LIMIT_EXCEEDED', 'nested too deep')
    const result = read()
    this.depth--
    return result
  }

  item() {
    const first = this.take(1)[0]
    const [major, info] = [first >> 5, first & 31]
    if (major === 7) return this.simple(info)
    const n = this.argument(info)
    if (major === 0) return n <= WHOLE ? Number(n) : n
    if (major === 1) return n < WHOLE ? -1 - Number(n) : -1n - n
    if (major === 2) return this.take(n)
    if (major === 3) return utf8(this.take(n))
    if (major === 4) return this.deeper(() => this.items(n))
    if (major === 5) return this.deeper(() => this.map(n))
    return this.deeper(() => this.tagged(Number(n)))
  }

  simple(info) {
    const known = { 20: false, 21: true, 22: null, 23: undefined }
    if (info in known) return known[info]
    check(info >= 25 && info <= 27, 'a simple value that means nothing here')
    const bytes = this.take(1 << (info - 24))
    if (info === 25) return half((bytes[0] << 8) | bytes[1])
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return info === 26 ? view.getFloat32(0) : view.getFloat64(0)
  }

  /** As many items as this, each at least one byte. */
  count(n) {
    check(n <= BigInt(this.bytes.length - this.at), 'more items than bytes')
    return Number(n)
  }

  items(n) {
    return Array.from({ length: this.count(n) }, () => this.item())
  }

  /** `read` gives the parts of one entry, of which the first must not come twice. */
  distinct(n, read) {
    const seen = new Set()
    return Array.from({ length: this.count(n) }, () => {
      const start = this.at
      const first = this.item()
      const bytes = hex(this.bytes.subarray(start, this.at))
      check(!seen.has(bytes), 'a key or member twice')
      seen.add(bytes)
      return read(first)
    })
  }

  pairs(n) {
    return this.distinct(n, (key) => [key, this.item()])
  }

  map(n) {
    const pairs = this.pairs(n)
    return pairs.every(([key]) => typeof key === 'string') ? Object.fromEntries(pairs) : new Map(pairs)
  }

  /** The content of a tag that must be an array or a map. */
  inner(major, read) {
    const first = this.take(1)[0]
    check(first >> 5 === major, 'a tag of something else')
    const n = this.argument(first & 31)
    return this.deeper(() => read(n))
  }

  tagged(tag) {
    if (tag === 258) return new Set(this.inner(4, (n) => this.distinct(n, (member) => member)))
    if (tag === 259) return new Map(this.inner(5, (n) => this.pairs(n)))
    const content = this.item()
    if (tag === 0) return date(content)
    if (tag === 1) return seconds(content)
    if (tag === 2) return big(content)
    if (tag === 3) return -1n - big(content)
    return new Tagged(tag, content)
  }
}

function utf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return check(false, 'invalid UTF-8')
  }
}

function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

function big(content) {
  check(content instanceof Uint8Array, 'a bignum that is no bytes')
  return content.length === 0 ? 0n : BigInt(`0x${hex(content)}`)
}

function seconds(content) {
  check(typeof content === 'number', 'a time that is no number')
  const whole = Math.trunc(content)
  const date = new Date(1000 * whole + Math.round(1000 * (content - whole)))
  check(!Number.isNaN(date.getTime()), 'no time')
  return date
}

function date(content) {
  const found = typeof content === 'string' ? RFC_3339.exec(content) : null
  check(found !== null, 'no RFC 3339')
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number)
  const value = new Date(0)
  value.setUTCFullYear(year, month - 1, day)
  check(value.getUTCMonth() === month - 1 && value.getUTCDate() === day, 'no day of the calendar')
  check(hour < 24 && minute < 60 && second < 60, 'no time of the day')
  value.setUTCHours(hour, minute, second, Number((found[7] ?? '.').slice(1, 4).padEnd(3, '0')))
  const away = found[8] === undefined ? 0 : Number(found[9]) * 60 + Number(found[10])
  return new Date(value.getTime() - (found[8] === '-' ? -away : away) * 60_000)
}

/** The first item, and where it ends. */
export function decodeFirst(bytes) {
  const reader = new Reader(bytes)
  return { value: reader.item(), end: reader.at }
}

/** The one item that `bytes` are. */
export function decode(bytes) {
  const { value, end } = decodeFirst(bytes)
  check(end === bytes.length, 'bytes after the item')
  return value
}

/** The entries of the one map that `bytes` are, each `{ key, value, bytes }`; `bytes` are those of its value. */
export function decodeEntries(bytes) {
  const reader = new Reader(bytes)
  const first = reader.take(1)[0]
  check(first >> 5 === 5, 'no map')
  const entries = reader.deeper(() =>
    reader.distinct(reader.argument(first & 31), (key) => {
      const start = reader.at
      return { key, value: reader.item(), bytes: bytes.slice(start, reader.at) }
    }),
  )
  check(reader.at === bytes.length, 'bytes after the map')
  return entries
}
