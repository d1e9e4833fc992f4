/**
 * What runs in the worker of argon2.js: one message with the compiled module and what is given, one answer with the bytes.
 * It imports nothing dynamically, since some bundlers cannot split the code of a worker.
 */
import { argon2id, initSync } from './wasm/argon2.js'

addEventListener('message', ({ data: { compiled, given } }) => {
  try {
    initSync({ module: compiled })
    postMessage({ bytes: argon2id(...given) })
  } catch {
    // Where it failed here, the page tries it itself, and tells the error.
    postMessage({})
  }
})
