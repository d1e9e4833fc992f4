import { Encoder } from './encoder.js'
import { kindOf } from './kinds.js'

let idle

/** With an encoder of its own, also when a getter of what is being encoded encodes something itself. */
function encode(write, subject, name, code, key, records) {
  const encoder = idle ?? new Encoder()
  idle = undefined
  try {
    return encoder.run(write, subject, name, code, key, records)
  } finally {
    idle = encoder
  }
}

function writeItem(encoder, value) {
  encoder.item(value)
}

function writeKey(encoder, key) {
  if (key === undefined) throw encoder.refuse('is undefined: give any other value')
  encoder.item(key)
}

function writeKeyAsPath(encoder, key) {
  encoder.head(0x80, 1)
  writeKey(encoder, key)
}

function writePath(encoder, { path, records }) {
  if (!Array.isArray(path)) throw encoder.refuse('must be an array: the key, then the steps')
  const { length } = path
  if (length === 0) throw encoder.refuse('is empty: it begins with the key')
  encoder.head(0x80, length)
  for (let at = 0; at < length; at++) {
    encoder.name = `path[${at}]`
    encoder.code = at === 0 ? 'INVALID_KEY' : 'INVALID_PATH'
    writeStep(encoder, path, at)
    encoder.keywords = records !== undefined && records.keywords
  }
}

function writeStep(encoder, path, at) {
  const step = path[at]
  if (step === undefined && !Object.hasOwn(path, at)) throw encoder.refuse('is a hole in the path')
  if (at === 0) writeKey(encoder, step)
  else if (encoder.keywords && typeof step === 'string') encoder.keyword(step)
  else encoder.item(step)
}

function writeKeys(encoder, keys) {
  encoder.head(0x80, keys.length)
  keys.forEach((key, at) => {
    encoder.name = `keys[${at}]`
    writeKey(encoder, key)
  })
}

/** What all entries have in common, then each entry, one item after another. */
function writeBatch(encoder, { entries, common }) {
  const { records } = encoder
  encoder.head(0x80, 2 + 4 * entries.length)
  writeSaid(encoder, common)
  entries.forEach((entry, at) => {
    Object.assign(encoder, { name: `the key of entry ${at}`, code: 'INVALID_KEY', key: undefined })
    encoder.look(undefined)
    writeKey(encoder, entry.key)
    Object.assign(encoder, { name: 'value', code: 'INVALID_VALUE', key: entry.key })
    encoder.look(records)
    encoder.item(entry.value)
    writeSaid(encoder, entry)
  })
}

function writeSaid(encoder, { meta, expires }) {
  encoder.name = 'meta'
  writeMeta(encoder, meta)
  encoder.item(expires)
}

/** Entries of the user's are named by texts, whatever names are inside. */
function writeMeta(encoder, meta) {
  if (meta !== null && typeof meta === 'object' && kindOf(meta) === 'Object') encoder.plain(meta, false)
  else encoder.item(meta)
}

/**
 * A value as CBOR.
 * @param {unknown} value
 * @param {string} [name] how a refusal calls it
 * @param {unknown} [key] the key of which the error speaks
 * @param {Records} [records] the classes of the application's own that may be in it
 * @throws {KonserveError} `INVALID_VALUE` naming the place inside the value, `LIMIT_EXCEEDED` if nested too deep
 */
export function encodeValue(value, name = 'value', key = undefined, records = undefined) {
  return encode(writeItem, value, name, 'INVALID_VALUE', key, records)
}

/** Metadata of the user's own as CBOR. */
export function encodeMeta(meta, records) {
  return encode(writeMeta, meta, 'meta', 'INVALID_VALUE', undefined, records)
}

/** A key as CBOR; `INVALID_KEY` for what is none. */
export function encodeKey(key) {
  return encode(writeKey, key, 'key', 'INVALID_KEY')
}

/** The path that is only a key. */
export function encodeKeyAsPath(key) {
  return encode(writeKeyAsPath, key, 'key', 'INVALID_KEY')
}

/** A path, key first; `INVALID_PATH` if it is no array, or empty. Its steps look as values do, its key as keys. */
export function encodePath(path, records) {
  return encode(writePath, { path, records }, 'path', 'INVALID_PATH')
}

/** Keys, as an array. */
export function encodeKeys(keys) {
  return encode(writeKeys, keys, 'keys', 'INVALID_KEY')
}

/** The entries `{ key, value, meta, expires }` of a batch, and the `meta` and `expires` that they have in common. */
export function encodeBatch(entries, common, records) {
  return encode(writeBatch, { entries, common }, 'meta', 'INVALID_VALUE', undefined, records)
}
