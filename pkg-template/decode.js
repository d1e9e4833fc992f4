import { KonserveError } from './error.js'
import { checkSize, meaning } from './meaning.js'
import { Keyword, Tagged } from './values.js'

/** Deeper than any value that a store accepts, and far from the end of the stack. */
const MAX_DEPTH = 600
/** Up to this length a loop over ASCII beats the engine's own UTF-8 decoder. */
const SHORT_TEXT = 20
const CACHED_KEYS = 1024
const COLON = 0x3a

let utf8
/** Keys seen before, by a hash of their bytes: documents have the same few, over and over. */
const keys = new Array(CACHED_KEYS).fill('')

function corrupt(why, cause) {
  return new KonserveError('CORRUPT', `bytes that should be CBOR are not: ${why}`, cause === undefined ? {} : { cause })
}

/** Parts of metadata and of events that are not simply values, and how each is read. Keys are never records. */
const OF_META = new Map([['key', 'theKey']])
const OF_EVENT = new Map([
  ['key', 'theKey'],
  ['keys', 'theKeys'],
  ['path', 'path'],
  ['meta', 'own'],
  ['kvs', 'entries'],
])

/** Reads values from CBOR that was checked before; of other bytes it makes some value, or throws `CORRUPT`. */
class Decoder {
  constructor(bytes, records, key) {
    this.look(records)
    /** The key of which errors speak. */
    this.about = key
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = 0
    this.depth = 0
  }

  /** From here on, how values look to the application: as they are with no `records`, as keys are. */
  look(records) {
    this.records = records
    /** Whether keywords name the properties of plain objects. */
    this.keywords = records !== undefined && records.keywords
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
    if (this.keywords) return this.named(length)
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

  /** The same where a plain object has keywords as its keys. */
  named(length) {
    this.enter()
    const object = {}
    let order
    for (let left = length; left > 0; left--) {
      const name = this.name()
      if (name === undefined) return this.rest(mapOf(object, order, Keyword.of), left)
      if (isDigit(name)) order ??= Object.keys(object)
      order?.push(name)
      put(object, name, this.item())
    }
    this.depth--
    return object
  }

  /** The name of a keyword, if one follows. */
  name() {
    const { bytes, at } = this
    if (bytes[at] !== 0xd8 || bytes[at + 1] !== 39 || bytes[at + 2] >> 5 !== 3) return undefined
    this.at = at + 3
    const length = this.length(bytes[at + 2] & 31)
    if (length > 1 && bytes[this.at] === COLON && bytes[this.at + 1] !== COLON) {
      this.at++
      return this.key(length - 1)
    }
    this.at = at
    return undefined
  }

  map(length) {
    this.enter()
    return this.rest(new Map(), length)
  }

  rest(map, left) {
    const length = map.size + left
    for (; left > 0; left--) {
      const key = this.item()
      map.set(key, this.item())
    }
    checkSize(map, length)
    this.depth--
    return map
  }

  tag(tag) {
    this.enter()
    const head = this.bytes[this.at]
    let content
    // A name, which is probably known.
    if (tag === 39 && head >> 5 === 3) {
      this.at++
      content = this.key(this.length(head & 31))
    } else if (tag === 259 && head >> 5 === 5) {
      this.at++
      content = this.map(this.length(head & 31, 2))
    } else content = this.item()
    this.depth--
    return meaning(tag, content) ?? this.record(tag, content) ?? new Tagged(tag, content)
  }

  /** What a handler of the application's makes of a record; `undefined` if there is none. */
  record(tag, content) {
    if (tag !== 27 || this.records === undefined || !Array.isArray(content) || content.length !== 2) return undefined
    const [name, fields] = content
    const read = this.records.readerOf(name)
    if (read === undefined) return undefined
    let object
    try {
      object = read(fields)
    } catch (cause) {
      throw this.unreadable(`a record ${name} could not be read: see the cause`, { cause })
    }
    return object ?? this.nothing(name)
  }

  nothing(name) {
    throw this.unreadable(`a record ${name} could not be read: its read gave nothing`)
  }

  unreadable(message, cause) {
    return new KonserveError('CORRUPT', message, { key: this.about, ...cause })
  }

  /** What does not look like values. */
  asKeys(method) {
    const { records } = this
    this.look(undefined)
    const item = this[method]()
    this.look(records)
    return item
  }

  theKey() {
    return (this.about = this.asKeys('item'))
  }

  theKeys() {
    return this.asKeys('item')
  }

  /** The key, then the steps: no records, but names as values have them. */
  path() {
    const { records, keywords } = this
    const steps = this.members() - 1
    const path = [this.theKey()]
    this.records = undefined
    for (let left = steps; left > 0; left--) {
      const step = this.item()
      path.push(keywords && step instanceof Keyword ? step.text : step)
    }
    this.records = records
    return path
  }

  /** Entries of the user's, whose names are texts, whatever names are inside. */
  own() {
    return this.bytes[this.at] >> 5 === 5 ? this.facts(new Map()) : this.item()
  }

  /** How many members the array that begins here has. */
  members() {
    return this.length(this.bytes[this.at++] & 31)
  }

  list(method) {
    return Array.from({ length: this.members() }, () => this[method]())
  }

  entry() {
    this.members()
    return [this.theKey(), this.item()]
  }

  entries() {
    return this.list('entry')
  }

  meta() {
    return this.facts(OF_META)
  }

  metas() {
    return this.list('meta')
  }

  event() {
    return this.facts(OF_EVENT)
  }

  /** A map of which some parts are read in a way of their own. */
  facts(methods) {
    const facts = {}
    for (let left = this.length(this.bytes[this.at++] & 31, 2); left > 0; left--) {
      const name = this.item()
      put(facts, name, this[methods.get(name) ?? 'item']())
    }
    return facts
  }

  /** For each of these keys, what was found of it. */
  found(keys) {
    return Array.from({ length: this.members() }, (_, at) => {
      this.about = keys[at]
      return this.item()
    })
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

function mapOf(object, order, keyOf = (key) => key) {
  return new Map((order ?? Object.keys(object)).map((key) => [keyOf(key), object[key]]))
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

/**
 * The value that CBOR says.
 * @param {Uint8Array} bytes one item; nothing of it is shared with the result
 * @param {Records} [records] how classes of the application's own are read
 * @param {unknown} [key] the key of which errors speak
 * @throws {KonserveError} `CORRUPT` if it is none, or the application could not read a record; `UNSUPPORTED` if JavaScript
 *   cannot tell the keys of a map in it
 */
export function decode(bytes, records, key) {
  return read(bytes, records, key, 'item')
}

/** The metadata of one key. */
export function decodeMeta(bytes, records) {
  return read(bytes, records, undefined, 'meta')
}

/** The metadata of several keys. */
export function decodeMetas(bytes, records) {
  return read(bytes, records, undefined, 'metas')
}

/** Keys and values. */
export function decodeEntries(bytes, records) {
  return read(bytes, records, undefined, 'entries')
}

/** What is told of a write. */
export function decodeEvent(bytes, records) {
  return read(bytes, records, undefined, 'event')
}

/** An array of what was found of each of these keys. */
export function decodeFound(bytes, records, keys) {
  return read(bytes, records, undefined, 'found', keys)
}

function read(bytes, records, key, method, keys) {
  const decoder = new Decoder(bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes), records, key)
  let value
  try {
    value = decoder[method](keys)
  } catch (error) {
    throw error instanceof KonserveError ? error : corrupt('they are cut short, or no UTF-8', error)
  }
  if (decoder.at !== decoder.bytes.length) throw corrupt('the item ends before they do')
  return value
}
