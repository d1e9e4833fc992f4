// The compliance suite over every backing of wasm: in Node over files and memory, in Chromium over IndexedDB and memory.
// The module is the build "testing", which no package has.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { asyncFiles, syncFiles } from '../pkg-template/node-fs.js'
import { launch, resultOf, serve } from './helpers/browser.mjs'

const built = fileURLToPath(new URL('../target/wasm/testing/out/', import.meta.url))
const folder = fs.mkdtempSync(join(tmpdir(), 'konserve-'))
let suite

before(async () => {
  suite = await import(join(built, 'testing.js'))
  await suite.default({ module_or_path: fs.readFileSync(join(built, 'testing_bg.wasm')) })
  suite.start({ error: (code, message) => new Error(`${code}: ${message}`), fs: asyncFiles(), fsSync: syncFiles() })
})
after(() => fs.rmSync(folder, { recursive: true }))

/** Says what was skipped, and fails with all promises that were broken. `reports` are `{ name, outcome, message }`. */
function judge(t, reports) {
  const of = (wanted) => reports.filter(({ outcome }) => outcome === wanted)
  for (const { name, message } of of('skipped')) t.diagnostic(`skipped: ${name}, ${message}`)
  t.diagnostic(`${of('passed').length} passed, ${of('skipped').length} skipped`)
  assert.deepEqual(of('failed'), [])
  assert.ok(of('passed').length > 150)
}

function inNode(what, config, { sync = false } = {}) {
  test(what, async (t) => {
    const reports = []
    for (const name of suite.complianceCases()) {
      reports.push({ name, ...(await suite.runCompliance(name, config, sync)) })
    }
    judge(t, reports)
  })
}

const files = (kind, options) => (place) => ({ backend: 'file', path: join(folder, kind, place), ...options })

describe('in Node', () => {
  inNode('memory', (place) => ({ backend: 'memory', id: place }))
  inNode('files', files('async', {}))
  inNode('files without syncing', files('unsynced', { syncBlob: false }))
  inNode('shared files', files('shared', { access: 'shared', syncBlob: false }))
  inNode('files, synchronously', files('sync', { syncBlob: false }), { sync: true })
  inNode('shared files, synchronously', files('shared-sync', { access: 'shared', syncBlob: false }), { sync: true })
})

let browser
/** `config` is the text of a function, and the page runs all cases. */
function inChromium(what, config) {
  test(what, async (t) => {
    const page = `<!doctype html><title>compliance</title><link rel="icon" href="data:,"><script type="module">
      import init, { complianceCases, runCompliance, start } from './testing.js'
      await init()
      start({ error: (code, message) => new Error(code + ': ' + message) })
      const reports = []
      for (const name of complianceCases()) reports.push({ name, ...(await runCompliance(name, ${config}, false)) })
      globalThis.result = reports
    </script>`
    const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: page } : undefined)
    const server = await serve(index, built)
    t.after(server.close)
    const { result, problems } = await resultOf(browser, `${server.url}/`, { timeout: 240_000 })
    assert.deepEqual(problems, [])
    judge(t, result)
  })
}

describe('in Chromium', () => {
  before(async () => (browser = await launch()))
  after(() => browser?.close())
  inChromium('memory', "(place) => ({ backend: 'memory', id: place })")
  inChromium('IndexedDB', "(place) => ({ backend: 'indexeddb', name: place })")
  inChromium('strict IndexedDB', "(place) => ({ backend: 'indexeddb', name: place, durability: 'strict' })")
})
