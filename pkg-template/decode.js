import { KonserveError } from './error.js'
import { reversed, TYPED_ARRAY_OF } from './kinds.js'
import { Char, Decimal, Keyword, Ratio, Symbol_, Tagged, Uuid } from './values.js'

/** Deeper than any value that a store accepts, and far from the end of the stack. */
const MAX_DEPTH = 600
/** Up to this length a loop over ASCII beats the engine's own UTF-8 decoder. */
const SHORT_TEXT = 20
const CACHED_KEYS = 1024
const MAX_TIME = 8.64e15

let utf8
/** Keys seen before, by a hash of their bytes: documents have the same few, over and over. */
const keys = new Array(CACHED_KEYS).fill('')

function corrupt(why, cause) {
  return new KonserveError('CORRUPT', `bytes that should be CBOR are not: ${why}`, cause === undefined ? {} : { cause })
}

/** Reads values from CBOR that was checked before; of other bytes it makes some value, or throws `CORRUPT`. */
class Decoder {
  constructor(bytes) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = 0
    this.depth = 0
  }

  item() {
    const head = this.bytes[this.at++]
    const info = head & 31
    switch (head >> 5) {
      case 0:
        return info < 24 ? info : this.number(info)
      case 1:
        return this.negative(info)
      case 2:
        return this.byteString(this.length(info))
      case 3:
        return this.text(this.length(info))
      case 4:
        return this.array(this.length(info))
      case 5:
        return this.object(this.length(info, 2))
      case 6:
        return this.tag(info < 24 ? info : this.number(info))
      default:
        return this.simple(head)
    }
  }

  /** The number in a head: a bigint above 2^53. */
  number(info) {
    const { at, view } = this
    switch (info) {
      case 24:
        this.at = at + 1
        return view.getUint8(at)
      case 25:
        this.at = at + 2
        return view.getUint16(at)
      case 26:
        this.at = at + 4
        return view.getUint32(at)
      case 27: {
        this.at = at + 8
        const wide = view.getBigUint64(at)
        return wide <= 2n ** 53n ? Number(wide) : wide
      }
      default:
        throw corrupt('a head is reserved, or of no definite length')
    }
  }

  negative(info) {
    const number = info < 24 ? info : this.number(info)
    return typeof number === 'bigint' || number === 2 ** 53 ? -1n - BigInt(number) : -1 - number
  }

  /** A length, which what is left must hold, each item in at least one byte. */
  length(info, itemsEach = 1) {
    const length = info < 24 ? info : Number(this.number(info))
    if (length * itemsEach > this.bytes.length - this.at) throw corrupt('they are cut short')
    return length
  }

  simple(head) {
    const { at, view } = this
    switch (head) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
      case 0xf7:
        return undefined
      case 0xf9:
        this.at = at + 2
        return half(view.getUint16(at))
      case 0xfa:
        this.at = at + 4
        return view.getFloat32(at)
      case 0xfb:
        this.at = at + 8
        return view.getFloat64(at)
      default:
        throw corrupt(head === undefined ? 'they are cut short' : 'a simple value without meaning')
    }
  }

  byteString(length) {
    this.at += length
    return this.bytes.slice(this.at - length, this.at)
  }

  text(length) {
    const from = this.at
    this.at += length
    return (length <= SHORT_TEXT ? ascii(this.bytes, from, this.at) : undefined) ?? this.wide(from, this.at)
  }

  wide(from, to) {
    utf8 ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return utf8.decode(this.bytes.subarray(from, to))
  }

  /** A text that is probably known. */
  key(length) {
    if (length === 0 || length > SHORT_TEXT) return this.text(length)
    const { bytes, at } = this
    const slot =
      (length + 31 * bytes[at] + 131 * bytes[at + (length >> 1)] + 521 * bytes[at + length - 1]) % CACHED_KEYS
    const known = keys[slot]
    if (known.length === length && matches(known, bytes, at)) {
      this.at = at + length
      return known
    }
    return (keys[slot] = this.text(length))
  }

  enter() {
    if (++this.depth > MAX_DEPTH) throw corrupt('they are nested too deep')
  }

  array(length) {
    this.enter()
    const array = []
    for (let at = 0; at < length; at++) array.push(this.item())
    this.depth--
    return array
  }

  /** A map: a plain object as long as the keys are texts. */
  object(length) {
    this.enter()
    const object = {}
    let order
    for (let left = length; left > 0; left--) {
      const head = this.bytes[this.at]
      if (head >> 5 !== 3) return this.rest(mapOf(object, order), left)
      this.at++
      const key = this.key(this.length(head & 31))
      if (isDigit(key)) order ??= Object.keys(object)
      order?.push(key)
      put(object, key, this.item())
    }
    this.depth--
    return object
  }

  map(length) {
    this.enter()
    return this.rest(new Map(), length)
  }

  rest(map, left) {
    for (; left > 0; left--) {
      const key = this.item()
      map.set(key, this.item())
    }
    this.depth--
    return map
  }

  tag(tag) {
    this.enter()
    const head = this.bytes[this.at]
    let content
    if (tag === 259 && head >> 5 === 5) {
      this.at++
      content = this.map(this.length(head & 31, 2))
    } else content = this.item()
    this.depth--
    return meaning(tag, content) ?? new Tagged(tag, content)
  }
}

