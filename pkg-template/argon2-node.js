// Bundled into node.cjs in the place of argon2.js: it waits for nothing, so that konserve/sync has it too.
/* global __dirname, require */

import fs from 'node:fs'
import path from 'node:path'
import { failure, inDataUrl } from './load.js'

export const waits = false

let argon2id

/** A function that gives 32 bytes of a passphrase by Argon2id (RFC 9106), with `memory` in KiB. */
export function derivation(signal) {
  return (passphrase, salt, memory, passes, lanes) => {
    signal?.throwIfAborted()
    argon2id ??= loaded()
    return argon2id(passphrase, salt, memory, passes, lanes)
  }
}

function loaded() {
  try {
    const bindings = require('./wasm/argon2.js')
    bindings.initSync({ module: new WebAssembly.Module(bytes()) })
    return bindings.argon2id
  } catch (error) {
    throw failure(error)
  }
}

function bytes() {
  try {
    return fs.readFileSync(path.join(__dirname, 'wasm', 'argon2_bg.wasm'))
  } catch {
    return inDataUrl(require('./wasm/argon2-copy.js').default)
  }
}
