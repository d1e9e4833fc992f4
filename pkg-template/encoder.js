import { KonserveError } from './error.js'
import { BIG_ENDIAN, kindOf, reversed, TAG_OF } from './kinds.js'
import { originOf } from './meaning.js'
import { placeText, refusalOf } from './refusal.js'
import { isWellFormed } from './text.js'

/** Arrays, maps and tags may nest this deep, one level each. */
const MAX_DEPTH = 512
const SLAB = 64 * 1024
const EMPTY = new Uint8Array(0)
/** Up to this length a loop over a text beats the engine's own UTF-8 encoder. */
const SHORT_TEXT = 32
const INT_END = 2n ** 63n

const entriesOf = Map.prototype.entries
const membersOf = Set.prototype.values
const timeOf = Date.prototype.getTime
let utf8

function headSize(length) {
  return length < 24 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : length < 0x100000000 ? 5 : 9
}

/**
 * Writes values as CBOR. What it hands out is a piece of a slab that is never written over, so it may be kept.
 */
export class Encoder {
  bytes = EMPTY
  view = new DataView(EMPTY.buffer)
  start = 0
  at = 0
  // Where in the value it is: the containers around (`null` for a tag or a wrapper) and the step into each one's child.
  depth = 0
  parents = []
  steps = []
  // What refusals say: how to call the value, the code, the key that was being worked on.
  name = ''
  code = ''
  key = undefined
  refusal = undefined
  /** The classes of the application's own that can be written here. */
  records = undefined
  /** Whether names of plain objects are keywords. */
  keywords = false

  /** What `write` writes of `subject`. Errors of getters and proxies become the cause of a refusal. */
  run(write, subject, name, code, key, records) {
    Object.assign(this, { name, code, key })
    this.look(records)
    try {
      write(this, subject)
      const written = this.bytes.subarray(this.start, this.at)
      this.start = this.at
      return written
    } catch (error) {
      throw error === this.refusal ? error : this.refuse('could not be read: see the cause', error)
    } finally {
      this.reset()
    }
  }

  /** From here on, how values look to the application: as values are there with no `records`, as keys are. */
  look(records) {
    this.records = records
    this.keywords = records !== undefined && records.keywords
  }

  reset() {
    this.at = this.start
    this.depth = 0
    this.parents.length = 0
    this.steps.length = 0
    this.key = undefined
    this.refusal = undefined
    this.look(undefined)
    if (this.bytes.length > SLAB) this.use(EMPTY)
  }

