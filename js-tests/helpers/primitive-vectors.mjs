// The files of tests/vectors/primitives.

import { readFile } from 'node:fs/promises'

const NAMES = ['nist_aes_256_cbc', 'wycheproof_aes_256_cbc_pkcs5', 'blake3', 'argon2id']
const read = async (name) => [
  name,
  JSON.parse(await readFile(new URL(`../../tests/vectors/primitives/${name}.json`, import.meta.url), 'utf8')),
]

/** The files by name, and how many of which kind `runPrimitives` finds in them. */
export const primitives = async () => ({
  vectors: Object.fromEntries(await Promise.all(NAMES.map(read))),
  expected: {
    'AES of NIST, encrypted': 426,
    'AES of NIST, decrypted': 426,
    'AES of NIST, padded': 426,
    'AES of NIST, padded and decrypted': 426,
    'Wycheproof, encrypted': 24,
    'Wycheproof, decrypted': 24,
    'Wycheproof, refused': 48,
    BLAKE3: 70,
    'BLAKE3 with a key': 70,
    'BLAKE3 of key material': 70,
    Argon2id: 14,
    'Argon2id of the module argon2': 10,
  },
})
