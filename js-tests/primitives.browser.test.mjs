// The vectors of the standards that encryption is made of, in wasm in Chromium.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folder as under, launch, resultOf, serve } from './helpers/browser.mjs'
import { primitives } from './helpers/primitive-vectors.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const helpers = fileURLToPath(new URL('helpers', import.meta.url))

let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

const PAGE = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
  import * as testing from './wasm/testing.js'
  import * as argon2 from './wasm/argon2.js'
  import { runPrimitives } from './helpers/primitive-runner.mjs'

  async function attempt() {
    await Promise.all([testing.default(), argon2.default()])
    return runPrimitives(await (await fetch('./vectors')).json(), testing, argon2.argon2id)
  }
  globalThis.result = await attempt().catch((error) => ({ failed: String(error?.stack ?? error) }))
</script>`

test('AES-256-CBC, BLAKE3 and Argon2id are those of their standards', async (t) => {
  const { vectors, expected } = await primitives()
  const pages = {
    '/': { headers: { 'content-type': 'text/html' }, body: PAGE },
    '/vectors': { headers: { 'content-type': 'application/json' }, body: JSON.stringify(vectors) },
  }
  const server = await serve((path) => pages[path], under(helpers, '/helpers/'), folder)
  t.after(server.close)
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual(problems, [])
  assert.deepEqual(result, { counts: expected, problems: [] }, result.failed)
})
