// Makes tests/vectors/sealed_negative.json. It is always the same: nothing in it is random.

import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { hex } from './bytes.mjs'
import { behind } from './vectors/behind.mjs'
import { bombs } from './vectors/bombs.mjs'
import { downgrade } from './vectors/downgrade.mjs'
import { flipped } from './vectors/flipped.mjs'
import { foreign } from './vectors/foreign.mjs'
import { Group } from './vectors/list.mjs'
import { mixed } from './vectors/mixed.mjs'
import { records } from './vectors/records.mjs'
import { makeStores } from './vectors/stores.mjs'
import { swapped } from './vectors/swapped.mjs'
import { truncated } from './vectors/truncated.mjs'

export const FILE = new URL('../../tests/vectors/sealed_negative.json', import.meta.url)

const GROUPS = {
  downgrade,
  swapped,
  mixed,
  'another store': foreign,
  truncated,
  flipped,
  bombs,
  records,
  'behind right tags': behind,
}

const NOTE = [
  'Faults in the sealed layout, each with the error that the format names. Made by js-tests/sealed-format/make-vectors.mjs.',
  'Bytes are hex, or where they are long a list of hex and of [byte, times].',
  'A vector is a store of `stores`: its record twice (once in a plain one), unless the vector has its own `record` or',
  '`copy` (null: none). `blob` lies under `name`, and so do `others`. It is opened with the `raw_key` or `passphrase` of the',
  'vector (null: none), else with those of its store, and with `id` if the vector has one.',
  '`met` says what fails with `code`: `open` the store, `get` the key (canonical CBOR), `log` reads the log of the key,',
  '`list` meets the blob, or the first of `others`, when all are read. `silent`: the format has no word for this case.',
].join(' ')

/** The vectors, as the file has them. */
export async function makeVectors() {
  const stores = await makeStores()
  const list = []
  for (const [name, add] of Object.entries(GROUPS)) await add(new Group(name, list), stores)
  return { note: NOTE, stores: Object.fromEntries(Object.entries(stores).map(described)), vectors: list }
}

const described = ([title, { encrypted, id, record, opens }]) => [
  title,
  { encrypted, id: hex(id), record: hex(record), ...opens },
]

/** The file's text: one vector in each line. */
export function textOf({ note, stores, vectors }) {
  const lines = vectors.map((vector) => JSON.stringify(vector)).join(',\n')
  return `{"note": ${JSON.stringify(note)},\n"stores": ${JSON.stringify(stores)},\n"vectors": [\n${lines}\n]}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(FILE, textOf(await makeVectors()))