/** Objects order their whole-number names before the others; a Map must not. */
function isDigit(key) {
  const unit = key.charCodeAt(0)
  return unit >= 48 && unit <= 57
}

/** Sets a property of its own, whatever `Object.prototype` has under that name. */
function put(object, key, value) {
  if (key in Object.prototype) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  } else object[key] = value
}

function mapOf(object, order) {
  return new Map((order ?? Object.keys(object)).map((key) => [key, object[key]]))
}

function matches(known, bytes, from) {
  for (let at = 0; at < known.length; at++) if (known.charCodeAt(at) !== bytes[from + at]) return false
  return true
}

/** Text of ASCII; `undefined` if there is other text in it. */
function ascii(bytes, from, to) {
  let text = ''
  let at = from
  for (; at + 4 <= to; at += 4) {
    const a = bytes[at]
    const b = bytes[at + 1]
    const c = bytes[at + 2]
    const d = bytes[at + 3]
    if ((a | b | c | d) > 0x7f) return undefined
    text += String.fromCharCode(a, b, c, d)
  }
  for (; at < to; at++) {
    if (bytes[at] > 0x7f) return undefined
    text += String.fromCharCode(bytes[at])
  }
  return text
}

function half(bits) {
  const sign = bits >> 15 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction)
}

/** What a tag makes of its content; `undefined` if it means nothing here. */
function meaning(tag, content) {
  if (content instanceof Uint8Array) return ofBytes(tag, content)
  if (typeof content === 'string') return ofText(tag, content)
  if (Array.isArray(content)) return ofArray(tag, content)
  if (tag === 259 && content instanceof Map) return content
  return tag === 1 && typeof content === 'number' ? dateOf(timeOfSeconds(content)) : undefined
}

function ofBytes(tag, bytes) {
  if (tag === 2) return wholeNumber(bytes)
  if (tag === 3) return -1n - wholeNumber(bytes)
  if (tag === 37) return bytes.length === 16 ? new Uuid(bytes) : undefined
  const { Type, turned } = TYPED_ARRAY_OF.get(tag) ?? {}
  if (!Type || bytes.length % Type.BYTES_PER_ELEMENT) return undefined
  return new Type((turned ? reversed(bytes, Type.BYTES_PER_ELEMENT) : bytes).buffer)
}

function wholeNumber(bytes) {
  let hex = '0x0'
  for (const byte of bytes) hex += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16)
  return BigInt(hex)
}

