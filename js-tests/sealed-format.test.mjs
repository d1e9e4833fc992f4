// The sealed format by a second implementation, which shares no code with the package: it gives every vector.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { encryptedBlob, kidOf, plainBlob } from './sealed-format/blob.mjs'
import { concat, hex, unhex } from './sealed-format/bytes.mjs'
import { decode } from './sealed-format/cbor-read.mjs'
import { canonical, encode } from './sealed-format/cbor-write.mjs'
import { readExport, writeExport } from './sealed-format/export.mjs'
import { writeMap } from './sealed-format/meta.mjs'
import { fileOf, nameOf } from './sealed-format/names.mjs'
import { FILE, makeVectors, textOf } from './sealed-format/make-vectors.mjs'
import { read as negative } from './sealed-format/negative.mjs'
import { parse } from './sealed-format/notation.mjs'
import { AES_BLAKE3, fields, openRecord, PLAIN, writeRecord } from './sealed-format/record.mjs'
import { writeSlot } from './sealed-format/slots.mjs'
import { get, openStore, readAll, readEntry, readLog } from './sealed-format/store.mjs'
import * as zstd from './sealed-format/zstd.mjs'

const read = async (name) =>
  JSON.parse(await readFile(new URL(`../tests/vectors/${name}.json`, import.meta.url), 'utf8'))
const sealed = await read('sealed')
const inputs = Object.fromEntries(Object.entries(sealed.inputs).map(([name, text]) => [name, unhex(text)]))
const ofKind = (kind) => sealed.vectors.filter((vector) => vector.kind === kind)
const shown = (value) => inspect(value, { depth: null })

/** The store of a blob of the vectors. */
const storeOf = ({ encrypted, name, blob }) => ({
  id: inputs.id,
  encryptor: encrypted ? AES_BLAKE3 : PLAIN,
  nameKey: encrypted ? inputs.name_key : undefined,
  keys: encrypted ? [inputs.K] : undefined,
  files: new Map([[fileOf(unhex(name)), unhex(blob)]]),
})

test('keys have the canonical bytes and the names of the vectors', () => {
  assert.equal(sealed.keys.length, 38)
  for (const vector of sealed.keys) {
    const bytes = canonical(parse(vector.key))
    assert.equal(hex(bytes), vector.canonical)
    assert.equal(hex(canonical(decode(bytes))), vector.canonical, 'read and written again')
    assert.equal(fileOf(nameOf(bytes)), vector.name_plain)
    assert.equal(fileOf(nameOf(bytes, inputs.name_key)), vector.name_encrypted)
  }
})

test('blobs are written byte for byte', async () => {
  assert.equal(hex(kidOf(inputs.K)), sealed.inputs.kid)
  for (const vector of ofKind('blob')) {
    const map = writeMap({ ...vector, lastWrite: vector.last_write, key: parse(vector.key), user: parse(vector.user) })
    assert.equal(hex(map), vector.map, vector.title)
    const value = parse(vector.value)
    const bytes = vector.type === 'binary' ? value : encode(value)
    assert.equal(hex(bytes), vector.serialized, vector.title)
    // Compressed bytes are one possibility of many: taken from the vector, of an encrypted one they are not known.
    const compressor = unhex(vector.blob)[2]
    if (vector.encrypted && compressor !== 0) continue
    const content = compressor === 0 ? bytes : unhex(vector.value_section)
    const parts = { name: unhex(vector.name), map, content, size: bytes.length, compressor }
    const lock = { id: inputs.id, key: inputs.K, salt: inputs.salt }
    const blob = vector.encrypted ? await encryptedBlob(parts, lock) : plainBlob(parts)
    assert.equal(hex(blob), vector.blob, vector.title)
  }
})

test('blobs are read', async (context) => {
  const notRead = []
  for (const vector of ofKind('blob')) {
    try {
      const entry = await readEntry(storeOf(vector), unhex(vector.name))
      assert.equal(hex(entry.bytes), vector.serialized, vector.title)
      assert.equal(shown(entry.value), shown(decodeOf(vector)), vector.title)
      assert.deepEqual(
        [hex(canonical(entry.key)), entry.type, entry.lastWrite, entry.expires, entry.size],
        [vector.canonical_key, vector.type, vector.last_write, vector.expires, vector.size],
        vector.title,
      )
      assert.equal(shown(entry.user), shown(parse(vector.user)), vector.title)
    } catch (error) {
      if (error.code !== 'NOT_READ') throw error
      notRead.push(vector.title)
    }
  }
  assert.equal(notRead.length, zstd.readsAll ? 0 : 2)
  if (notRead.length > 0) context.diagnostic(`not decompressed, this Node has no zstd: ${notRead.join('; ')}`)
})

const decodeOf = (vector) => (vector.type === 'binary' ? unhex(vector.serialized) : parse(vector.value))

test('what is damaged has the code of the vectors', async () => {
  assert.equal(sealed.negative.length + sealed.negative_records.length, 96)
  for (const vector of sealed.negative) {
    const { title, code } = vector
    await assert.rejects(readEntry(storeOf(vector), unhex(vector.name)), { name: 'Fault', code }, title)
  }
  for (const { title, code, record, raw_key: key } of sealed.negative_records)
    await assert.rejects(openRecord(unhex(record), key && unhex(key)), { name: 'Fault', code }, title)
})

test('what is damaged in any way has the code of the vectors, and the file of them is up to date', async () => {
  assert.equal(await readFile(FILE, 'utf8'), textOf(await makeVectors()), 'run js-tests/sealed-format/make-vectors.mjs')
  const vectors = await read('sealed_negative')
  assert.ok(vectors.vectors.length >= 800)
  for (const vector of vectors.vectors) {
    const { title, code, met, files, secret, id, key, name } = negative(vectors, vector)
    const meet = async () => {
      const store = await openStore(files, secret, id)
      if (met === 'open') return
      if (met === 'list') throw (await readAll(store)).faults.find((fault) => fault.name === name)
      const { value } = await get(store, key)
      if (met === 'log') await readLog(store, value)
    }
    await assert.rejects(meet, (error) => error?.code === code || assert.fail(`${title}: ${inspect(error)}`))
  }
})

test('records are written byte for byte, and open', async () => {
  for (const vector of ofKind('record')) {
    const { title, passphrase, raw_key: key } = vector
    const secret = passphrase ?? (key && unhex(key))
    const content = { id: inputs.id, created: 1_700_000_000_000 }
    const secrets = vector.secrets && unhex(vector.secrets)
    if (secret !== undefined) content.slots = [await writeSlot(inputs.id, secret, secrets, inputs.slot_salt)]
    const record = writeRecord(fields(content), secrets?.slice(32, 64))
    assert.equal(hex(record), vector.record, title)
    const opened = await openRecord(record, secret)
    if (secrets) assert.equal(hex(concat(opened.nameKey, ...opened.keys)), vector.secrets, title)
  }
})

test('an export is read and written', () => {
  for (const vector of ofKind('export')) {
    const { record, blobs } = readExport(unhex(vector.export))
    assert.equal(blobs.length, 1)
    assert.equal(hex(writeExport(record, blobs)), vector.export)
  }
})
