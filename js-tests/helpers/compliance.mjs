/** The compliance suite of `konserve/testing`, in Node and in pages. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { folder, resultOf, serve } from './browser.mjs'

/** For all cases together, in ms. */
const PATIENCE = 900_000

const pkg = fileURLToPath(new URL('../../pkg/', import.meta.url))

/**
 * Runs all cases in a page. `open` is the text of a function, which may use what the text `imports` brings from the
 * folders that are served beside. The package is at `/konserve/`.
 */
export async function reportOfPage(browser, open, { imports = '', roots = [] } = {}) {
  const page = `<!doctype html><title>compliance</title><link rel="icon" href="data:,"><script type="module">
    import { runCompliance } from '/konserve/testing.js'
    ${imports}
    const { passed, skipped, failed } = await runCompliance({ open: ${open} })
    globalThis.result = { passed, skipped, failed: failed.map(({ name, error }) => ({ name, error: error.message })) }
  </script>`
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: page } : undefined)
  const server = await serve(index, ...roots, folder(pkg, '/konserve/'))
  try {
    const { result, problems } = await resultOf(browser, `${server.url}/`, { timeout: PATIENCE })
    assert.deepEqual(problems, [])
    return result
  } finally {
    await server.close()
  }
}

/** Says what was skipped, and fails with all promises that were broken. */
export function judge(t, { passed, skipped, failed }) {
  for (const { name, skipped: capability } of skipped) t.diagnostic(`skipped: ${name}: not ${capability}`)
  t.diagnostic(`${passed.length} passed, ${skipped.length} skipped`)
  assert.deepEqual(failed, [])
  assert.ok(passed.length > 150)
}
