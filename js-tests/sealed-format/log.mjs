// Logs: a head that counts, and one blob for each element.

import { must } from './fault.mjs'
import { Tagged } from './cbor-write.mjs'

/** The key of an element of a log. */
export const elementKey = (logId, n) => new Tagged(27, ['konserve/log-element', [logId, n]])

/** What the head of a log holds: `{ logId, first, next }`. */
export function readHead(value) {
  const [logId, first, next] = Array.isArray(value) && value.length === 3 ? value : []
  const counts = [first, next].every((n) => Number.isInteger(n) && n >= 0)
  must(logId instanceof Uint8Array && logId.length === 16 && counts && first <= next, 'CORRUPT', 'no head of a log')
  return { logId, first, next }
}

/** The entries that a log is made of. */
export function* logEntries({ key, log, logId, first = 0, ...rest }) {
  yield { key, value: [logId, first, first + log.length], type: 'append-log', ...rest }
  for (const [at, value] of log.entries())
    yield { ...rest, key: elementKey(logId, first + at), value, type: 'log-element', user: {} }
}
