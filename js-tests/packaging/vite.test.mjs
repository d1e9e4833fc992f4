import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { launch, resultOf, serve } from '../helpers/browser.mjs'
import { start } from '../helpers/process.mjs'
import { expected } from './fixture/program.mjs'
import { nodeProject, pageProject, removeTemplate, runNode, runTool, secretProject, tool } from './project.mjs'

let browser
before(async () => (browser = await launch()))
after(() => Promise.all([browser?.close(), removeTemplate()]))

/** The last two major versions. */
for (const release of ['vite', 'vite-previous']) {
  describe(release, { concurrency: 2 }, () => {
    const vite = tool(release, 'vite')

    it('serves it in development', async (t) => {
      const folder = await pageProject(t)
      const args = [vite, '--host', '127.0.0.1', '--port', '0']
      const server = await start(process.execPath, args, /(http:\/\/127\.0\.0\.1:\d+)/, {
        cwd: folder,
        env: { NO_COLOR: '1' },
      })
      t.after(server.stop)
      assert.deepEqual(await resultOf(browser, `${server.match[1]}/`), { result: expected, problems: [] })
    })

    it('builds it for the web', async (t) => {
      const folder = await pageProject(t)
      await runTool(vite, ['build'], folder)
      const server = await serve(`${folder}/dist`)
      t.after(server.close)
      assert.deepEqual(await resultOf(browser, `${server.url}/`), { result: expected, problems: [] })
      assert.deepEqual(wasmFiles(server.requests), ['lean', 'web'], String(server.requests))
    })

    it('builds a page that makes keys of passphrases in a worker', async (t) => {
      const folder = await secretProject(t)
      await runTool(vite, ['build'], folder)
      const server = await serve(`${folder}/dist`)
      t.after(server.close)
      assert.deepEqual(await resultOf(browser, `${server.url}/`), { result: 5000, problems: [] })
      assert.ok(server.requests.some(isWorker), String(server.requests))
    })

    it('serves such a page in development', async (t) => {
      const folder = await secretProject(t)
      const args = [vite, '--host', '127.0.0.1', '--port', '0']
      const server = await start(process.execPath, args, /(http:\/\/127\.0\.0\.1:\d+)/, {
        cwd: folder,
        env: { NO_COLOR: '1' },
      })
      t.after(server.stop)
      const { result } = await resultOf(browser, `${server.match[1]}/`)
      assert.equal(result, 5000)
    })

    it('builds it for rendering on the server', async (t) => {
      const folder = await nodeProject(t)
      await runTool(vite, ['build', '--ssr', 'node.mjs'], folder)
      assert.deepEqual(await runNode(folder, 'dist/node.js'), expected)
    })
  })
}

const isWorker = (path) => /argon2\.worker[^/]*\.js$/.test(path)

/** The modules that were loaded, each as often as it was. */
const wasmFiles = (requests) => requests.flatMap((path) => /(\w+)_bg[^/]*\.wasm$/.exec(path)?.[1] ?? [])
