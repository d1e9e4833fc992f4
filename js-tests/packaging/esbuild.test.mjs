import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { launch, resultOf, serve } from '../helpers/browser.mjs'
import { run } from '../helpers/process.mjs'
import { expected } from './fixture/program.mjs'
import { nodeProject, pageProject, removeTemplate, runNode, secretProject, tool } from './project.mjs'

let browser
before(async () => (browser = await launch()))
after(() => Promise.all([browser?.close(), removeTemplate()]))

const page = (type) =>
  `<!doctype html><html lang="en"><title>konserve</title><link rel="icon" href="data:,"><script type="${type}" src="bundle.js"></script></html>`

describe('esbuild', { concurrency: 2 }, () => {
  const build = (folder, ...args) => run(tool('esbuild'), ['--bundle', '--log-level=error', ...args], { cwd: folder })

  for (const [format, type] of [
    ['iife', 'text/javascript'],
    ['esm', 'module'],
  ]) {
    it(`builds it for the web (${format}), where the wasm comes from the copy in the bundle`, async (t) => {
      const folder = await pageProject(t, { 'index.html': page(type) })
      await build(folder, 'page.mjs', `--format=${format}`, '--outfile=bundle.js')
      const onlyBundle = (path) => (['/', '/bundle.js', '/favicon.ico'].includes(path) ? undefined : { status: 404 })
      const server = await serve(onlyBundle, folder)
      t.after(server.close)
      const { result, problems } = await resultOf(browser, `${server.url}/`)
      assert.deepEqual(result, expected)
      assert.deepEqual(
        problems.filter((problem) => !problem.includes('.wasm')),
        [],
        'nothing but the missing file is reported',
      )
    })
  }

  it('builds a page that makes keys of passphrases itself, since no worker is in the bundle', async (t) => {
    const folder = await secretProject(t, { 'index.html': page('module') })
    await build(folder, 'page.mjs', '--format=esm', '--outfile=bundle.js')
    const onlyBundle = (path) => (['/', '/bundle.js', '/favicon.ico'].includes(path) ? undefined : { status: 404 })
    const server = await serve(onlyBundle, folder)
    t.after(server.close)
    const { result } = await resultOf(browser, `${server.url}/`)
    assert.equal(result, 5000)
  })

  for (const format of ['cjs', 'esm']) {
    it(`builds it for Node (${format})`, async (t) => {
      const folder = await nodeProject(t)
      const file = format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs'
      await build(folder, 'node.mjs', '--platform=node', `--format=${format}`, `--outfile=out/${file}`)
      assert.deepEqual(await runNode(folder, `out/${file}`), expected)
    })
  }
})
