// Records: every region changed, and the code that names the check which notices it.

import { concat, filled, flipped, hex } from '../bytes.mjs'
import { canonical } from '../cbor-write.mjs'
import { DK, encryptUnpadded, H, KH } from '../hash.mjs'
import { fields, sealBody } from '../record.mjs'
import { writeSlot } from '../slots.mjs'
import * as made from './stores.mjs'
import { CREATED, ID, K, NAME_KEY, NEW_K, OTHER_ID, OTHER_K, OTHER_NAME_KEY, OTHER_SLOT_SALT } from './stores.mjs'

const { PASSPHRASE, RAW_KEY, recordOf, SLOT_SALT } = made
const AFTER = 64

const rehashed = (record) => concat(record.slice(0, -32), H(record.slice(0, -32)))
const indexOf = (bytes, part) => hex(bytes).indexOf(hex(part)) / 2
const after = (bytes, name) => indexOf(bytes, canonical(name)) + canonical(name).length

export async function records(group, stores) {
  for (const store of [stores.plain, stores.raw, stores.passphrase]) {
    damaged(group, store)
    cut(group, store)
  }
  await formats(group, stores)
  for (const store of [stores.raw, stores.passphrase, stores.rekeyed]) changed(group, store)
  await slots(group, stores)
  await macs(group, stores)
  await bodies(group, stores)
  copies(group, stores)
}

/** Where each field of a record is. */
function places({ record, encrypted }) {
  const common = { 'the first byte': 0, 'the last byte': -1, "its hash's first byte": -32 }
  for (const name of ['id', 'format', 'layout', 'created', 'serializer', 'compressor', 'encryptor'])
    common[name] = after(record, name) + (name === 'id' || name === 'layout' ? 1 : 0)
  return encrypted ? { ...common, ...slotPlaces(record), mac: -AFTER, "the mac's last byte": -33 } : common
}

function slotPlaces(record) {
  // The head of an array of one, and that of a byte string below 256 bytes.
  const slot = after(record, 'slots') + 3
  const end = slot + record[slot - 1]
  return {
    "a slot's kdf": slot,
    "a slot's m": slot + 4,
    "a slot's t": slot + 8,
    "a slot's p": slot + 12,
    "a slot's salt": slot + 13,
    "the last byte of a slot's salt": slot + 28,
    "a slot's ciphertext": slot + 29,
    "the last byte of a slot's ciphertext": end - 33,
    "a slot's tag": end - 32,
    "the last byte of a slot's tag": end - 1,
  }
}

function damaged(group, store) {
  for (const [what, at] of Object.entries(places(store)))
    group.record(store, `a bit of ${what} flipped`, flipped(store.record, at, 1), 'CORRUPT')
}

function cut(group, store) {
  const { record } = store
  const lengths = {
    empty: 0,
    'one byte': 1,
    '31 bytes': 31,
    'its first 32 bytes': 32,
    'a byte less': record.length - 1,
  }
  const ends = { 'without its hash': record.length - 32, 'without mac and hash': record.length - AFTER }
  for (const [title, length] of Object.entries(store.encrypted ? { ...lengths, ...ends } : lengths))
    group.record(store, `cut: ${title}`, record.slice(0, length), 'CORRUPT')
  group.record(store, 'only its hash', record.slice(-32), 'CORRUPT')
  group.record(store, 'only the hash of nothing', H(new Uint8Array()), 'CORRUPT')
  group.record(store, 'a byte appended', concat(record, filled(1, 0)), 'CORRUPT')
  group.record(store, 'twice', concat(record, record), 'CORRUPT')
  group.record(store, 'the hash with a key', concat(record.slice(0, -32), KH(K, record.slice(0, -32))), 'CORRUPT')
}

/** `format` is looked at before slots and mac. */
async function formats(group, { plain, raw, passphrase }) {
  const wrong = { config: { raw_key: hex(filled(32, 9)) } }
  const code = 'UNSUPPORTED_FORMAT'
  for (const format of [0, 2, 255, 2 ** 32]) {
    const body = canonical({ ...fields({ id: ID, created: CREATED }), format })
    group.record(plain, `format ${format}`, sealBody(body), code)
    const sealed = await recordOf({ secret: RAW_KEY, body: { format } })
    group.record(raw, `format ${format}, mac right`, sealed, code)
    group.record(raw, `format ${format}, mac right, another key`, sealed, code, wrong)
    group.record(raw, `format ${format}, mac right, no key`, sealed, code, { config: { raw_key: null } })
    group.record(raw, `format ${format}, mac wrong`, rehashed(flipped(sealed, -AFTER)), code)
    group.record(passphrase, `format ${format}`, await recordOf({ secret: PASSPHRASE, body: { format } }), code)
  }
  const other = { ...fields({ id: ID, created: CREATED }), format: 2, layout: 'another', new: [1, 2, 3] }
  group.record(plain, 'format 2, of which all else is new, too', sealBody(canonical(other)), code)
}

