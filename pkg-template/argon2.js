/** Makes keys of passphrases in a worker: the page stays responsive, and may end it. */
/* global Worker */
import { Loader } from './load.js'

export const waits = true

/** The compiled module, once it was loaded. */
let compiled

/** The module that makes keys of passphrases; loaded with the first one. */
const loader = new Loader({
  bindings: () => import('./wasm/argon2.js'),
  module: () => fetch(new URL('./wasm/argon2_bg.wasm', import.meta.url)),
  copy: async () => (await import('./wasm/argon2-copy.js')).default,
  fetch: (url) => fetch(url),
  instantiate: (bindings, module) => {
    compiled = module
    return bindings.default({ module_or_path: module })
  },
})

/**
 * A function that promises 32 bytes of a passphrase by Argon2id (RFC 9106), with `memory` in KiB. Once `signal` is aborted
 * the work ends, and the promise is rejected with its reason.
 */
export function derivation(signal) {
  return async (passphrase, salt, memory, passes, lanes) => {
    const given = [passphrase, salt, memory, passes, lanes]
    const { argon2id } = await loader.load()
    const bytes = await inWorker(given, signal)
    signal?.throwIfAborted()
    return bytes ?? argon2id(...given)
  }
}

/** The bytes; nothing where there can be no worker, such as under a policy that forbids them, or if it was ended. */
function inWorker(given, signal) {
  return new Promise((resolve) => {
    if (typeof Worker !== 'function' || signal?.aborted) return resolve()
    let worker
    const end = (bytes) => {
      signal?.removeEventListener('abort', stop)
      worker?.terminate()
      resolve(bytes)
    }
    const stop = () => end()
    signal?.addEventListener('abort', stop)
    try {
      worker = new Worker(new URL('./argon2.worker.js', import.meta.url), { type: 'module' })
      worker.addEventListener('message', ({ data }) => end(data.bytes))
      worker.addEventListener('error', (event) => {
        event.preventDefault()
        end()
      })
      worker.postMessage({ compiled, given })
    } catch {
      end()
    }
  })
}
