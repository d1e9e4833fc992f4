/**
 * A store that keeps transit (https://github.com/cognitect/transit-format) instead of CBOR, by the npm package `transit-js`:
 * what Clojure and JavaScript programs exchange over the network is then what is stored, too.
 */
import { Keyword, Symbol_, Uuid, openStore } from 'konserve'
import transit from 'transit-js'

/** What konserve has a class for, and transit another. */
const WRITTEN = [
  [Keyword, ({ text }) => transit.keyword(text)],
  [Symbol_, ({ text }) => transit.symbol(text)],
  [Uuid, ({ text }) => transit.uuid(text)],
]

/** A value as transit has it. What transit has no form for is refused, not changed; only `-0` becomes `0`. */
function toTransit(value) {
  if (value === undefined) throw new TypeError('transit has no undefined')
  if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? transit.bigInt(`${value}`) : value
  const known = WRITTEN.find(([Class]) => value instanceof Class)
  if (known) return known[1](value)
  if (value instanceof Date || value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map(toTransit)
  if (value instanceof Set) return transit.set([...value].map(toTransit))
  if (value instanceof Map) return transit.map(entriesOf(value).flat())
  if (Object.getPrototypeOf(value) !== Object.prototype)
    throw new TypeError(`no transit for a ${value.constructor?.name}`)
  return transit.map(Object.entries(value).flatMap(([name, field]) => [name, toTransit(field)]))
}

/** What a Map holds. One with names alone would come back as an object. */
function entriesOf(map) {
  const entries = [...map].map(([key, value]) => [toTransit(key), toTransit(value)])
  if (entries.every(([key]) => typeof key === 'string'))
    throw new TypeError('transit has no Map of names: use an object')
  return entries
}

/** The value that transit stands for. A map whose keys are all texts is a plain object. */
function fromTransit(value) {
  if (transit.isKeyword(value)) return Keyword.of(String(value).slice(1))
  if (transit.isSymbol(value)) return Symbol_.of(String(value))
  if (transit.isUUID(value)) return new Uuid(value.toString())
  if (transit.isBigInt(value)) return BigInt(value.rep)
  if (transit.isInteger(value)) return typeof value === 'number' ? value : BigInt(value.toString())
  if (Array.isArray(value)) return value.map(fromTransit)
  if (transit.isSet(value)) return new Set([...value.values()].map(fromTransit))
  if (transit.isMap(value)) return fromMap([...value.entries()])
  return value
}

function fromMap(entries) {
  const read = entries.map(([key, value]) => [fromTransit(key), fromTransit(value)])
  return read.every(([key]) => typeof key === 'string') ? Object.fromEntries(read) : new Map(read)
}

export const transitSerializer = {
  id: 200,
  name: 'transit',

  encode(value) {
    return new TextEncoder().encode(transit.writer('json').write(toTransit(value)))
  },

  decode(bytes) {
    return fromTransit(transit.reader('json').read(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  },
}

// Where Node runs this file, it shows itself.
if (globalThis.process?.argv[1]?.endsWith('transit-serializer.mjs')) {
  const store = await openStore({ backend: 'memory', serializer: transitSerializer })
  await store.assocIn(['user', 'role'], Keyword.of('role/admin'))
  await store.updateIn(['user', 'visits'], (visits = 0) => visits + 1)
  console.log(await store.get('user'))
  await store.close()
}