/** One bit, with the hash made right: what is in a slot closes it, all else is noticed by the mac. */
function changed(group, store) {
  const inSlots = slotPlaces(store.record)
  for (const [what, at] of Object.entries(inSlots))
    group.record(
      store,
      `a bit of ${what} flipped, hash made right`,
      rehashed(flipped(store.record, at, 1)),
      'WRONG_KEY',
    )
  const id = after(store.record, 'id') + 1
  group.record(store, 'a bit of the id flipped, hash made right', rehashed(flipped(store.record, id)), 'WRONG_KEY')
  const created = after(store.record, 'created') + 8
  for (const [what, at] of Object.entries({ created, 'the mac': -AFTER, 'the last byte of the mac': -33 })) {
    const title = `a bit of ${what} flipped, hash made right`
    group.record(store, title, rehashed(flipped(store.record, at)), 'AUTHENTICATION')
  }
}

const slotFor = (secret, options = {}, secrets = concat(NAME_KEY, K), id = ID) =>
  writeSlot(id, secret, secrets, options.salt ?? SLOT_SALT, { costs: made.COSTS, ...options })

/** Slots that do not open, in a record whose mac is right. */
async function slots(group, { raw, passphrase }) {
  for (const [store, secret] of [
    [raw, RAW_KEY],
    [passphrase, PASSPHRASE],
  ]) {
    const put = async (title, slots) => group.record(store, title, await recordOf({ secret, slots }), 'WRONG_KEY')
    const right = await slotFor(secret)
    for (const length of [0, 1, 28, 29, 60, 61, right.length - 16, right.length - 1])
      await put(`a slot of ${length} bytes`, [right.slice(0, length)])
    await put('a slot with a byte appended', [concat(right, filled(1, 0))])
    await put('a slot of another store', [await slotFor(secret, {}, undefined, OTHER_ID)])
    await put('a slot for another key', [await slotFor(filled(32, 9))])
    await put('eight slots for other keys', new Array(8).fill(await slotFor(filled(32, 9))))
    const unpadded = await slotFor(secret, { cipher: encryptUnpadded })
    await put('a slot without padding', [unpadded])
    const salted = await slotFor(secret, { salt: OTHER_SLOT_SALT })
    await put("a slot with another slot's salt", [concat(right.slice(0, 13), salted.slice(13, 29), right.slice(29))])
    await put("a slot with another slot's tag", [concat(right.slice(0, -32), salted.slice(-32))])
    await put("a slot with another slot's ciphertext", [
      concat(right.slice(0, 29), salted.slice(29, -32), right.slice(-32)),
    ])
  }
}

/** Slots that open, in a record that the K in them did not write. */
async function macs(group, { raw, passphrase, rekeyed }) {
  const code = 'AUTHENTICATION'
  for (const [store, secret] of [
    [raw, RAW_KEY],
    [passphrase, PASSPHRASE],
  ]) {
    const put = async (title, parts) => group.record(store, title, await recordOf({ secret, ...parts }), code)
    await put('a mac under the name key', { macKey: NAME_KEY })
    await put('a mac under the key of another store', { macKey: OTHER_K })
    await put('a mac under zeros', { macKey: filled(32, 0) })
    await put('another K in the slot', { keys: [OTHER_K], macKey: K })
    const slot = await slotFor(secret)
    const more = await recordOf({ secret, slots: [slot, await slotFor(filled(32, 9))] })
    const mac = store.record.slice(-AFTER, -32)
    const signed = concat(more.slice(0, -AFTER), mac)
    group.record(store, 'a slot added by somebody', concat(signed, H(signed)), code)
    const forged = await slotFor(secret, {}, concat(OTHER_NAME_KEY, OTHER_K))
    await put('the first of two slots that open has another K', { slots: [forged, slot] })
  }
  const body = (store) => store.record.slice(0, -AFTER)
  const signed = (store, mac) => rehashed(concat(body(store), mac, filled(32, 0)))
  group.record(raw, 'a mac under K itself', signed(raw, KH(K, body(raw))), code)
  const derived = DK('konserve 2026 store record', K)
  group.record(raw, 'a mac of the id alone', signed(raw, KH(derived, ID)), code)
  group.record(raw, 'a mac of nothing', signed(raw, KH(derived)), code)
  group.record(raw, 'a mac of zeros', signed(raw, filled(32, 0)), code)
  group.record(raw, 'a hash in place of the mac', signed(raw, H(body(raw))), code)
  const older = await recordOf({ secret: RAW_KEY, keys: [NEW_K, K], macKey: K })
  group.record(rekeyed, 'a mac under the older K', older, code)
  const exchanged = await recordOf({ secret: RAW_KEY, keys: [K, NEW_K], macKey: NEW_K })
  group.record(rekeyed, 'the older K before the newer', exchanged, code)
  group.record(rekeyed, 'the body of before, with this mac', signed(raw, rekeyed.record.slice(-AFTER, -32)), code)
}

