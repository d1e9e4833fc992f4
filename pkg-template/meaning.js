import { KonserveError } from './error.js'
import { isArray, reversed, TYPED_ARRAY_OF } from './kinds.js'
import { Char, Decimal, Keyword, List, Ratio, Symbol_, Uuid } from './values.js'

const MAX_TIME = 8.64e15

/** What dates and regular expressions were read of, where it says more than they do; `of` is what they were then. */
const origins = new WeakMap()

function remember(object, of, tag, content) {
  origins.set(object, { of, tag, content })
  return object
}

/** The tag and content that an object is to be written as: those it was read of, if it still is what it was then. */
export function originOf(object, of) {
  const origin = origins.get(object)
  return origin?.of === of ? origin : undefined
}

/** What a tag makes of its content; `undefined` if it means nothing here. */
export function meaning(tag, content) {
  if (content instanceof Uint8Array) return ofBytes(tag, content)
  if (typeof content === 'string') return ofText(tag, content)
  if (isArray(content)) return ofArray(tag, content)
  if (tag === 259 && content instanceof Map) return content
  return tag === 1 && typeof content === 'number' ? dateOfSeconds(content) : undefined
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
      return dateOfText(text)
    case 35:
      return pattern(text)
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

/** Others have `/` and line ends in it as they are. */
function pattern(text) {
  const made = regexp(text, '')
  return made === undefined || made.source === text ? made : remember(made, made.source, 35, text)
}

function dateOf(time) {
  return Math.abs(time) <= MAX_TIME ? new Date(time) : undefined
}

function dateOfSeconds(seconds) {
  const whole = Math.trunc(seconds)
  const time = 1000 * whole + Math.round(1000 * (seconds - whole))
  const date = dateOf(time)
  return date === undefined || time / 1000 === seconds ? date : remember(date, time, 1, seconds)
}

/** A leap second is the next one; what is finer than milliseconds is cut. */
function dateOfText(text) {
  const time = timeOfText(text)
  const date = dateOf(time)
  return date === undefined || !/:60|\.\d{4}/.test(text) ? date : remember(date, time, 0, text)
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
  if (tag === 258) return set(items)
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

function set(items) {
  const set = new Set(items)
  checkSize(set, items.length)
  return set
}

/** `UNSUPPORTED` if a Map or Set has fewer members than were put into it: Clojure tells 1 from 1.0. */
export function checkSize({ size }, length) {
  if (size === length) return
  throw new KonserveError(
    'UNSUPPORTED',
    'a map or set has two members that are one in JavaScript, such as 1 and 1.0: read it in Clojure or Rust',
  )
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
    (parts) => (isArray(parts) && parts.every((part) => typeof part === 'string') ? regexp(...parts) : undefined),
  ],
  ['js/error', error],
  ['clojure/char', (text) => (typeof text === 'string' && [...text].length === 1 ? new Char(text) : undefined)],
  ['clojure/list', (items) => (isArray(items) ? List.from(items) : undefined)],
])

const ERRORS = new Map(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Type) => [Type.name, Type]),
)

function error(content) {
  // A Map where plain objects are those with keywords.
  const fields = content instanceof Map ? Object.fromEntries(content) : content
  if (fields === null || typeof fields !== 'object' || Object.getPrototypeOf(fields) !== Object.prototype) {
    return undefined
  }
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
