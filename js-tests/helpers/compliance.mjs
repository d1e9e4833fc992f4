/** The compliance suite, in Node and in pages. The module is the build "testing", which no package has. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asyncFiles, syncFiles } from '../../pkg-template/node-fs.js'
import { resultOf, serve } from './browser.mjs'

const built = fileURLToPath(new URL('../../target/wasm/testing/out/', import.meta.url))

/** The suite for Node, as a function that runs all its cases over what `config` makes of the name of a place. */
export async function suiteInNode() {
  const suite = await import(join(built, 'testing.js'))
  await suite.default({ module_or_path: fs.readFileSync(join(built, 'testing_bg.wasm')) })
  suite.start({ error: (code, message) => new Error(`${code}: ${message}`), fs: asyncFiles(), fsSync: syncFiles() })
  return async (config, { sync = false } = {}) => {
    const reports = []
    for (const name of suite.complianceCases()) {
      reports.push({ name, ...(await suite.runCompliance(name, config, sync)) })
    }
    return reports
  }
}

/**
 * Runs all cases in a page. `config` is the text of a function, which may use what the text `imports` brings from the
 * folders that are served beside.
 */
export async function reportsOfPage(browser, config, { imports = '', roots = [] } = {}) {
  const page = `<!doctype html><title>compliance</title><link rel="icon" href="data:,"><script type="module">
    import init, { complianceCases, runCompliance, start } from './testing.js'
    ${imports}
    await init()
    start({ error: (code, message) => new Error(code + ': ' + message) })
    const reports = []
    for (const name of complianceCases()) reports.push({ name, ...(await runCompliance(name, ${config}, false)) })
    globalThis.result = reports
  </script>`
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: page } : undefined)
  const server = await serve(index, ...roots, built)
  try {
    const { result, problems } = await resultOf(browser, `${server.url}/`, { timeout: 240_000 })
    assert.deepEqual(problems, [])
    return result
  } finally {
    await server.close()
  }
}

/** Says what was skipped, and fails with all promises that were broken. `reports` are `{ name, outcome, message }`. */
export function judge(t, reports) {
  const of = (wanted) => reports.filter(({ outcome }) => outcome === wanted)
  for (const { name, message } of of('skipped')) t.diagnostic(`skipped: ${name}, ${message}`)
  t.diagnostic(`${of('passed').length} passed, ${of('skipped').length} skipped`)
  assert.deepEqual(of('failed'), [])
  assert.ok(of('passed').length > 150)
}
