import { reversed, TYPED_ARRAY_OF } from './kinds.js'
import { Char, Decimal, Keyword, Ratio, Symbol_, Uuid } from './values.js'

const MAX_TIME = 8.64e15

/** What a tag makes of its content; `undefined` if it means nothing here. */
export function meaning(tag, content) {
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
