import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { launch, resultOf, serve } from '../helpers/browser.mjs'
import { expected } from './fixture/program.mjs'
import { nodeProject, pageProject, removeTemplate, runNode, runTool, secretProject, tool } from './project.mjs'

let browser
before(async () => (browser = await launch()))
after(() => Promise.all([browser?.close(), removeTemplate()]))

const PAGE =
  '<!doctype html><html lang="en"><title>konserve</title><link rel="icon" href="data:,"><script src="main.js"></script></html>'

describe('webpack', { concurrency: 2 }, () => {
  const webpack = tool('webpack-cli')

  for (const mode of ['production', 'development']) {
    it(`builds it for the web (${mode})`, async (t) => {
      const folder = await pageProject(t)
      await runTool(webpack, ['./page.mjs', '--mode', mode], folder)
      const page = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: PAGE } : undefined)
      const server = await serve(page, `${folder}/dist`)
      t.after(server.close)
      assert.deepEqual(await resultOf(browser, `${server.url}/`), { result: expected, problems: [] })
      const files = server.requests.filter((path) => path.endsWith('.wasm'))
      assert.equal(files.length, 2, `the lean file and the full one: ${server.requests}`)
      assert.equal(new Set(files).size, 2, `each once: ${server.requests}`)
    })
  }

  it('builds a page that makes keys of passphrases in a worker', async (t) => {
    const folder = await secretProject(t)
    await runTool(webpack, ['./page.mjs', '--mode', 'production'], folder)
    const page = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: PAGE } : undefined)
    const server = await serve(page, `${folder}/dist`)
    t.after(server.close)
    assert.deepEqual(await resultOf(browser, `${server.url}/`), { result: 5000, problems: [] })
    const files = server.requests.filter((path) => path.endsWith('.wasm'))
    const which = 'the one for encrypted stores, in a worker that of Argon2, and the full one, which deletes'
    assert.equal(new Set(files).size, 3, `${which}: ${server.requests}`)
    assert.equal(files.length, 3, `each once: ${server.requests}`)
  })

  it('builds it for Node', async (t) => {
    const folder = await nodeProject(t)
    await runTool(
      webpack,
      ['./node.mjs', '--mode', 'production', '--target', 'node', '--output-filename', 'main.cjs'],
      folder,
    )
    assert.deepEqual(await runNode(folder, 'dist/main.cjs'), expected)
  })
})
