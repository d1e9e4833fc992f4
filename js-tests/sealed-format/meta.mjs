// The map in the meta section, and the value: from CBOR and to it.

import { equal } from './bytes.mjs'
import { decode, decodeEntries } from './cbor-read.mjs'
import { canonical, encode, map as cborMap, text } from './cbor-write.mjs'
import { must } from './fault.mjs'
import * as lz4 from './lz4.mjs'
import { nameOf } from './names.mjs'
import * as zstd from './zstd.mjs'

const TYPES = ['edn', 'binary', 'append-log', 'log-element']
const MAX_SIZE = 256n << 20n
const CBOR = 3
const COMPRESSORS = [{ read: stored, write: (bytes) => bytes }, lz4, zstd]

const check = (holds, why) => must(holds, 'CORRUPT', `meta: ${why}`)

/** The map of an entry. `user` is left out when it has no entries. */
export function writeMap({ key, type, lastWrite, expires, user = {} }) {
  const pairs = [
    ['key', canonical(key)],
    ['type', encode(type)],
    ['last-write', encode(lastWrite)],
  ]
  if (expires !== undefined) pairs.push(['expires', encode(expires)])
  if (Object.keys(user).length > 0) pairs.push(['user', encode(user)])
  return cborMap(pairs.map(([name, value]) => [text(name), value]))
}

/** The entry of a map, if its key has this name. */
export function readMap(bytes, name, nameKey) {
  const entries = new Map(decodeEntries(bytes).map((entry) => [entry.key, entry]))
  const [key, type, lastWrite, expires, user] = ['key', 'type', 'last-write', 'expires', 'user'].map((entry) =>
    entries.get(entry),
  )
  check(key !== undefined && key.value !== undefined, 'no key')
  check(equal(canonical(key.value), key.bytes), 'a key that is not canonical')
  check(TYPES.includes(type?.value), 'no type')
  check(lastWrite !== undefined && isTime(lastWrite), 'no last-write')
  check(expires === undefined || isTime(expires), 'no time of expiry')
  check(user === undefined || isMap(user), 'no user entries')
  check(equal(nameOf(key.bytes, nameKey), name), 'the key of another blob')
  const values = { key: key.value, type: type.value, lastWrite: lastWrite.value }
  return { ...values, expires: expires?.value, user: user?.value, canonicalKey: key.bytes }
}

/** An integer that is not negative, as an integer. */
const isTime = ({ bytes }) => bytes[0] >> 5 === 0
const isMap = ({ bytes }) => bytes[0] >> 5 === 5

/** What the compressor of this id makes of bytes. */
export const compress = (compressor, bytes) => COMPRESSORS[compressor].write(bytes)

function stored(bytes) {
  return bytes
}

/** The value's bytes before compression, from its section, decrypted. */
export function decompress({ compressor, size }, section) {
  must(compressor < COMPRESSORS.length, 'UNSUPPORTED', `compressor ${compressor}`)
  must(size <= MAX_SIZE, 'LIMIT_EXCEEDED', 'the size')
  const bytes = COMPRESSORS[compressor].read(section, Number(size))
  check(bytes.length === Number(size), 'another size')
  return bytes
}

/** The value of these bytes: themselves, if it is a binary or of one of the application's `serializers`. */
export function deserialize({ serializer, type, serializers = [] }, bytes) {
  if (type === 'binary' || serializers.includes(serializer)) return bytes
  must(serializer === CBOR, 'UNSUPPORTED', `serializer ${serializer}`)
  return decode(bytes)
}
