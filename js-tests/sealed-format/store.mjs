// A store as a folder of files, or as a Map of the files' names to their bytes.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encryptedBlob, openBlob, plainBlob } from './blob.mjs'
import { equal, hex } from './bytes.mjs'
import { canonical, encode } from './cbor-write.mjs'
import { Fault, must } from './fault.mjs'
import { random } from './hash.mjs'
import { logEntries, readHead, elementKey } from './log.mjs'
import { compress, decompress, deserialize, readMap, writeMap } from './meta.mjs'
import { fileOf, nameIn, nameOf } from './names.mjs'
import { fields, openRecord, writeRecord } from './record.mjs'
import { writeSlot } from './slots.mjs'

export const RECORD = 'konserve.store'
export const COPY = 'konserve.store-copy'

/**
 * Reads a whole store. `secret` is 32 bytes, a passphrase, or undefined for a plain one. Values of the application's
 * own `serializers` (ids) are given as bytes.
 *
 * Gives `{ id, encryptor, keys, entries, faults }`. An entry has `key`, `type`, `lastWrite`, `expires`, `user`, `size`,
 * `value` (of a binary its bytes), `bytes` (the value, serialized), `name` and, if encrypted, `kid` (hex). Elements of
 * logs are entries too; the entry of a head has its `log`. What cannot be read is in `faults`: `{ name, code }`.
 * A store that does not open is thrown as a `Fault` with its `code`.
 */
export async function readStore(folder, secret, { serializers = [] } = {}) {
  const store = { ...(await openStore(await load(folder), secret)), serializers }
  return { ...store, ...(await readAll(store)) }
}

/**
 * Writes a new store. `secret` as in `readStore`. Each entry is `{ key, value }`, `{ key, bytes }` for a binary or
 * `{ key, log: [element, …], logId? }`, and may have `user`, `expires`, `lastWrite`, `compressor`, `serializer` with
 * `serialized` (bytes of the application's own) and `olderKey: true` (sealed under the last of two `keys`, as before a
 * rekey that was interrupted).
 *
 * `options`: `id`, `nameKey`, `keys` (the active one first), `created`, `secrets` (more of them, each with a slot),
 * `costs` of Argon2id, and `random(length)`, from which all that is not given is taken. Gives `{ id, nameKey, keys }`.
 */
export async function writeStore(folder, secret, entries, options = {}) {
  const { files, store } = await makeStore(secret, entries, options)
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of files) await writeFile(join(folder, name), bytes, { flag: 'wx' })
  return store
}

/** The files of a folder that are a store's. */
export async function load(folder) {
  const ours = (name) => name === RECORD || name === COPY || nameIn(name) !== undefined
  const names = (await readdir(folder)).filter(ours)
  return new Map(
    await Promise.all(names.map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))])),
  )
}

/** The files that `writeStore` writes, and its result. */
export async function makeStore(secret, entries, options = {}) {
  const { random: bytes = random, created = 1_700_000_000_000, secrets = [] } = options
  const store = { id: options.id ?? bytes(16) }
  if (secret !== undefined)
    Object.assign(store, { nameKey: options.nameKey ?? bytes(32), keys: options.keys ?? [bytes(32)] })
  const files = new Map()
  const slots = secret === undefined ? undefined : await makeSlots(store, [secret, ...secrets], bytes, options.costs)
  const record = writeRecord(fields({ id: store.id, created, slots }), store.keys?.[0])
  if (secret !== undefined) files.set(COPY, record)
  files.set(RECORD, record)
  for (const entry of entries.flatMap((entry) => flat(entry, bytes))) {
    const { name, blob } = await makeBlob(store, { lastWrite: created, ...entry }, bytes(32))
    files.set(fileOf(name), blob)
  }
  return { files, store }
}

function makeSlots({ id, nameKey, keys }, secrets, bytes, costs) {
  const sealed = new Uint8Array(Buffer.concat([nameKey, ...keys]))
  return Promise.all(secrets.map((secret) => writeSlot(id, secret, sealed, bytes(16), { costs })))
}

