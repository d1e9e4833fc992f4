// Runs the vectors of the sealed format through the package, in Node and in pages alike: no module of Node's is imported.

/**
 * What a place needs: `fill(files, { secret, id })` puts files (`[name, bytes]`, the record's too) where a store lies and
 * connects to it (`id` is a UUID's text); `names()` are those of the blobs of the last one; `value(cbor)` decodes, `is(value, cbor)` compares.
 *
 * @typedef {{ fill: Function, names: () => Promise<string[]>, value: Function, is: Function }} Place
 */

const RECORD = 'konserve.store'
const COPY = 'konserve.store-copy'

const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16))
const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const fileOf = (name) => name.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5.ksv')

/** Collects what is wrong, and counts what was tried. */
class Findings {
  problems = []
  counts = {}

  /** `run` gives what is wrong, or nothing. */
  async check(kind, title, run) {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
    const problem = await run().catch((error) => `${error?.code ?? error?.stack ?? error}`)
    if (problem !== undefined) this.problems.push(`${kind}: ${title}: ${problem}`)
  }
}

/** The code that `run` fails with must be this one. */
async function fails(code, run) {
  const met = await run().then(
    () => 'nothing failed',
    (error) => error?.code ?? String(error?.stack ?? error),
  )
  return met === code ? undefined : `${met} in place of ${code}`
}

/** Every vector of sealed_negative.json, as `sealed-format/negative.mjs` reads it, with its `group`. */
export async function runNegative(vectors, place) {
  const findings = new Findings()
  for (const vector of vectors)
    await findings.check(vector.group, vector.title, () => fails(vector.code, () => meet(vector, place)))
  return findings
}

/** The same, where bytes are hex and `secret` is `raw_key` or `passphrase`. */
export function runWritten(vectors, place) {
  const read = ({ files, id, key, raw_key, passphrase, ...rest }) => ({
    ...rest,
    files: files.map(([name, bytes]) => [name, bytesOf(bytes)]),
    secret: passphrase ?? (raw_key && bytesOf(raw_key)),
    id: id && bytesOf(id),
    key: key && bytesOf(key),
  })
  return runNegative(vectors.map(read), place)
}

async function meet({ files, secret, id, met, key, name }, place) {
  const store = await place.fill(files, { secret, id: id && uuidOf(hexOf(id)) })
  try {
    if (met === 'get') await store.get(place.value(key))
    if (met === 'log') await store.log(place.value(key))
    if (met === 'list') throw (await store.verify()).corrupt.find((found) => found.name.startsWith(uuidOf(name)))
  } finally {
    await store.close()
  }
}

const uuidOf = (name) => fileOf(name).replace('.ksv', '')

/** Every vector of sealed.json. */
export async function runSealed(sealed, place) {
  const findings = new Findings()
  const stores = storesOf(sealed)
  await names(sealed, stores, place, findings)
  await blobs(sealed, stores, place, findings)
  await negatives(sealed, stores, place, findings)
  await records(sealed, place, findings)
  return findings
}

/** What makes a blob of the vectors a store: the record's files, and the secret. */
function storesOf({ vectors }) {
  const record = (title) => vectors.find((vector) => vector.title === title)
  const [plain, raw] = [record('record, plain'), record('record, raw key')]
  const both = [RECORD, COPY].map((name) => [name, bytesOf(raw.record)])
  return (encrypted) =>
    encrypted
      ? { files: both, secret: bytesOf(raw.raw_key) }
      : { files: [[RECORD, bytesOf(plain.record)]], secret: undefined }
}

async function names(sealed, stores, place, findings) {
  for (const encrypted of [false, true]) {
    const { files, secret } = stores(encrypted)
    const store = await place.fill(files, { secret })
    for (const vector of sealed.keys)
      await findings.check('key', vector.canonical, async () => {
        await store.assoc(place.value(bytesOf(vector.canonical)), 0)
        const name = encrypted ? vector.name_encrypted : vector.name_plain
        return (await place.names()).includes(name) ? undefined : 'another name'
      })
    await store.close()
  }
}

async function blobs(sealed, stores, place, findings) {
  const all = sealed.vectors.filter(({ kind }) => kind === 'blob')
  const elements = all.filter(({ type }) => type === 'log-element')
  for (const vector of all.filter(({ type }) => type !== 'log-element')) {
    const others = vector.type === 'append-log' ? elements : []
    const read = async () => {
      const { files, secret } = stores(vector.encrypted)
      const blobs = [vector, ...others].map(({ name, blob }) => [fileOf(name), bytesOf(blob)])
      const store = await place.fill([...files, ...blobs], { secret })
      const wrong = await readBlob(store, vector, others, place)
      await store.close()
      return wrong
    }
    await findings.check('blob', vector.title, read)
  }
}

async function readBlob(store, vector, elements, { value, is }) {
  const key = value(bytesOf(vector.canonical_key))
  const { lastWrite, size, type } = await store.getMeta(key)
  if (Number(lastWrite) !== vector.last_write || size !== vector.size) return `metadata ${lastWrite} ${size} ${type}`
  const [{ key: listed }] = await store.keys().toArray()
  if (!is(listed, bytesOf(vector.canonical_key))) return 'another key is listed'
  const serialized = bytesOf(vector.serialized)
  if (vector.type === 'binary') return hexOf(await store.bget(key)) === vector.serialized ? undefined : 'other bytes'
  if (vector.type !== 'append-log') return is(await store.get(key), serialized) ? undefined : 'another value'
  const log = await store.log(key)
  const same = log.length === elements.length && log.every((one, at) => is(one, bytesOf(elements[at].serialized)))
  return same ? undefined : 'another log'
}

/** A damaged blob does not keep a store from working. */
async function negatives(sealed, stores, place, findings) {
  const ofKey = sealed.keys.find(({ canonical }) => canonical === '616b')
  for (const { title, name, blob, code, encrypted } of sealed.negative)
    await findings.check('negative', title, async () => {
      const { files, secret } = stores(encrypted)
      const store = await place.fill([...files, [fileOf(name), bytesOf(blob)]], { secret })
      // One lies under the name of another key than its own: only a listing meets it.
      const isOfKey = fileOf(name) === (encrypted ? ofKey.name_encrypted : ofKey.name_plain)
      const wrong = await fails(code, () => (isOfKey ? store.get('k') : store.entries().toArray()))
      await store.assoc('other', 1)
      const other = await store.get('other')
      await store.close()
      return wrong ?? (other === 1 ? undefined : 'the store does not work on')
    })
}

async function records(sealed, place, findings) {
  const opening = ({ record, raw_key, passphrase }) =>
    place.fill(
      [RECORD, COPY].map((name) => [name, bytesOf(record)]),
      { secret: passphrase ?? (raw_key && bytesOf(raw_key)) },
    )
  for (const vector of sealed.vectors.filter(({ kind }) => kind === 'record'))
    await findings.check('record', vector.title, async () => void (await (await opening(vector)).close()))
  for (const vector of sealed.negative_records)
    await findings.check('negative record', vector.title, () => fails(vector.code, () => opening(vector)))
}
