// BLAKE3 as the format names it, AES-256-CBC, Argon2id.

import { webcrypto } from 'node:crypto'
import { argon2id } from '@noble/hashes/argon2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { concat, u32, utf8 } from './bytes.mjs'
import { Fault } from './fault.mjs'

const AES_BLOCK = 16

export const H = (...parts) => blake3(concat(...parts))
export const KH = (key, ...parts) => blake3(concat(...parts), { key })
export const DK = (context, material, length = 32) => blake3(material, { context: utf8(context), dkLen: length })

/** Cuts derived key material into pieces of these lengths. */
export function cut(material, ...lengths) {
  let at = 0
  return lengths.map((length) => material.slice(at, (at += length)))
}

const imported = (key) => webcrypto.subtle.importKey('raw', key, 'AES-CBC', false, ['encrypt', 'decrypt'])

export async function encrypt(key, iv, plain) {
  return new Uint8Array(await webcrypto.subtle.encrypt({ name: 'AES-CBC', iv }, await imported(key), plain))
}

/** Encrypts whole blocks without padding, as nobody should. */
export async function encryptUnpadded(key, iv, blocks) {
  return (await encrypt(key, iv, blocks)).slice(0, -AES_BLOCK)
}

/** Decrypts; wrong lengths and bad padding are `code`. */
export async function decrypt(key, iv, ct, code) {
  try {
    return new Uint8Array(await webcrypto.subtle.decrypt({ name: 'AES-CBC', iv }, await imported(key), ct))
  } catch {
    throw new Fault(code, 'no such ciphertext')
  }
}

/** `m` in KiB. */
export const argon = (passphrase, salt, { m, t, p }) => argon2id(utf8(passphrase), salt, { m, t, p, dkLen: 32 })

/** Bytes that only look random: the same in every run, from one seed. */
export function repeatable(seed) {
  let count = 0
  return (length) => blake3(concat(utf8(seed), u32(count++)), { dkLen: length })
}

export const random = (length) => webcrypto.getRandomValues(new Uint8Array(length))
