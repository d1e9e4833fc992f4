// Blobs and records of another store, or of another time.

import { hex, patched } from '../bytes.mjs'
import { kidOf, rechecked } from '../blob.mjs'
import { forge, ID, K, NEW_K, OTHER_ID, OTHER_K, OTHER_NAME_KEY, PASSPHRASE, RAW_KEY, recordOf } from './stores.mjs'

export async function foreign(group, { raw, passphrase, rekeyed }) {
  for (const store of [raw, passphrase]) {
    group.blob(store, 'the same K, another id', await forge(store, { id: OTHER_ID }), 'AUTHENTICATION')
    group.blob(store, 'the same id, another K', await forge(store, { lock: OTHER_K }), 'WRONG_KEY')
    group.blob(store, 'another id and K', await forge(store, { id: OTHER_ID, lock: OTHER_K }), 'WRONG_KEY')
    const named = (blob, name) => rechecked(name, patched(blob, 20, kidOf(K)))
    const title = 'another K, under the id of this one, check made right'
    group.changed(store, title, await forge(store, { lock: OTHER_K }), named, 'AUTHENTICATION')
  }
  group.blob(raw, 'a key that is not in the record yet', await forge(raw, { lock: NEW_K }), 'WRONG_KEY')
  group.blob(rekeyed, 'a key that is neither', await forge(rekeyed, { lock: OTHER_K }), 'WRONG_KEY')
  group.blob(rekeyed, 'an older key, another id', await forge(rekeyed, { lock: K, id: OTHER_ID }), 'AUTHENTICATION')
  const renamed = await forge({ ...raw, nameKey: OTHER_NAME_KEY })
  group.blob(raw, 'the same id and K, another name key', renamed, 'CORRUPT', { met: 'list' })
  await records(group, { raw, passphrase, rekeyed })
}

/** The records of another store that the same key opens, and those of this one without the key of a blob. */
async function records(group, { raw, passphrase }) {
  for (const [store, secret] of [
    [raw, RAW_KEY],
    [passphrase, PASSPHRASE],
  ]) {
    const others = [await forge(store)]
    const other = { secret, id: OTHER_ID, nameKey: OTHER_NAME_KEY, keys: [OTHER_K] }
    const record = await recordOf(other)
    group.record(store, 'the record of another store with the same key', record, 'WRONG_KEY', { others, met: 'list' })
    const config = { id: hex(ID) }
    group.record(store, 'the record of another store, the id given', record, 'INVALID_CONFIG', { others, config })
    const cloned = await recordOf({ secret, id: OTHER_ID })
    group.record(store, 'the record of a store with the same K', cloned, 'AUTHENTICATION', { others, met: 'list' })
  }
  const done = await recordOf({ secret: RAW_KEY, keys: [NEW_K] })
  const options = { others: [await forge(raw, { lock: K })], met: 'list' }
  group.record(raw, 'a blob put back after a rekey', done, 'WRONG_KEY', options)
}