  use(bytes) {
    bytes.set(this.bytes.subarray(this.start, this.at))
    this.at -= this.start
    this.start = 0
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

  reserve(length) {
    if (this.at + length > this.bytes.length) this.grow(length)
  }

  grow(length) {
    const needed = this.at - this.start + length
    try {
      this.use(new Uint8Array(needed < SLAB / 2 ? SLAB : 2 * needed))
    } catch (error) {
      throw this.refuse('is too large for this machine', error, 'LIMIT_EXCEEDED')
    }
  }

  /** The error that says where the value cannot be stored, and why. */
  refuse(why, cause, code = this.code) {
    const about = cause === undefined ? { key: this.key } : { key: this.key, cause }
    this.refusal = new KonserveError(
      code,
      `${placeText(this.name, this.parents, this.steps, this.depth)} ${why}`,
      about,
    )
    return this.refusal
  }

  /** Goes one level down: writes the head of a container, or of a tag, whose items follow. */
  open(major, length, container) {
    const { depth, parents } = this
    if (container !== null) {
      for (let level = 0; level < depth; level++) {
        if (parents[level] === container) throw this.refuse('contains itself: a cycle cannot be stored')
      }
    }
    if (depth === MAX_DEPTH) {
      throw this.refuse(`is nested deeper than ${MAX_DEPTH} levels`, undefined, 'LIMIT_EXCEEDED')
    }
    parents[depth] = container
    this.steps[depth] = undefined
    this.depth = depth + 1
    this.head(major, length)
  }

  close(levels = 1) {
    this.depth -= levels
  }

  head(major, length) {
    this.reserve(9)
    const { bytes, view, at } = this
    if (length < 24) {
      bytes[at] = major | length
      this.at = at + 1
    } else if (length < 0x100) {
      bytes[at] = major | 24
      bytes[at + 1] = length
      this.at = at + 2
    } else if (length < 0x10000) {
      bytes[at] = major | 25
      view.setUint16(at + 1, length)
      this.at = at + 3
    } else if (length < 0x100000000) {
      bytes[at] = major | 26
      view.setUint32(at + 1, length)
      this.at = at + 5
    } else {
      bytes[at] = major | 27
      view.setBigUint64(at + 1, BigInt(length))
      this.at = at + 9
    }
  }

  byte(byte) {
    this.reserve(1)
    this.bytes[this.at++] = byte
  }

  item(value) {
    switch (typeof value) {
      case 'string':
        return this.text(value)
      case 'number':
        return this.number(value)
      case 'boolean':
        return this.byte(value ? 0xf5 : 0xf4)
      case 'undefined':
        return this.byte(0xf7)
      case 'bigint':
        return this.bigint(value)
      case 'object':
        return value === null ? this.byte(0xf6) : this.object(value)
      default:
        throw this.refuse(`is a ${typeof value}, which cannot be stored`)
    }
  }

  number(value) {
    // Small integers first; -0 is none of them.
    if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) return this.head(0, value)
    if (Number.isInteger(value) && Math.abs(value) <= 2 ** 53 && !Object.is(value, -0)) {
      return value < 0 ? this.head(0x20, -1 - value) : this.head(0, value)
    }
    this.reserve(9)
    this.bytes[this.at] = 0xfb
    if (Number.isNaN(value)) (this.view.setUint32(this.at + 1, 0x7ff80000), this.view.setUint32(this.at + 5, 0))
    else this.view.setFloat64(this.at + 1, value)
    this.at += 9
  }

  text(text) {
    const { length } = text
    if (length > SHORT_TEXT) return this.longText(text)
    // As much as `head` reserves: were it to grow after the text is there, the text would be left behind.
    this.reserve(length + 9)
    const { bytes } = this
    let at = this.at + headSize(length)
    for (let from = 0; from < length; from++) {
      const unit = text.charCodeAt(from)
      if (unit > 0x7f) return this.longText(text)
      bytes[at++] = unit
    }
    if (length < 24) bytes[this.at] = 0x60 | length
    else this.head(0x60, length)
    this.at = at
  }

  longText(text) {
    const { length } = text
    utf8 ??= new TextEncoder()
    // First as if it were ASCII: most are, and then the head is as long as guessed.
    this.reserve(length + 9)
    let done = this.encodeText(text)
    if (done.read < length) {
      this.reserve(9 + 3 * length)
      done = this.encodeText(text)
    }
    const { written } = done
    if (written !== length && !isWellFormed(text)) {
      throw this.refuse('has a lone surrogate: UTF-16 that is no text cannot be stored')
    }
    const from = this.at + headSize(length)
    if (headSize(written) !== headSize(length)) {
      this.bytes.copyWithin(this.at + headSize(written), from, from + written)
    }
    this.head(0x60, written)
    this.at += written
  }

  /** Writes as much of a text as there is room for, behind the head that ASCII of its length has. */
  encodeText(text) {
    return utf8.encodeInto(text, this.bytes.subarray(this.at + headSize(text.length)))
  }

