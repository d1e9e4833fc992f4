// Key slots: the secrets of a store, sealed under a caller's 32 bytes or a passphrase.

import { concat, equal, filled, readU32, u32 } from './bytes.mjs'
import { Fault } from './fault.mjs'
import { argon, cut, decrypt, DK, encrypt, KH } from './hash.mjs'

const [RAW, PASSPHRASE] = [0, 1]
const SALT_AT = 13
const CT_AT = 29
const TAG = 32
const MAX_KEYS = 8

export const DEFAULT_COSTS = { m: 19456, t: 2, p: 1 }

const costsAllowed = ({ m, t, p }) => t >= 1 && t <= 16 && p >= 1 && p <= 4 && m >= 8 * p && m <= 262144

/** The keys of a slot, from what the caller has and its salt. */
function keysOf(secret, salt, costs) {
  const kek = typeof secret === 'string' ? argon(secret, salt, costs) : secret
  const [enc, mac, iv] = cut(DK('konserve 2026 key slot', concat(kek, salt), 80), 32, 32, 16)
  return { kek, enc, mac, iv }
}

/**
 * The slot of `secret` (32 bytes or a passphrase) for `secrets`, the name key and then all K.
 * For forgeries: `kdf` and `written` costs that are not those it was made with, `cipher` in place of CBC, `store` another id.
 */
export async function writeSlot(id, secret, secrets, salt, options = {}) {
  const isPassphrase = typeof secret === 'string'
  const { costs = DEFAULT_COSTS, cipher = encrypt, kdf = isPassphrase ? PASSPHRASE : RAW } = options
  const { written = isPassphrase ? costs : { m: 0, t: 0, p: 0 } } = options
  const { enc, mac, iv } = keysOf(secret, salt, costs)
  const numbers = [written.m, written.t, written.p].map(u32)
  const untagged = concat(new Uint8Array([kdf]), ...numbers, salt, await cipher(enc, iv, secrets))
  return concat(untagged, KH(mac, id, untagged))
}

/** The secrets in a slot, `{ nameKey, keys }`, or undefined if it does not open. */
export async function openSlot(id, secret, slot) {
  if (slot.length < CT_AT + TAG || !isFor(secret, slot)) return undefined
  const { enc, mac, iv } = keysOf(secret, slot.slice(SALT_AT, CT_AT), costsOf(slot))
  if (!equal(KH(mac, id, slot.slice(0, -TAG)), slot.slice(-TAG))) return undefined
  return parse(await secretsIn(enc, iv, slot.slice(CT_AT, -TAG)))
}

const costsOf = (slot) => ({ m: readU32(slot, 1), t: readU32(slot, 5), p: readU32(slot, 9) })

function isFor(secret, slot) {
  if (typeof secret === 'string') return slot[0] === PASSPHRASE && costsAllowed(costsOf(slot))
  return slot[0] === RAW && equal(slot.slice(1, SALT_AT), filled(12, 0))
}

async function secretsIn(enc, iv, ct) {
  try {
    return await decrypt(enc, iv, ct, 'WRONG_KEY')
  } catch (error) {
    if (error instanceof Fault) return new Uint8Array()
    throw error
  }
}

function parse(secrets) {
  const count = secrets.length / 32 - 1
  if (!Number.isInteger(count) || count < 1 || count > MAX_KEYS) return undefined
  const [nameKey, ...keys] = cut(secrets, ...new Array(count + 1).fill(32))
  return { nameKey, keys }
}
