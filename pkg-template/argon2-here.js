import { Loader } from './load.js'

/** The module that makes keys of passphrases; loaded with the first one. */
const loader = new Loader({
  bindings: () => import('./wasm/argon2.js'),
  module: () => fetch(new URL('./wasm/argon2_bg.wasm', import.meta.url)),
  copy: async () => (await import('./wasm/argon2-copy.js')).default,
  fetch: (url) => fetch(url),
  instantiate: (bindings, module) => bindings.default({ module_or_path: module }),
})

/** Promises 32 bytes of a passphrase by Argon2id (RFC 9106), with `memory` in KiB. This thread is busy meanwhile. */
export async function derive(passphrase, salt, memory, passes, lanes) {
  const { argon2id } = await loader.load()
  return argon2id(passphrase, salt, memory, passes, lanes)
}