/** Bodies that are not what the format says, though the mac is right. */
async function bodies(group, { plain, raw }) {
  const put = (store, title, record, code) => group.record(store, title, record, code, { silent: true })
  const wrong = {
    'an id of 15 bytes': { id: filled(15, 1) },
    'an id of 17 bytes': { id: filled(17, 1) },
    'an id that is a text': { id: 'a'.repeat(16) },
    'the layout konserve': { layout: 'konserve' },
    'a layout that is a number': { layout: 1 },
    'created as a text': { created: 'now' },
    'created before 1970': { created: -1 },
    'serializer 256': { serializer: 256 },
    'a format that is a text': { format: '1' },
  }
  for (const [title, parts] of Object.entries(wrong)) {
    put(plain, title, sealBody(canonical({ ...fields({ id: ID, created: CREATED }), ...parts })), 'CORRUPT')
    put(raw, `${title}, mac right`, await recordOf({ secret: RAW_KEY, body: parts }), 'CORRUPT')
  }
  for (const name of ['id', 'format', 'layout', 'created', 'serializer', 'compressor', 'encryptor']) {
    const { [name]: gone, ...body } = fields({ id: ID, created: CREATED })
    put(plain, `no ${name}${gone === undefined ? '?' : ''}`, sealBody(canonical(body)), 'CORRUPT')
  }
  for (const encryptor of [1, 2, 127, 129, 255])
    put(
      raw,
      `encryptor ${encryptor}, mac right`,
      await recordOf({ secret: RAW_KEY, body: { encryptor } }),
      'UNSUPPORTED',
    )
  put(
    plain,
    'encryptor 128 without slots and mac',
    sealBody(canonical({ ...fields({ id: ID, created: CREATED }), encryptor: 128 })),
    'CORRUPT',
  )
  for (const slots of ['one', 1, ['one'], [1]])
    put(raw, `slots are ${JSON.stringify(slots)}, mac right`, await recordOf({ secret: RAW_KEY, slots }), 'CORRUPT')
  const { record } = raw
  const body = record.slice(0, -AFTER)
  const lengths = {
    'no mac': [],
    'a mac of 31 bytes': [record.slice(-AFTER, -33)],
    'two macs': new Array(2).fill(record.slice(-AFTER, -32)),
  }
  for (const [title, macs] of Object.entries(lengths))
    put(raw, `${title}, hash right`, rehashed(concat(body, ...macs, filled(32, 0))), 'CORRUPT')
  put(plain, 'a mac in a plain record, hash right', sealBody(plain.record.slice(0, -32), K), 'CORRUPT')
  put(plain, 'no map, hash right', sealBody(canonical(['id'])), 'CORRUPT')
  put(plain, 'a map that is cut, hash right', sealBody(plain.record.slice(0, -33)), 'CORRUPT')
  put(plain, 'nothing, hash right', sealBody(new Uint8Array()), 'CORRUPT')
  const deep = concat(filled(100_000, 0x81), filled(1, 0))
  put(plain, 'arrays 100000 deep, hash right', sealBody(deep), 'CORRUPT')
}

/** Both of the record and its copy are bad: one that is undamaged says more than one that is not, else the first. */
function copies(group, { plain, raw }) {
  const put = (title, record, copy, code) => group.record(raw, title, record, code, { copy, silent: true })
  const cutShort = raw.record.slice(0, -1)
  const forged = rehashed(flipped(raw.record, -AFTER))
  put('both are damaged', cutShort, raw.record.slice(1), 'CORRUPT')
  put('the record is lost, its copy damaged', null, cutShort, 'CORRUPT')
  put('the record is lost, its copy forged', null, forged, 'AUTHENTICATION')
  put('the record is forged, its copy damaged', forged, cutShort, 'AUTHENTICATION')
  put('the record is damaged, its copy forged', cutShort, forged, 'AUTHENTICATION')
  put('the record is a plain one, its copy damaged', plain.record, cutShort, 'AUTHENTICATION')
  put('the record is damaged, its copy a plain one', cutShort, plain.record, 'AUTHENTICATION')
}
