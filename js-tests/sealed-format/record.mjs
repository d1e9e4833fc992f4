// The record of a store: what it is, and who opens it.

import { concat, equal } from './bytes.mjs'
import { canonical } from './cbor-write.mjs'
import { decodeFirst } from './cbor-read.mjs'
import { Fault, must } from './fault.mjs'
import { DK, H, KH } from './hash.mjs'
import { openSlot } from './slots.mjs'

export const [PLAIN, AES_BLAKE3] = [0, 128]
const HASH = 32
const MAC = 32

const corrupt = (holds, why) => must(holds, 'CORRUPT', `record: ${why}`)
const macOf = (activeKey, body) => KH(DK('konserve 2026 store record', activeKey), body)
const isBytes = (value, length) => value instanceof Uint8Array && (length === undefined || value.length === length)
const isWhole = (value) => Number.isInteger(value) && value >= 0
const isByte = (value) => isWhole(value) && value < 256

/** The fields of a record's body. `slots` make it an encrypted one. */
export function fields({ id, created, serializer = 3, compressor = 0, slots }) {
  const common = { id, format: 1, layout: 'sealed', created, serializer, compressor }
  return slots === undefined ? { ...common, encryptor: PLAIN } : { ...common, encryptor: AES_BLAKE3, slots }
}

/** A record of a body that is already CBOR, with the mac under `activeKey` if there is one. */
export function sealBody(body, activeKey) {
  const signed = activeKey === undefined ? body : concat(body, macOf(activeKey, body))
  return concat(signed, H(signed))
}

export const writeRecord = (content, activeKey) => sealBody(canonical(content), activeKey)

/** Opens a record with 32 bytes, a passphrase or nothing: its fields, and `nameKey` and `keys` of an encrypted one. */
export async function openRecord(record, secret) {
  const signed = record.slice(0, -HASH)
  corrupt(record.length >= HASH && equal(H(signed), record.slice(-HASH)), 'its hash')
  const { content, end } = parse(signed)
  const [body, mac] = [signed.slice(0, end), signed.slice(end)]
  checkFields(content, body, mac)
  must(content.encryptor !== PLAIN || secret === undefined, 'AUTHENTICATION', 'a plain record, and a key')
  must(content.encryptor === PLAIN || secret !== undefined, 'WRONG_KEY', 'an encrypted record, and no key')
  if (secret === undefined) return content
  const secrets = await openAny(content, secret)
  must(equal(macOf(secrets.keys[0], body), mac), 'AUTHENTICATION', 'the mac of the record')
  return { ...content, ...secrets }
}

function parse(signed) {
  const { value: content, end } = item(signed)
  corrupt(typeof content === 'object' && content !== null && isWhole(content.format), 'no record')
  must(content.format === 1, 'UNSUPPORTED_FORMAT', `record: format ${content.format}`)
  return { content, end }
}

function item(signed) {
  try {
    return decodeFirst(signed)
  } catch {
    throw new Fault('CORRUPT', 'record: no CBOR')
  }
}

function checkFields(content, body, mac) {
  const { id, layout, created, serializer, compressor, encryptor, slots } = content
  corrupt(isBytes(id, 16) && isWhole(created) && [serializer, compressor].every(isByte), 'its fields')
  corrupt(layout === 'sealed', 'its layout')
  corrupt(equal(canonical(content), body), 'not canonical')
  corrupt(isWhole(encryptor), 'its encryptor')
  must(encryptor === PLAIN || encryptor === AES_BLAKE3, 'UNSUPPORTED', `record: encryptor ${encryptor}`)
  if (encryptor === PLAIN) return corrupt(slots === undefined && mac.length === 0, 'a plain one with slots or a mac')
  corrupt(Array.isArray(slots) && slots.every((slot) => isBytes(slot)), 'no slots')
  corrupt(slots.length >= 1 && slots.length <= 8 && mac.length === MAC, 'its slots or mac')
}

async function openAny({ id, slots }, secret) {
  for (const slot of slots) {
    const secrets = await openSlot(id, secret, slot)
    if (secrets !== undefined) return secrets
  }
  return must(false, 'WRONG_KEY', 'no slot opens')
}
