// One blob: its header, its meta section, its value section. Written from parts, so that forgeries can be made too.

import { concat, equal, readU32, readU64, u32, u64 } from './bytes.mjs'
import { cut, decrypt, DK, encrypt, H, KH } from './hash.mjs'
import { must } from './fault.mjs'
import { PLAIN, AES_BLAKE3 } from './record.mjs'

export const HEADER = 20
const CHECKED = 8
const SEALED = 0x81
const MAX_META = 1 << 20
const PREFIX = 40
const [KID, SALT, TAG] = [8, 32, 32]

export const kidOf = (key) => DK('konserve 2026 key id', key).slice(0, KID)

const keysOf = (key, salt) => {
  const [enc, mac, metaIv, valueIv] = cut(DK('konserve 2026 blob keys', concat(key, salt), 96), 32, 32, 16, 16)
  return { enc, mac, metaIv, valueIv }
}

export const headOf = ({ serializer = 3, compressor = 0, encryptor, metaLength }) =>
  concat(new Uint8Array([SEALED, serializer, compressor, encryptor]), u32(metaLength))

/** The blob of these parts, with the check that they have under this name. */
export const assemble = (name, head, meta, value) =>
  concat(head, H(name, head, meta).slice(0, HEADER - CHECKED), meta, value)

/** The parts of a blob, whatever is wrong with it. */
export function split(blob) {
  const end = HEADER + readU32(blob, 4)
  return { head: blob.slice(0, CHECKED), meta: blob.slice(HEADER, end), value: blob.slice(end) }
}

/** The blob with the check that it has under this name. */
export function rechecked(name, blob) {
  const { head, meta, value } = split(blob)
  return assemble(name, head, meta, value)
}

/**
 * The blob of a plain store. `map` is CBOR, `content` is what the compressor left; `size` and `digest` are those of it
 * unless they are given. For forgeries: the `prefixed` bytes in place of size, digest and map.
 */
export function plainBlob({ name, map, content, size = content.length, digest = H(content), prefixed, ...head }) {
  const meta = prefixed ?? concat(u64(size), digest, map)
  return assemble(name, headOf({ encryptor: PLAIN, metaLength: meta.length, ...head }), meta, content)
}

/**
 * The blob of an encrypted store: `lock` is `{ id, key, salt }`. For forgeries: `ciphers` of meta and value in place
 * of CBC, and `prefixed` as above.
 */
export async function encryptedBlob(parts, { id, key, salt, ciphers: [sealMeta, sealValue] = [encrypt, encrypt] }) {
  const { name, map, content, size = content.length, digest, prefixed, ...head } = parts
  const { enc, mac, metaIv, valueIv } = keysOf(key, salt)
  const value = await sealValue(enc, valueIv, content)
  const ct = await sealMeta(enc, metaIv, prefixed ?? concat(u64(size), digest ?? H(value), map))
  const metaLength = KID + SALT + ct.length + TAG
  const header = headOf({ encryptor: AES_BLAKE3, metaLength, ...head })
  const locked = concat(kidOf(key), salt, ct)
  return assemble(name, header, concat(locked, KH(mac, id, name, header, locked)), value)
}

/** Reads head and meta section, as far as `{ size, digest, map, value }`; `value()` gives the section, decrypted. */
export async function openBlob(blob, name, { id, encryptor, keys }) {
  const code = encryptor === PLAIN ? 'CORRUPT' : 'AUTHENTICATION'
  const least = encryptor === PLAIN ? PREFIX : KID + SALT + TAG
  must(blob.length >= HEADER, code, 'no header')
  const length = readU32(blob, 4)
  must(length <= MAX_META && length >= least && length <= blob.length - HEADER, code, 'the length of meta')
  must(blob[0] === SEALED, code, 'byte 0')
  must(equal(rechecked(name, blob), blob), code, 'the check')
  must(blob[3] === encryptor, code, 'byte 3')
  const parts = split(blob)
  const opened = encryptor === PLAIN ? openPlain(parts) : await openEncrypted(parts, name, id, keys)
  const { prefixed, decryptValue } = opened
  must(prefixed.length >= PREFIX, 'CORRUPT', 'meta too short')
  const [size, digest, map] = [readU64(prefixed, 0), prefixed.slice(8, PREFIX), prefixed.slice(PREFIX)]
  const value = () => {
    must(equal(H(parts.value), digest), code, 'the digest')
    return decryptValue(parts.value)
  }
  return { serializer: blob[1], compressor: blob[2], size, digest, map, value }
}

const openPlain = ({ meta }) => ({ prefixed: meta, decryptValue: (value) => value })

async function openEncrypted({ head, meta }, name, id, keys) {
  const [kid, salt] = cut(meta, KID, SALT)
  const key = keys.find((candidate) => equal(kidOf(candidate), kid))
  must(key !== undefined, 'WRONG_KEY', 'a key that is not in the record')
  const { enc, mac, metaIv, valueIv } = keysOf(key, salt)
  const tag = KH(mac, id, name, head, meta.slice(0, -TAG))
  must(equal(tag, meta.slice(-TAG)), 'AUTHENTICATION', 'the tag')
  const prefixed = await decrypt(enc, metaIv, meta.slice(KID + SALT, -TAG), 'CORRUPT')
  return { prefixed, decryptValue: (value) => decrypt(enc, valueIv, value, 'CORRUPT') }
}
