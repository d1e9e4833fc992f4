// Runs the vectors of AES-256-CBC, BLAKE3 and Argon2id in wasm, in Node and in pages alike.

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16))
const hexOf = (bytes) => bytes && Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

/**
 * `vectors` are the files of tests/vectors/primitives by name, `primitives` the module `testing`, `argon2id` the function
 * of the module `argon2`. Gives how many vectors there were, and which are wrong.
 */
export function runPrimitives(vectors, primitives, argon2id) {
  const counts = {}
  const problems = []
  const check = (kind, test, found, expected) => {
    counts[kind] = (counts[kind] ?? 0) + 1
    if (found !== expected) problems.push(`${kind}: ${JSON.stringify(test).slice(0, 200)}: ${found}`)
  }
  for (const test of vectors.nist_aes_256_cbc.tests) blocks(test, primitives, check)
  for (const test of vectors.wycheproof_aes_256_cbc_pkcs5.tests) paddings(test, primitives, check)
  for (const test of vectors.blake3.cases) hashes(test, vectors.blake3, primitives, check)
  for (const test of vectors.argon2id.tests) passwords(test, primitives, argon2id, check)
  return { counts, problems }
}

function blocks(test, { aesCbcEncrypt, aesCbcDecrypt }, check) {
  const [key, iv, plain, cipher] = [test.key, test.iv, test.plain, test.cipher].map(bytesOf)
  check('AES of NIST, encrypted', test, hexOf(aesCbcEncrypt(key, iv, plain, false)), test.cipher)
  check('AES of NIST, decrypted', test, hexOf(aesCbcDecrypt(key, iv, cipher, false)), test.plain)
  const padded = aesCbcEncrypt(key, iv, plain, true)
  check('AES of NIST, padded', test, hexOf(padded.subarray(0, -16)), test.cipher)
  check('AES of NIST, padded and decrypted', test, hexOf(aesCbcDecrypt(key, iv, padded, true)), test.plain)
}

function paddings(test, { aesCbcEncrypt, aesCbcDecrypt }, check) {
  const [key, iv, message, cipher] = [test.key, test.iv, test.msg, test.ct].map(bytesOf)
  const valid = test.result === 'valid'
  if (valid) check('Wycheproof, encrypted', test, hexOf(aesCbcEncrypt(key, iv, message, true)), test.ct)
  const decrypted = hexOf(aesCbcDecrypt(key, iv, cipher, true))
  check(valid ? 'Wycheproof, decrypted' : 'Wycheproof, refused', test, decrypted, valid ? test.msg : undefined)
}

function hashes(test, { key, context_string }, { blake3, blake3Keyed, blake3DeriveKey }, check) {
  const input = Uint8Array.from({ length: test.input_len }, (_, at) => at % 251)
  const keyBytes = new TextEncoder().encode(key)
  for (const length of [32, test.hash.length / 2]) {
    const expected = (name) => test[name].slice(0, 2 * length)
    check('BLAKE3', test, hexOf(blake3(input, length)), expected('hash'))
    check('BLAKE3 with a key', test, hexOf(blake3Keyed(keyBytes, input, length)), expected('keyed_hash'))
    check('BLAKE3 of key material', test, hexOf(blake3DeriveKey(context_string, input, length)), expected('derive_key'))
  }
}

function passwords(test, { argon2idOf }, argon2id, check) {
  const [password, salt, secret, data] = [test.password, test.salt, test.secret, test.ad].map(bytesOf)
  const { m, t, p } = test
  const tag = argon2idOf(password, salt, Uint32Array.of(m, t, p), [secret, data], test.tag.length / 2)
  check('Argon2id', test, hexOf(tag), test.tag)
  const isPlain = secret.length + data.length === 0 && test.tag.length === 64
  if (!isPlain || password.some((byte) => byte > 127)) return
  const passphrase = new TextDecoder().decode(password)
  check('Argon2id of the module argon2', test, hexOf(argon2id(passphrase, salt, m, t, p)), test.tag)
}
