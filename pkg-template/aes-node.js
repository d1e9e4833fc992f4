// Bundled into node.cjs in the place of aes.js: it waits for nothing, so that konserve/sync has it too.

/* global require */

import buffer from 'node:buffer'
import process from 'node:process'

/** When it is first needed: Node takes milliseconds to load it. */
const crypto = () => process.getBuiltinModule?.('node:crypto') ?? require('node:crypto')

export const waits = false

/** AES-256-CBC of Node: many times faster than in wasm, from about a KiB on. */
export function aes(way, key, iv, bytes) {
  const { createCipheriv, createDecipheriv } = crypto()
  const cipher = (way === 'encrypt' ? createCipheriv : createDecipheriv)('aes-256-cbc', key, iv)
  key.fill(0)
  return buffer.Buffer.concat([cipher.update(bytes), cipher.final()])
}
