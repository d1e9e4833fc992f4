// The values of the vectors, written in JSON.

import { unhex } from './bytes.mjs'
import { Tagged } from './cbor-write.mjs'

const NOTATIONS = {
  $undefined: () => undefined,
  $number: (text) => Number(text),
  $bigint: (text) => BigInt(text),
  $bytes: unhex,
  $date: (time) => new Date(time),
  $set: (members) => new Set(members.map(parse)),
  $map: (pairs) => new Map(pairs.map((pair) => pair.map(parse))),
}

/** The value that is written so. */
export function parse(json) {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(parse)
  if ('$tag' in json) return new Tagged(json.$tag, parse(json.value))
  const notation = Object.keys(json).find((key) => key in NOTATIONS)
  if (notation !== undefined) return NOTATIONS[notation](json[notation])
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, parse(value)]))
}
