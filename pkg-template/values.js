import { KonserveError } from './error.js'
import { isWellFormed } from './text.js'

const wrong = (message) => new KonserveError('INVALID_VALUE', message)

/** So many are held even if nobody else does: a WeakRef is slow to ask. */
const RECENT = 1024

/** Values by their text, one object each for as long as anyone holds it. */
class Interned {
  #recent = new Map()
  #refs = new Map()
  #sweepAt = 1024

  get(text) {
    const recent = this.#recent.get(text)
    if (recent !== undefined) return recent
    const found = this.#refs.get(text)?.deref()
    return found === undefined ? undefined : this.#keep(text, found)
  }

  add(text, value) {
    if (this.#refs.size >= this.#sweepAt) this.#sweep()
    this.#refs.set(text, typeof WeakRef === 'function' ? new WeakRef(value) : { deref: () => value })
    return this.#keep(text, value)
  }

  #keep(text, value) {
    if (this.#recent.size >= RECENT) this.#recent.clear()
    this.#recent.set(text, value)
    return value
  }

  #sweep() {
    for (const [text, ref] of this.#refs) if (ref.deref() === undefined) this.#refs.delete(text)
    this.#sweepAt = Math.max(1024, 2 * this.#refs.size)
  }
}

function checkedName(text, what) {
  if (typeof text !== 'string' || text === '' || text[0] === ':' || !isWellFormed(text)) {
    throw wrong(`${what}.of needs a name such as 'ns/name': a text, not empty, without a colon in front`)
  }
  return text
}

/** What namespaced names have in common; `text` is `'ns/name'` or `'name'`. */
class Named {
  constructor(text) {
    this.text = text
    Object.freeze(this)
  }

  get namespace() {
    const at = this.text.indexOf('/')
    return at > 0 ? this.text.slice(0, at) : undefined
  }

  get name() {
    const at = this.text.indexOf('/')
    return at > 0 ? this.text.slice(at + 1) : this.text
  }
}

const keywords = new Interned()
const symbols = new Interned()
// Outside of the classes: one that names itself is renamed by bundlers, and consoles show that name.
const keyword = (text) => keywords.get(text) ?? keywords.add(text, new Keyword(checkedName(text, 'Keyword')))
const symbol = (text) => symbols.get(text) ?? symbols.add(text, new Symbol_(checkedName(text, 'Symbol_')))

/** A keyword of Clojure and EDN: `Keyword.of('ns/name')` is always the same object. */
export class Keyword extends Named {
  static of(text) {
    return keyword(text)
  }

  toString() {
    return `:${this.text}`
  }
}

/** A symbol of Clojure and EDN, not JavaScript's: `Symbol_.of('ns/name')` is always the same object. */
export class Symbol_ extends Named {
  static of(text) {
    return symbol(text)
  }

  toString() {
    return this.text
  }
}

/** A UUID. */
export class Uuid {
  /** @param {string | Uint8Array} uuid its text, or its 16 bytes */
  constructor(uuid) {
    this.text = typeof uuid === 'string' ? uuid.toLowerCase() : textOfUuid(uuid)
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(this.text)) {
      throw wrong('a Uuid needs text such as 123e4567-e89b-12d3-a456-426614174000, or 16 bytes')
    }
    Object.freeze(this)
  }

  /** Its 16 bytes, in a new array. */
  get bytes() {
    const hex = this.text.replaceAll('-', '')
    return Uint8Array.from({ length: 16 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16))
  }

  toString() {
    return this.text
  }
}

function textOfUuid(bytes) {
  if (!(bytes instanceof Uint8Array) || bytes.length !== 16) return ''
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function bigintOf(number, what) {
  if (typeof number === 'bigint') return number
  if (Number.isSafeInteger(number)) return BigInt(number)
  throw wrong(`${what} must be a bigint or a safe whole number`)
}

function greatestDivisor(a, b) {
  while (b !== 0n) [a, b] = [b, a % b]
  return a < 0n ? -a : a
}

/** An exact fraction, in lowest terms, with a positive denominator. */
export class Ratio {
  constructor(numerator, denominator) {
    const above = bigintOf(numerator, 'the numerator of a Ratio')
    const below = bigintOf(denominator, 'the denominator of a Ratio')
    if (below === 0n) throw wrong('the denominator of a Ratio must not be 0')
    const divisor = greatestDivisor(above, below) * (below < 0n ? -1n : 1n)
    this.numerator = above / divisor
    this.denominator = below / divisor
    Object.freeze(this)
  }

  toString() {
    return `${this.numerator}/${this.denominator}`
  }
}

/** An exact decimal number: `mantissa · 10^exponent`. `1.0` and `1.00` differ, as they do in Java. */
export class Decimal {
  constructor(mantissa, exponent = 0) {
    this.mantissa = bigintOf(mantissa, 'the mantissa of a Decimal')
    if (!Number.isInteger(exponent) || Math.abs(exponent) >= 2 ** 31) {
      throw wrong('the exponent of a Decimal must be a whole number within ±2^31')
    }
    // Adding 0 makes -0 into 0.
    this.exponent = exponent + 0
    Object.freeze(this)
  }

  /** From text such as `'12.50'` or `'-1.5e-7'`. */
  static parse(text) {
    const parts = /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text)
    if (!parts) throw wrong("Decimal.parse needs text such as '12.50' or '-1.5e-7'")
    const [, sign, whole, fraction = '', exponent = '0'] = parts
    const digits = BigInt(whole + fraction)
    return new this(sign === '-' ? -digits : digits, Number(exponent) - fraction.length)
  }

  toString() {
    const sign = this.mantissa < 0n ? '-' : ''
    const digits = String(this.mantissa < 0n ? -this.mantissa : this.mantissa)
    if (this.exponent === 0) return sign + digits
    if (this.exponent > 0 || this.exponent < -40) return `${sign}${digits}E${this.exponent}`
    const padded = digits.padStart(1 - this.exponent, '0')
    return `${sign}${padded.slice(0, this.exponent)}.${padded.slice(this.exponent)}`
  }
}

/** One character, as Clojure tells it from a text of length one. */
export class Char {
  constructor(text) {
    if (typeof text !== 'string' || [...text].length !== 1 || !isWellFormed(text)) {
      throw wrong('a Char needs a text of exactly one character')
    }
    this.text = text
    Object.freeze(this)
  }

  toString() {
    return this.text
  }
}

/** A list of Clojure and EDN. An array is a vector there; otherwise it does what arrays do: `List.of(1, 2)`. */
export class List extends Array {}

/** A CBOR tag that this package gives no meaning, with its content: written back as it was read. */
export class Tagged {
  /**
   * @param {number | bigint} tag 0 to 2^64 - 1; a bigint above `Number.MAX_SAFE_INTEGER`
   * @param {unknown} value
   */
  constructor(tag, value) {
    const wide = bigintOf(tag, 'the tag of a Tagged')
    if (wide < 0n || wide >= 2n ** 64n) throw wrong('the tag of a Tagged must be from 0 to 2^64 - 1')
    this.tag = wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide
    this.value = value
    Object.freeze(this)
  }
}
