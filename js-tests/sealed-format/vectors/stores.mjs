// The stores that the vectors attack, and blobs of theirs, right or forged.

import { concat, filled, hex, unhex } from '../bytes.mjs'
import { encryptedBlob, plainBlob } from '../blob.mjs'
import { canonical, encode, map as cborMap, text } from '../cbor-write.mjs'
import { writeMap } from '../meta.mjs'
import { nameOf } from '../names.mjs'
import { fields, writeRecord } from '../record.mjs'
import { writeSlot } from '../slots.mjs'

export const CREATED = 1_700_000_000_000
export const [ID, OTHER_ID] = [0x11, 0x12].map((byte) => filled(16, byte))
export const [NAME_KEY, OTHER_NAME_KEY, K, NEW_K, OTHER_K] = [0x22, 0x23, 0x33, 0x66, 0x77].map((byte) =>
  filled(32, byte),
)
export const [SALT, OTHER_SALT] = [0x44, 0x45].map((byte) => filled(32, byte))
export const [SLOT_SALT, OTHER_SLOT_SALT] = [0x55, 0x56].map((byte) => filled(16, byte))
export const RAW_KEY = unhex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')
export const PASSPHRASE = 'correct horse battery staple'
/** The cheapest that are allowed: it is not the passphrase that these vectors test. */
export const COSTS = { m: 8, t: 1, p: 1 }

/** The record of a store with one slot, or of a plain one. Anything of it can be given in place of what is right. */
export async function recordOf({ secret, id = ID, nameKey = NAME_KEY, keys = [K], salt = SLOT_SALT, ...forged }) {
  if (secret === undefined) return writeRecord(fields({ id, created: CREATED }))
  const secrets = forged.secrets ?? concat(nameKey, ...keys)
  const slots = forged.slots ?? [await writeSlot(id, secret, secrets, salt, { costs: COSTS, ...forged.slot })]
  return writeRecord({ ...fields({ id, created: CREATED, slots }), ...forged.body }, forged.macKey ?? keys[0])
}

async function storeOf(title, secret, keys = [K]) {
  const record = await recordOf({ secret, keys })
  const opens = typeof secret === 'string' ? { passphrase: secret } : { raw_key: hex(secret ?? []) }
  if (secret === undefined) return { title, encrypted: false, id: ID, record }
  return { title, encrypted: true, id: ID, nameKey: NAME_KEY, keys, record, secret, opens }
}

/** All of the stores; `rekeyed` was interrupted, its older key is that of `raw`. */
export async function makeStores() {
  return {
    plain: await storeOf('plain'),
    raw: await storeOf('raw', RAW_KEY),
    passphrase: await storeOf('passphrase', PASSPHRASE),
    rekeyed: await storeOf('rekeyed', RAW_KEY, [NEW_K, K]),
  }
}

/** What a damaged header, tag or digest is in this store. */
export const refused = ({ encrypted }) => (encrypted ? 'AUTHENTICATION' : 'CORRUPT')

/**
 * A blob `{ key, name, blob }` of a store. Of what is not given: the key is `k`, the value `v`, the serializer CBOR.
 * `map`, `content` (as the compressor left it), `size`, `digest`, `prefixed`, `name` are for forgeries, and so are
 * `id`, `lock` (the K), `salt` and `ciphers` in an encrypted store.
 */
export async function forge(store, parts = {}) {
  const { key = 'k', value = 'v', type = 'edn', lastWrite = CREATED, expires, user, ...rest } = parts
  const { map = writeMap({ key, type, lastWrite, expires, user }), content = encode(value) } = rest
  const { id = store.id, lock = store.keys?.[0], salt = SALT, ciphers, ...sections } = rest
  const canonicalKey = canonical(key)
  const all = { name: nameOf(canonicalKey, store.nameKey), ...sections, map, content }
  const blob = store.encrypted ? await encryptedBlob(all, { id, key: lock, salt, ciphers }) : plainBlob(all)
  return { key: hex(canonicalKey), name: all.name, blob }
}

/** An entry of a map, to be given to `mapOf`. */
export const entry = (name, value) => [text(name), value]
/** The entries of the map of the key `k`. */
export const RIGHT = {
  key: entry('key', canonical('k')),
  type: entry('type', encode('edn')),
  lastWrite: entry('last-write', encode(CREATED)),
}

/** The right map with these entries in place of its own, or beside them; `undefined` takes one away. */
export const mapOf = (entries) =>
  cborMap(Object.values({ ...RIGHT, ...entries }).filter((entry) => entry !== undefined))
