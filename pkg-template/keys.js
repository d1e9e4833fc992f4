/** The keys of encrypted stores, as a user gives them. */
import * as platform from './aes.js'
import { derivation, waits } from './argon2.js'
import { KonserveError } from './error.js'

/** What the core is lent: what makes a key of a passphrase, until `signal` is aborted, and the platform's AES. */
export const lentLater = (signal) => ({ derive: derivation(signal), ...platform })

/** The same for functions that wait for nothing. Where a key of a passphrase can only be waited for, it is refused. */
export const lentNow = () => ({ derive: waits ? refuse : derivation(), ...(platform.waits ? {} : platform) })

function refuse() {
  const message =
    'konserve/sync takes a passphrase in Node only; give 32 bytes, or use the functions that return promises'
  throw new KonserveError('UNSUPPORTED', message)
}

const SHAPE = 'a Uint8Array of 32 bytes, or a passphrase that is not empty'

/** A copy of a key, or the passphrase; `name` is what the user calls it. */
export function secretOf(key, name) {
  const type = Object.prototype.toString.call(key)
  if (type === '[object Uint8Array]' && key.length === 32) return new Uint8Array(key)
  if (typeof key === 'string' && key !== '') {
    if (key.isWellFormed?.() ?? true) return key
    throw invalid(`${name} is no text: a half of a character stands alone in it`)
  }
  throw invalid(`${name} is ${SHAPE}`)
}

/** Those of a list, of which there are some. */
export function secretsOf(keys) {
  if (!Array.isArray(keys) || keys.length === 0) throw invalid(`keys is an array of keys, each ${SHAPE}`)
  return keys.map((key, at) => secretOf(key, `keys[${at}]`))
}

function invalid(message) {
  return new KonserveError('INVALID_CONFIG', message)
}
