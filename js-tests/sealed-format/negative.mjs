// The vectors of sealed_negative.json, ready to be put in a place.

import { unhex } from './bytes.mjs'
import { fileOf } from './names.mjs'
import { COPY, RECORD } from './store.mjs'

/** Bytes as `vectors/list.mjs` writes them. */
export function bytesOf(written) {
  if (typeof written === 'string') return unhex(written)
  return Buffer.concat(written.map((part) => (typeof part === 'string' ? unhex(part) : run(part))))
}

const run = ([byte, times]) => Buffer.alloc(times, byte, 'hex')

/**
 * What a vector is: its `title`, the `files` of the store (a `Map` of names to bytes), the `secret` and `id` it is
 * opened with, and what is `met` as which `code`: at the canonical `key`, in the blob `name` (hex).
 */
export function read({ stores }, vector) {
  const store = stores[vector.store]
  const { record = store.record } = vector
  const { raw_key, passphrase } = 'raw_key' in vector || 'passphrase' in vector ? vector : store
  const copy = vector.copy ?? (vector.copy === null || !store.encrypted ? null : record)
  const blobs = [...(vector.blob === undefined ? [] : [vector]), ...(vector.others ?? [])]
  const files = new Map(blobs.map(({ name, blob }) => [fileOf(unhex(name)), bytesOf(blob)]))
  if (record !== null) files.set(RECORD, unhex(record))
  if (copy !== null) files.set(COPY, unhex(copy))
  const { title, met, code, id } = vector
  const secret = passphrase ?? (raw_key ? unhex(raw_key) : undefined)
  const key = vector.key && unhex(vector.key)
  return { title, met, code, files, secret, id: id && unhex(id), key, name: blobs[0]?.name }
}
