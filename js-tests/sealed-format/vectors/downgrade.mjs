// Less protection than the store has, or another kind.

import { concat, hex, patched } from '../bytes.mjs'
import { rechecked } from '../blob.mjs'
import { canonical } from '../cbor-write.mjs'
import { argon } from '../hash.mjs'
import { nameOf } from '../names.mjs'
import { sealBody } from '../record.mjs'
import { COSTS, forge, PASSPHRASE, RAW_KEY, recordOf, refused, SLOT_SALT } from './stores.mjs'

const byteThree = (byte) => (blob, name) => rechecked(name, patched(blob, 3, [byte]))

/** A blob as konserve writes it: a header of 20 bytes, meta, value. */
const KONSERVE = concat(new Uint8Array([1, 3, 0, 0, 0, 0, 0, 1]), new Uint8Array(12), new Uint8Array([0xf6, 1]))

export async function downgrade(group, stores) {
  await blobs(group, stores)
  await records(group, stores)
  await keys(group, stores)
}

async function blobs(group, { plain, raw, rekeyed }) {
  const encrypted = await forge(raw)
  const open = await forge(plain)
  for (const byte of [0, 1, 127, 129, 255])
    group.changed(raw, `byte 3 is ${byte}, check made right`, encrypted, byteThree(byte), refused(raw))
  for (const byte of [1, 255])
    group.changed(plain, `byte 3 is ${byte}, check made right`, open, byteThree(byte), refused(plain))
  const put = await forge({ ...plain, nameKey: raw.nameKey })
  group.blob(raw, 'a plain blob under the keyed name', put, refused(raw))
  group.blob(rekeyed, 'a plain blob under the keyed name', put, refused(rekeyed))
  group.blob(raw, 'a plain blob under its own name', open, refused(raw), { met: 'list' })
  group.blob(plain, 'an encrypted blob under its own name', encrypted, refused(plain), { met: 'list' })
  const renamed = { ...open, blob: rechecked(open.name, encrypted.blob) }
  group.blob(plain, 'an encrypted blob under the plain name, check made right', renamed, refused(plain))
  for (const store of [plain, raw]) {
    const { key } = await forge(store)
    const name = nameOf(canonical('k'), store.nameKey)
    group.blob(store, 'a blob of the layout konserve', { key, name, blob: KONSERVE }, refused(store))
  }
}

async function records(group, { plain, raw, passphrase }) {
  const others = [await forge(raw)]
  const none = { copy: null }
  for (const store of [raw, passphrase]) {
    group.record(store, 'a plain record in place of both, and the key', plain.record, 'AUTHENTICATION', { others })
    group.record(store, 'only a plain record, and the key', plain.record, 'AUTHENTICATION', { others, ...none })
  }
  group.record(raw, 'no record but a plain copy, and the key', null, 'AUTHENTICATION', { others, copy: plain.record })
  const keyless = { others, config: { raw_key: null }, met: 'list' }
  group.record(raw, 'a plain record in place of both, no key', plain.record, 'CORRUPT', keyless)
  group.record(raw, 'no record, encrypted blobs', null, 'CORRUPT', { others, ...none })
  group.record(plain, 'no record, plain blobs, no key', null, 'CORRUPT', { others: [await forge(plain)] })
  group.record(raw, 'no record, plain blobs, and the key', null, 'CORRUPT', { others: [await forge(plain)], ...none })
  const konserve = [{ ...others[0], blob: KONSERVE }]
  group.record(raw, 'no record, blobs of konserve, and the key', null, 'INVALID_CONFIG', { others: konserve, ...none })
  group.record(raw, 'nothing is left', null, 'STORE_NOT_FOUND', none)
  const body = { encryptor: 0 }
  const cleared = await recordOf({ secret: RAW_KEY, body })
  group.record(raw, 'encryptor 0 in an encrypted body, mac right', cleared, 'CORRUPT', { silent: true })
  const unkeyed = plain.record.slice(0, -32)
  const plainBody = patched(unkeyed, hexIndex(unkeyed, '69656e63727970746f72') + 10, [0x17])
  group.record(plain, 'encryptor 23', sealBody(plainBody), 'UNSUPPORTED', { silent: true })
}

const hexIndex = (bytes, text) => hex(bytes).indexOf(text) / 2

async function keys(group, { plain, raw, passphrase }) {
  const config = (opens) => ({ config: opens })
  const { record } = passphrase
  group.record(plain, 'a passphrase given', plain.record, 'AUTHENTICATION', config({ passphrase: PASSPHRASE }))
  group.record(raw, 'a passphrase given', raw.record, 'WRONG_KEY', config({ passphrase: PASSPHRASE }))
  group.record(
    raw,
    'the key as hex, which is a passphrase',
    raw.record,
    'WRONG_KEY',
    config({ passphrase: hex(RAW_KEY) }),
  )
  group.record(passphrase, '32 bytes given', record, 'WRONG_KEY', config({ raw_key: hex(RAW_KEY) }))
  group.record(passphrase, 'no key given', record, 'WRONG_KEY', config({ raw_key: null }))
  const kek = argon(PASSPHRASE, SLOT_SALT, COSTS)
  group.record(passphrase, 'what Argon2id gives, as 32 bytes', record, 'WRONG_KEY', config({ raw_key: hex(kek) }))
  for (const wrong of [`${PASSPHRASE} `, PASSPHRASE.toUpperCase(), `${PASSPHRASE}\0`])
    group.record(passphrase, `passphrase ${JSON.stringify(wrong)}`, record, 'WRONG_KEY', config({ passphrase: wrong }))
}
