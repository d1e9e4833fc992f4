// The vectors of the sealed layout in Chromium: put as rows of IndexedDB, and opened by the package.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder as under, launch, resultOf, serve } from './helpers/browser.mjs'
import { read } from './sealed-format/negative.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const helpers = fileURLToPath(new URL('helpers', import.meta.url))
const vectors = async (name) =>
  JSON.parse(await readFile(new URL(`../tests/vectors/${name}.json`, import.meta.url), 'utf8'))

let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

const PAGE = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
  import { connectStore, createStore } from './index.js'
  import { decode } from './decode.js'
  import { encodeValue } from './encode.js'
  import { Rows } from './helpers/vector-rows.mjs'
  import * as runner from './helpers/vector-runner.mjs'

  async function attempt() {
    await (await createStore({ name: 'vectors' })).close()
    const rows = await Rows.open('vectors')
    const place = {
      async fill(files, { secret, id }) {
        await rows.fill(files)
        const config = { name: 'vectors', ...(id && { id }), ...(secret && { encryptor: { type: 'aes-blake3', key: secret } }) }
        // In pages zstd is for those who ask.
        const zstd = files.some(([name, bytes]) => name.endsWith('.ksv') && bytes[2] === 2)
        return connectStore({ ...config, ...(zstd && { compressor: 'zstd' }) })
      },
      names: () => rows.names(),
      value: (cbor) => decode(cbor),
      is: (found, cbor) => String(encodeValue(found)) === String(encodeValue(decode(cbor))),
    }
    const { run, vectors } = await (await fetch('./vectors')).json()
    const { counts, problems } = await runner[run](vectors, place)
    return { counts, problems }
  }
  globalThis.result = await attempt().catch((error) => ({ failed: String(error?.stack ?? error) }))
</script>`

/** Runs vectors in a page by a function of the runner. */
async function inPage(t, run, list) {
  const pages = {
    '/': { headers: { 'content-type': 'text/html' }, body: PAGE },
    '/vectors': { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ run, vectors: list }) },
  }
  const server = await serve((path) => pages[path], under(helpers, '/helpers/'), folder)
  t.after(server.close)
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual(problems, [])
  assert.deepEqual(result.problems, [], result.failed)
  t.diagnostic(JSON.stringify(result.counts))
  return result.counts
}

test('keys, blobs, records and what is damaged of them, plain and encrypted', async (t) => {
  const counts = await inPage(t, 'runSealed', await vectors('sealed'))
  assert.deepEqual(counts, { key: 76, blob: 19, negative: 84, record: 4, 'negative record': 12 })
})

test('every fault is the error that the format names', async (t) => {
  const file = await vectors('sealed_negative')
  const counts = await inPage(
    t,
    'runWritten',
    file.vectors.map((vector) => written(file, vector)),
  )
  assert.equal(
    Object.values(counts).reduce((sum, count) => sum + count),
    file.vectors.length,
  )
})

const hex = (bytes) => bytes && Buffer.from(bytes).toString('hex')

/** A vector as JSON, which `runWritten` reads. */
function written(file, vector) {
  const { files, secret, id, key, ...rest } = read(file, vector)
  const text = typeof secret === 'string' ? { passphrase: secret } : { raw_key: hex(secret) }
  return {
    ...rest,
    ...text,
    group: vector.group,
    id: hex(id),
    key: hex(key),
    files: [...files].map(([n, b]) => [n, hex(b)]),
  }
}
