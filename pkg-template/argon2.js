/** Makes keys of passphrases in a worker: the page stays responsive, and may end it. */
/* global Worker */
import { derive as here } from './argon2-here.js'

export const waits = true

/**
 * A function that promises 32 bytes of a passphrase by Argon2id (RFC 9106), with `memory` in KiB. Once `signal` is aborted
 * the work ends, and the promise is rejected with its reason.
 */
export function derivation(signal) {
  return async (...given) => {
    const bytes = await inWorker(given, signal)
    signal?.throwIfAborted()
    return bytes ?? here(...given)
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
    try {
      worker = new Worker(new URL('./argon2.worker.js', import.meta.url), { type: 'module' })
    } catch {
      return end()
    }
    signal?.addEventListener('abort', stop)
    worker.addEventListener('message', ({ data }) => end(data.bytes))
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      end()
    })
    worker.postMessage(given)
  })
}