function ofText(tag, text) {
  switch (tag) {
    case 0:
      return dateOf(timeOfText(text))
    case 35:
      return regexp(text, '')
    case 39:
      return named(text)
    default:
      return undefined
  }
}

function named(text) {
  const name = text.startsWith(':') ? text.slice(1) : text
  if (name === '' || name.startsWith(':')) return undefined
  return name === text ? Symbol_.of(name) : Keyword.of(name)
}

function regexp(source, flags) {
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}

function dateOf(time) {
  return Math.abs(time) <= MAX_TIME ? new Date(time) : undefined
}

function timeOfSeconds(seconds) {
  const whole = Math.trunc(seconds)
  return 1000 * whole + Math.round(1000 * (seconds - whole))
}

/** RFC 3339, finer digits than milliseconds cut; NaN if it is none. */
function timeOfText(text) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(text)
  if (!parts) return Number.NaN
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN
  if (hour > 23 || minute > 59 || second > 60) return Number.NaN
  const fraction = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3))
  const offset = (parts[8] === '-' ? -1 : 1) * (60 * Number(parts[9] ?? 0) + Number(parts[10] ?? 0))
  return date.setUTCHours(hour, minute, second, fraction) - 60_000 * offset
}

function ofArray(tag, items) {
  if (tag === 258) return new Set(items)
  if (items.length !== 2) return undefined
  const [first, second] = items
  switch (tag) {
    case 4:
      return decimal(first, second)
    case 27:
      return NAMED.get(first)?.(second)
    case 30:
      return ratio(first, second)
    default:
      return undefined
  }
}

function isWhole(number) {
  return typeof number === 'bigint' || Number.isSafeInteger(number)
}

function decimal(exponent, mantissa) {
  return Number.isInteger(exponent) && Math.abs(exponent) < 2 ** 31 && isWhole(mantissa)
    ? new Decimal(mantissa, exponent)
    : undefined
}

/** One in lowest terms: another would not be written back as it was. */
function ratio(numerator, denominator) {
  if (!isWhole(numerator) || !isWhole(denominator) || denominator <= 0) return undefined
  const ratio = new Ratio(numerator, denominator)
  return ratio.denominator === BigInt(denominator) ? ratio : undefined
}

const NAMED = new Map([
  ['js/array-buffer', (bytes) => (bytes instanceof Uint8Array ? bytes.buffer : undefined)],
  ['js/data-view', (bytes) => (bytes instanceof Uint8Array ? new DataView(bytes.buffer) : undefined)],
  [
    'js/regexp',
    (parts) => (Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? regexp(...parts) : undefined),
  ],
  ['js/error', error],
  ['clojure/char', (text) => (typeof text === 'string' && [...text].length === 1 ? new Char(text) : undefined)],
])

const ERRORS = new Map(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Type) => [Type.name, Type]),
)

function error(fields) {
  if (fields === null || typeof fields !== 'object') return undefined
  const { name, message, ...others } = fields
  if (typeof name !== 'string' || typeof message !== 'string') return undefined
  const aggregate = name === 'AggregateError'
  const error = aggregate ? new AggregateError([], message) : new (ERRORS.get(name) ?? Error)(message)
  if (aggregate) delete error.errors
  if (error.name !== name) hidden(error, 'name', name)
  for (const [key, value] of Object.entries(others)) {
    if (key === 'cause' || (aggregate && key === 'errors')) hidden(error, key, value)
    else Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return error
}

function hidden(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true })
}

/**
 * The value that CBOR says.
 * @param {Uint8Array} bytes one item; nothing of it is shared with the result
 * @throws {KonserveError} `CORRUPT` if it is none
 */
export function decode(bytes) {
  const decoder = new Decoder(bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes))
  let value
  try {
    value = decoder.item()
  } catch (error) {
    throw error instanceof KonserveError ? error : corrupt('they are cut short, or no UTF-8', error)
  }
  if (decoder.at !== decoder.bytes.length) throw corrupt('the item ends before they do')
  return value
}
