// The names of blobs: the UUIDs of keys, and the files of UUIDs.

import { hex, unhex } from './bytes.mjs'
import { DK, KH } from './hash.mjs'

/** The name of the blob of a key, from its canonical bytes; keyed if there is a name key. */
export function nameOf(canonicalKey, nameKey) {
  const name = nameKey === undefined ? DK('konserve 2026 blob name', canonicalKey) : KH(nameKey, canonicalKey)
  name[6] = (name[6] & 0x0f) | 0x80
  name[8] = (name[8] & 0x3f) | 0x80
  return name.slice(0, 16)
}

export const fileOf = (name) => hex(name).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5.ksv')

/** The name in a file's name, or undefined if that is no blob's. */
export function nameIn(file) {
  const isBlob = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.ksv$/.test(file)
  return isBlob ? unhex(file.slice(0, -4).replaceAll('-', '')) : undefined
}
