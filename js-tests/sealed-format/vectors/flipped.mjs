// Single bits, with the unkeyed check made right: only the tag can notice.

import { flipped as flip } from '../bytes.mjs'
import { rechecked, split } from '../blob.mjs'
import { forge, refused } from './stores.mjs'

export async function flipped(group, { plain, raw, passphrase }) {
  for (const store of [raw, passphrase]) encrypted(group, store, await forge(store))
  plainBits(group, plain, await forge(plain))
  for (const store of [plain, raw]) both(group, store, await forge(store))
}

const put = (group, store, right, what, [at, bit], code, remake = rechecked) =>
  group.changed(store, `bit ${bit} of ${what}`, right, (blob, name) => remake(name, flip(blob, at, bit)), code)

function encrypted(group, store, right) {
  const ctEnd = 20 + split(right.blob).meta.length - 32
  const bits = {
    'the serializer': [1, 7],
    'the compressor': [2, 0],
    'the length of meta': [7, 0],
    'the salt': [28, 0],
    "the salt's last byte": [59, 7],
    'the ciphertext, where the size is': [67, 0],
    'the ciphertext, where the digest is': [68, 3],
    "the ciphertext's last block but one, which flips the padding": [ctEnd - 17, 0],
    "the ciphertext's last byte": [ctEnd - 1, 7],
    'the tag': [ctEnd, 0],
    "the tag's last byte": [ctEnd + 31, 7],
  }
  for (const [what, bit] of Object.entries(bits)) put(group, store, right, what, bit, 'AUTHENTICATION')
  put(group, store, right, 'the key id', [20, 0], 'WRONG_KEY')
  put(group, store, right, "the key id's last byte", [27, 7], 'WRONG_KEY')
}

function plainBits(group, plain, right) {
  const map = 20 + 40
  const bits = {
    'the size': [20, 0],
    "the size's last byte": [27, 0],
    'the digest': [28, 0],
    "the digest's last byte": [59, 7],
    'the head of the map': [map, 0],
    'the name "key"': [map + 2, 0],
    'the key': [map + 6, 0],
    'the type': [map + 12, 0],
  }
  for (const [what, bit] of Object.entries(bits))
    put(group, plain, right, what, bit, bit[0] === 20 ? 'LIMIT_EXCEEDED' : 'CORRUPT')
}

/** What no check covers, and the check itself. */
function both(group, store, right) {
  const asIs = (name, blob) => blob
  const value = 20 + split(right.blob).meta.length
  const bits = {
    'byte 0': [0, 0],
    "byte 0's highest": [0, 7],
    'the check': [8, 0],
    "the check's last byte": [19, 7],
    'the value': [value, 0],
    "the value's last byte": [-1, 7],
  }
  for (const [what, bit] of Object.entries(bits)) put(group, store, right, what, bit, refused(store), asIs)
}
