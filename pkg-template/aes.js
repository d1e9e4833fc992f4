/** AES-256-CBC of the browser, by WebCrypto: many times faster than in wasm, from about a KiB on. */
export const waits = true

/** Promises the bytes; rejects where there is no WebCrypto, as in pages that are not secure. */
export async function aes(way, key, iv, bytes) {
  const name = 'AES-CBC'
  const made = await crypto.subtle.importKey('raw', key, name, false, [way])
  key.fill(0)
  return new Uint8Array(await crypto.subtle[way]({ name, iv }, made, bytes))
}
