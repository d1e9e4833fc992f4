// The list that the groups of vectors add to.

import { hex } from '../bytes.mjs'

/** From how many equal bytes on they are written as their number. */
const LONG_RUN = 200

/** Bytes as hex; with long runs of one byte as a list of hex and of `[byte, times]`. */
export function written(bytes) {
  const parts = []
  let start = 0
  for (let at = 0; at < bytes.length;) {
    let end = at + 1
    while (bytes[end] === bytes[at] && end < bytes.length) end++
    if (end - at >= LONG_RUN) {
      parts.push(hex(bytes.subarray(start, at)), [hex(bytes.subarray(at, at + 1)), end - at])
      start = end
    }
    at = end
  }
  parts.push(hex(bytes.subarray(start)))
  return parts.length === 1 ? parts[0] : parts
}

const writtenBlob = ({ key, name, blob }) => ({ key, name: hex(name), blob: written(blob) })

/** Collects vectors of one group. */
export class Group {
  constructor(name, list) {
    this.name = name
    this.list = list
  }

  /** A store in which one blob is `code` when it is met: with `get`, `list` or `log`. */
  blob(store, title, forged, code, { met = 'get', others = [], silent } = {}) {
    const base = this.base(store, title)
    const rest = others.length === 0 ? {} : { others: others.map(writtenBlob) }
    this.list.push({ ...base, ...writtenBlob(forged), ...rest, met, code, ...this.said(silent) })
  }

  /** The same, of bytes that are made of those of a right blob. */
  changed(store, title, { key, name, blob }, change, code, options) {
    this.blob(store, title, { key, name, blob: change(blob, name) }, code, options)
  }

  /**
   * A store whose `record` is `code` when it is opened. `copy` is the record's copy if that is not the same; `null` is
   * none. `config` is merged into what opens the store, `others` are blobs.
   */
  record(store, title, record, code, { copy, config = {}, others = [], met = 'open', silent } = {}) {
    const vector = { ...this.base(store, title), record: record && hex(record) }
    if (copy !== undefined) vector.copy = copy && hex(copy)
    if (others.length > 0) vector.others = others.map(writtenBlob)
    this.list.push({ ...vector, ...config, met, code, ...this.said(silent) })
  }

  base({ title }, what) {
    return { title: `${title}: ${what}`, group: this.name, store: title }
  }

  said(silent) {
    return silent ? { silent: true } : {}
  }
}
