// Blobs under the names of others.

import { filled } from '../bytes.mjs'
import { rechecked } from '../blob.mjs'
import { canonical } from '../cbor-write.mjs'
import { elementKey } from '../log.mjs'
import { nameOf } from '../names.mjs'
import { forge, refused } from './stores.mjs'

const [LOG, OTHER_LOG] = [0xa0, 0xa1].map((byte) => filled(16, byte))

export async function swapped(group, stores) {
  for (const store of [stores.plain, stores.raw, stores.rekeyed]) await values(group, store)
  for (const store of [stores.plain, stores.raw]) await logs(group, store)
  await names(group, stores)
}

/** The second's blob in place of the first's, as it is and with its check made right. */
function exchange(group, store, title, first, second, options = {}) {
  const { blob } = second
  const all = { others: [second], ...options }
  group.blob(store, title, { ...first, blob }, refused(store), all)
  group.blob(store, `${title}, check made right`, { ...first, blob: rechecked(first.name, blob) }, refused(store), all)
}

async function values(group, store) {
  const [first, second] = [await forge(store), await forge(store, { key: 'other', value: 'w' })]
  exchange(group, store, "another key's value", first, second)
  const binary = await forge(store, { key: 'bin', type: 'binary', content: filled(16, 7) })
  exchange(group, store, "another key's binary", first, binary)
}

async function logs(group, store) {
  const head = (key, id) => forge(store, { key, type: 'append-log', value: [id, 0, 2] })
  const element = (id, n) => forge(store, { key: elementKey(id, n), type: 'log-element', value: n })
  const [log, other] = [await head('log', LOG), await head('other log', OTHER_LOG)]
  const [zero, one, foreign] = [await element(LOG, 0), await element(LOG, 1), await element(OTHER_LOG, 0)]
  const moved = (title, from, to, ...rest) => {
    const put = { name: to.name, key: to.key, blob: rechecked(to.name, from.blob) }
    group.blob(store, title, log, refused(store), { met: 'log', others: [put, ...rest] })
  }
  moved('element 1 of a log in place of 0, check made right', one, zero, one)
  moved("another log's element, check made right", foreign, zero, one, foreign)
  exchange(group, store, "another log's head", log, other, { met: 'log' })
}

async function names(group, { plain, raw }) {
  const right = await forge(raw)
  const unkeyed = nameOf(canonical('k'))
  const put = { ...right, name: unkeyed, blob: rechecked(unkeyed, right.blob) }
  group.blob(raw, 'a blob under the name without a key, check made right', put, 'AUTHENTICATION', { met: 'list' })
  for (const store of [plain, raw]) {
    const { name, key } = await forge(store, { key: 'other' })
    const forged = { ...(await forge(store, { name })), key }
    group.blob(store, "another key's value, made for this name", forged, 'CORRUPT')
    const nobody = filled(16, 0x8a)
    const lost = await forge(store, { name: nobody })
    group.blob(store, 'a value made for the name of no key', lost, 'CORRUPT', { met: 'list' })
  }
}