  byteString(bytes) {
    this.head(0x40, bytes.length)
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  bigint(value) {
    this.open(0xc0, value < 0n ? 3 : 2, null)
    const digits = (value < 0n ? -1n - value : value).toString(16)
    const hex = digits.length % 2 ? `0${digits}` : digits
    this.head(0x40, hex.length / 2)
    this.reserve(hex.length / 2)
    for (let from = 0; from < hex.length; from += 2) {
      this.bytes[this.at++] = Number.parseInt(hex.slice(from, from + 2), 16)
    }
    this.close()
  }

  /** A bigint as an integer where 64 bits hold it, as konserve writes the parts of ratios and decimals. */
  compact(value) {
    if (value < -INT_END || value >= INT_END) return this.bigint(value)
    const number = value < 0n ? -1n - value : value
    this.head(value < 0n ? 0x20 : 0, number < 2n ** 53n ? Number(number) : number)
  }

  object(object) {
    const kind = kindOf(object)
    switch (kind) {
      case 'Object':
        return this.plain(object)
      case 'Array':
        return this.array(object)
      case 'Date':
        return this.date(object)
      case 'Map':
        return this.map(object)
      case 'Set':
        return this.set(object)
      case 'List':
        return this.named('clojure/list', () => this.array(object))
      case 'RegExp':
        return this.regexp(object)
      case 'Error':
        return this.record(object) || this.error(object)
      case 'Uint8Array':
        return this.byteString(this.bytesOf(object))
      case 'ArrayBuffer':
        return this.named('js/array-buffer', () => this.byteString(new Uint8Array(object)))
      case 'DataView':
        return this.named('js/data-view', () => this.byteString(this.bytesOf(object)))
      case 'Keyword':
      case 'Symbol_':
        return this.tagged(39, object.toString())
      case 'Uuid':
        return this.tagged(37, object.bytes)
      case 'Ratio':
        return this.pair(30, object.numerator, object.denominator)
      case 'Decimal':
        return this.pair(4, BigInt(object.exponent), object.mantissa)
      case 'Char':
        return this.named('clojure/char', () => this.text(object.text))
      case 'Tagged':
        return this.tagged(object.tag, object.value)
      case undefined:
        if (this.record(object)) return
        throw this.refuse(refusalOf(object))
      default:
        return this.typedArray(kind, object)
    }
  }

  plain(object, keywords = this.keywords) {
    const keys = Object.keys(object)
    if (Object.getOwnPropertySymbols(object).length > 0) this.checkSymbols(object)
    this.open(0xa0, keys.length, object)
    const level = this.depth - 1
    for (const key of keys) {
      this.steps[level] = key
      if (keywords) this.keyword(key)
      else this.text(key)
      this.item(object[key])
    }
    this.close()
  }

  /** A text that stands for a keyword. */
  keyword(name) {
    if (name === '' || name[0] === ':') {
      throw this.refuse('is a name that no keyword has: give a Map with this text as its key, or a Keyword')
    }
    this.tagged(39, `:${name}`)
  }

  /** Symbols that others cannot see are a library's private marks; the others would be lost. */
  checkSymbols(object) {
    for (const symbol of Object.getOwnPropertySymbols(object)) {
      if (symbol === Symbol.iterator || symbol === Symbol.toStringTag) throw this.refuse(refusalOf(object))
      if (Object.prototype.propertyIsEnumerable.call(object, symbol)) {
        throw this.refuse(`has a property named by ${String(symbol)}: only properties named by text can be stored`)
      }
    }
  }

  array(array) {
    if (!Array.isArray(array)) throw this.refuse('has the prototype of arrays, but is none')
    const { length } = array
    this.open(0x80, length, array)
    const level = this.depth - 1
    for (let at = 0; at < length; at++) {
      const value = array[at]
      this.steps[level] = at
      if (value === undefined && !Object.hasOwn(array, at)) {
        throw this.refuse('is a hole in the array: write undefined or null there')
      }
      this.item(value)
    }
    this.close()
  }

  date(date) {
    const time = timeOf.call(date)
    const origin = originOf(date, time)
    if (origin !== undefined) return this.tagged(origin.tag, origin.content)
    if (Number.isNaN(time)) throw this.refuse('is an invalid Date')
    if (time < -62_167_219_200_000 || time > 253_402_300_799_999) return this.tagged(1, time / 1000)
    this.tagged(0, new Date(time).toISOString().replace('.000Z', 'Z'))
  }

  map(map) {
    const entries = [...entriesOf.call(map)]
    // Where plain objects are those with keywords, nothing else has texts as keys.
    const texts = !this.keywords && entries.every(([key]) => typeof key === 'string')
    if (texts) this.open(0xc0, 259, null)
    this.open(0xa0, entries.length, map)
    const level = this.depth - 1
    for (let at = 0; at < entries.length; at++) {
      this.steps[level] = -1 - 2 * at
      this.item(entries[at][0])
      this.steps[level] = -2 - 2 * at
      this.item(entries[at][1])
    }
    this.close(texts ? 2 : 1)
  }

  set(set) {
    const members = [...membersOf.call(set)]
    this.open(0xc0, 258, null)
    this.open(0x80, members.length, set)
    const level = this.depth - 1
    for (let at = 0; at < members.length; at++) {
      this.steps[level] = -1 - at
      this.item(members[at])
    }
    this.close(2)
  }

  regexp(regexp) {
    const { source, flags } = regexp
    if (flags === '') return this.tagged(35, originOf(regexp, source)?.content ?? source)
    this.named('js/regexp', () => {
      this.open(0x80, 2, null)
      this.text(source)
      this.text(flags)
      this.close()
    })
  }

  error(error) {
    const own = ['cause', 'errors'].filter((key) => Object.hasOwn(error, key))
    const known = new Set(['name', 'message', 'cause', 'errors', 'stack'])
    const keys = ['name', 'message', ...own, ...Object.keys(error).filter((key) => !known.has(key))]
    this.named('js/error', () => {
      this.open(0xa0, keys.length, error)
      const level = this.depth - 1
      keys.forEach((key, at) => {
        const value = error[key]
        this.steps[level] = key
        if (at < 2 && typeof value !== 'string') throw this.refuse('is not a text, as that of an error must be')
        this.text(key)
        this.item(value)
      })
      this.close()
    })
  }

  typedArray(kind, array) {
    const bytes = this.bytesOf(array)
    this.tagged(TAG_OF.get(kind), BIG_ENDIAN ? reversed(bytes, array.BYTES_PER_ELEMENT) : bytes)
  }

  /** The bytes that a view shows. Those of a detached buffer throw. */
  bytesOf({ buffer, byteOffset, byteLength }) {
    if (Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]') {
      throw this.refuse('is over a SharedArrayBuffer, which others may write meanwhile: copy it first')
    }
    return new Uint8Array(buffer, byteOffset, byteLength)
  }

  tagged(tag, content) {
    this.open(0xc0, tag, null)
    this.item(content)
    this.close()
  }

  pair(tag, first, second) {
    this.open(0xc0, tag, null)
    this.open(0x80, 2, null)
    this.compact(first)
    this.compact(second)
    this.close(2)
  }

  /** Writes an object of one of the application's classes; `false` if it is none. */
  record(object) {
    const writer = this.records?.writerOf(object)
    if (writer === undefined) return false
    const fields = this.fieldsOf(object, writer)
    this.open(0xc0, 27, null)
    this.open(0x80, 2, object)
    this.text(writer.name)
    this.item(fields)
    this.close(2)
    return true
  }

  fieldsOf(object, { name, write }) {
    let fields
    try {
      fields = write(object)
    } catch (error) {
      throw this.refuse(`could not be written as record ${name}: see the cause`, error)
    }
    if (fields !== undefined) return fields
    throw this.refuse(`could not be written as record ${name}: its write gave undefined`)
  }

  /** Tag 27: the name of a kind, and what `write` writes. */
  named(name, write) {
    this.open(0xc0, 27, null)
    this.open(0x80, 2, null)
    this.text(name)
    write()
    this.close(2)
  }
}
