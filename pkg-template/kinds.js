import { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'

/** The typed arrays with their CBOR tags (RFC 8746): little-endian, big-endian. */
const TYPED_ARRAYS = {
  Uint8ClampedArray: [68],
  Int8Array: [72],
  Uint16Array: [69, 65],
  Uint32Array: [70, 66],
  BigUint64Array: [71, 67],
  Int16Array: [77, 73],
  Int32Array: [78, 74],
  BigInt64Array: [79, 75],
  Float16Array: [84, 80],
  Float32Array: [85, 81],
  Float64Array: [86, 82],
}

/** Whether this machine is big-endian: then the bytes of typed arrays are turned round, since CBOR gets little-endian. */
export const BIG_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 0

/** The little-endian tag of a typed array by its name. */
export const TAG_OF = new Map(Object.entries(TYPED_ARRAYS).map(([name, [little]]) => [name, little]))

/** By tag: the class of typed array that this engine has, and whether its bytes are in the other order here. */
export const TYPED_ARRAY_OF = new Map([[64, { Type: Uint8Array, turned: false }]])
for (const [name, tags] of Object.entries(TYPED_ARRAYS)) {
  const Type = globalThis[name]
  if (Type) tags.forEach((tag, big) => TYPED_ARRAY_OF.set(tag, { Type, turned: Boolean(big) !== BIG_ENDIAN }))
}

const BUILT_IN = ['Array', 'Date', 'Map', 'Set', 'RegExp', 'Uint8Array', 'ArrayBuffer', 'DataView', ...TAG_OF.keys()]
const KINDS = new Map([
  [Object.prototype, 'Object'],
  [null, 'Object'],
  ...BUILT_IN.filter((name) => globalThis[name]).map((name) => [globalThis[name].prototype, name]),
  ...Object.entries({ Keyword, Symbol_, Uuid, Ratio, Decimal, Char, List, Tagged }).map(([name, Type]) => [
    Type.prototype,
    name,
  ]),
])
const NATIVE = new Set(['Object', ...BUILT_IN])

/**
 * What kind of object this is: `'Object'` if plain, the name of a built-in class, also of another realm (an iframe,
 * a vm context), `'Error'`, or a value class of this package. `undefined` for any other class, subclasses included:
 * they would come back as something else.
 */
export function kindOf(object) {
  const proto = Object.getPrototypeOf(object)
  // These two are nearly all there is in documents.
  if (proto === Object.prototype) return 'Object'
  if (proto === Array.prototype) return 'Array'
  return KINDS.get(proto) ?? (isError(object) ? 'Error' : foreignKind(proto))
}

/** Whether the objects of this prototype are stored without anybody saying how. */
export function isStoredAsItIs(prototype) {
  return KINDS.has(prototype) || prototype === Error.prototype
}

function isError(object) {
  return object instanceof Error || Object.prototype.toString.call(object) === '[object Error]'
}

function foreignKind(proto) {
  const Type = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value
  if (typeof Type !== 'function') return undefined
  const { name } = Type
  if (name === 'Buffer' && KINDS.get(Object.getPrototypeOf(proto)) === 'Uint8Array') return 'Uint8Array'
  const source = NATIVE.has(name) ? Function.prototype.toString.call(Type) : ''
  return /^function \w+\(\) \{\s*\[native code\]\s*\}$/.test(source) && Type.prototype === proto ? name : undefined
}

/** Whether this is an array, and not a List. */
export function isArray(value) {
  return Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype
}

/** The name of an object's class; `undefined` if it has none. */
export function className(object) {
  const builtIn = Object.prototype.toString.call(object).slice(8, -1)
  const name = builtIn === 'Object' ? Object.getPrototypeOf(object)?.constructor?.name : builtIn
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : undefined
}

/** A copy with the bytes of each element of this size in reverse order. */
export function reversed(bytes, size) {
  const copy = new Uint8Array(bytes)
  for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse()
  return copy
}
