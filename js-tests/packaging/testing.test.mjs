/** `konserve/testing` from the tarball: with a test runner and without, imported and required, in Node and in a page. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { run } from '../helpers/process.mjs'
import { launch, resultOf, serve } from '../helpers/browser.mjs'
import { exported, manifestOf, project, removeTemplate, runNode } from './project.mjs'

after(removeTemplate)

const BACKING = readFileSync(new URL('../../examples/map-backing.mjs', import.meta.url), 'utf8')
const CLASS = BACKING.slice(BACKING.indexOf('export class')).split('\n}\n')[0].replace('export ', '') + '\n}\n'
const SUMMARY = `
  const { passed, skipped, failed } = await runCompliance({ open: () => new MapBacking() })
  const answer = { passed: passed.length > 120, needs: [...new Set(skipped.map(({ skipped }) => skipped))].sort(), failed: failed.length }`
const EXPECTED = { passed: true, needs: ['ordered', 'shared'], failed: 0 }

describe('konserve/testing', () => {
  it('is imported, and runs without a test runner', async (t) => {
    const main = `import { runCompliance } from 'konserve/testing'\n${CLASS}${SUMMARY}\nconsole.log(JSON.stringify(answer))`
    assert.deepEqual(await runNode(await project(t, { 'main.mjs': main }), 'main.mjs'), EXPECTED)
  })

  it('is required', async (t) => {
    const main = `const { runCompliance } = require('konserve/testing')\n${CLASS}
      ;(async () => {${SUMMARY}\nconsole.log(JSON.stringify(answer)) })()`
    assert.deepEqual(await runNode(await project(t, { 'main.cjs': main }), 'main.cjs'), EXPECTED)
  })

  it('gives the cases to a test runner, which skips what the backing cannot do', async (t) => {
    const main = `
      import { test } from 'node:test'
      import { compliance } from 'konserve/testing'
      ${CLASS}
      for (const { name, skipped, run } of await compliance({ open: () => new MapBacking(), sync: true }))
        test(name, { skip: skipped && \`not \${skipped}\` }, run)`
    const folder = await project(t, { 'main.test.mjs': main })
    const printed = await run(process.execPath, ['--test', '--test-reporter=tap', 'main.test.mjs'], {
      cwd: folder,
      env: { NODE_TEST_CONTEXT: undefined },
    })
    const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(printed)[1])
    assert.equal(count('fail'), 0)
    assert.ok(count('pass') > 120, printed.slice(-300))
    assert.ok(count('skipped') > 0)
    assert.match(printed, /two_open_stores_are_one # SKIP not shared/)
  })

  it('runs in a page, from plain files', async (t) => {
    const browser = await launch()
    t.after(() => browser.close())
    const folder = await project(t, {})
    const file = exported(manifestOf(folder), './testing', ['browser', 'import'])
    const page = `<!doctype html><title>testing</title><script type="module">
      import { runCompliance } from '/node_modules/konserve/${file}'
      ${CLASS}${SUMMARY}
      globalThis.result = answer</script>`
    const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: page } : undefined)
    const server = await serve(index, folder)
    t.after(server.close)
    const { result, problems } = await resultOf(browser, `${server.url}/`, { timeout: 900_000 })
    assert.deepEqual({ result, problems }, { result: EXPECTED, problems: [] })
    assert.deepEqual(
      server.requests.filter((path) => path.endsWith('.wasm')),
      ['/node_modules/konserve/wasm/testing_bg.wasm'],
    )
  })

  it('is the only entry that names its module', async (t) => {
    const folder = await project(t, {})
    const root = join(folder, 'node_modules/konserve')
    for (const file of [
      'index.js',
      'web.js',
      'load.js',
      'inline.js',
      'sync.js',
      'workerd.js',
      'edge-light.js',
      'node.cjs',
    ])
      assert.ok(!readFileSync(join(root, file), 'utf8').includes('testing_bg'), file)
  })
})
