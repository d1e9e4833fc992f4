// The writer's memory: values lie one after another in slabs, and must come out whole wherever a slab ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode } from '../pkg-template/decode.js'
import { encodeValue } from '../pkg-template/encode.js'

const SLAB = 64 * 1024
const values = [
  'a',
  'ab',
  'é',
  'abcdefgh',
  'x'.repeat(31),
  'é'.repeat(40),
  0,
  -1,
  1.5,
  2 ** 40,
  2n ** 70n,
  null,
  ['a', 'b'],
  { a: 'b', c: ['d'] },
  Uint8Array.of(1, 2, 3),
  new Date(0),
]

test('every kind of value is written whole at every distance from the end of a slab', () => {
  for (const value of values) {
    for (let distance = 0; distance < 100; distance++) {
      let used = 0
      // A new slab begins when a large value does not fit; then it is filled up to the distance wanted.
      encodeValue(new Uint8Array(2 * SLAB))
      while (used < SLAB - distance) used += encodeValue(new Uint8Array(Math.min(200, SLAB - distance - used))).length
      for (let again = 0; again < 3; again++) assert.deepEqual(decode(encodeValue(value)), value)
    }
  }
})