const flat = (entry, bytes) =>
  entry.log === undefined ? [entry] : [...logEntries({ ...entry, logId: entry.logId ?? bytes(16) })]

/** The name and the blob of an entry. */
export async function makeBlob({ id, nameKey, keys }, entry, salt) {
  const { compressor = 0, serializer = 3, olderKey = false } = entry
  const type = entry.type ?? (entry.bytes === undefined ? 'edn' : 'binary')
  const bytes = entry.bytes ?? entry.serialized ?? encode(entry.value)
  const name = nameOf(canonical(entry.key), nameKey)
  const map = writeMap({ ...entry, type })
  const parts = { name, serializer, compressor, map, content: compress(compressor, bytes), size: bytes.length }
  if (keys === undefined) return { name, blob: plainBlob(parts) }
  const key = olderKey ? keys.at(-1) : keys[0]
  return { name, blob: await encryptedBlob(parts, { id, key, salt }) }
}

/** Opens the store of these files by the first of its records that verifies; its `id`, if given, must be that. */
export async function openStore(files, secret, id) {
  const store = await openAny(files, secret)
  must(id === undefined || equal(store.id, id), 'INVALID_CONFIG', 'the store of another id')
  return store
}

async function openAny(files, secret) {
  const records = [RECORD, COPY].filter((name) => files.has(name))
  if (records.length === 0) throw withoutRecord(files, secret)
  const faults = []
  for (const name of records) {
    try {
      return { ...(await openRecord(files.get(name), secret)), files }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push(error)
    }
  }
  // What an undamaged copy says is more than that the other one is damaged.
  throw faults.find(({ code }) => code !== 'CORRUPT') ?? faults[0]
}

function withoutRecord(files, secret) {
  const blobs = [...files].filter(([name]) => nameIn(name) !== undefined)
  if (blobs.length === 0) return new Fault('STORE_NOT_FOUND', 'no record and no blob')
  if (blobs.some(([, bytes]) => bytes[0] === 0x81)) return new Fault('CORRUPT', 'the record is lost')
  if (secret !== undefined)
    return new Fault('INVALID_CONFIG', 'a store of the layout of konserve, and a key for this one')
  return new Fault('UNSUPPORTED', 'the layout of konserve')
}

/** The entry under this name, with its value. */
export async function readEntry(store, name) {
  const blob = store.files.get(fileOf(name))
  const opened = await openBlob(blob, name, store)
  const meta = readMap(opened.map, name, store.nameKey)
  const described = { ...opened, ...meta, serializers: store.serializers }
  const bytes = decompress(described, await opened.value())
  const { serializer, compressor, size } = opened
  const kid = store.keys && hex(blob.slice(20, 28))
  return { ...meta, name, kid, serializer, compressor, size: Number(size), bytes, value: deserialize(described, bytes) }
}

/** The entry of a key, or undefined. */
export function get(store, canonicalKey) {
  const name = nameOf(canonicalKey, store.nameKey)
  return store.files.has(fileOf(name)) ? readEntry(store, name) : undefined
}

/** The elements of the log whose head is this value. */
export async function readLog(store, head) {
  const { logId, first, next } = readHead(head)
  const elements = []
  for (let n = first; n < next; n++) {
    const element = await get(store, canonical(elementKey(logId, n)))
    must(element?.type === 'log-element', 'CORRUPT', 'an element of a log is missing')
    elements.push(element.value)
  }
  return elements
}

/** All entries in the order of their names, and the faults of those that cannot be read. */
export async function readAll(store) {
  const [entries, faults] = [[], []]
  for (const file of [...store.files.keys()].filter(nameIn).sort()) {
    try {
      const entry = await readEntry(store, nameIn(file))
      entries.push(entry.type === 'append-log' ? { ...entry, log: await readLog(store, entry.value) } : entry)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      faults.push({ name: hex(nameIn(file)), code: error.code })
    }
  }
  return { entries, faults }
}
