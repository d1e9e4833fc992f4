/** Chromium: serves page.mjs beside the package, and runs it in a fresh profile. */
import { dirname } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { folder, launch, resultOf, serve } from '../helpers/browser.mjs'

const PACKAGE = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
const HERE = fileURLToPath(new URL('.', import.meta.url))

export async function benchChromium(options) {
  const page = `<!doctype html><title>bench</title><link rel="icon" href="data:,"><script type="module">
    import { benchBrowser } from './page.mjs'
    globalThis.result = await benchBrowser(${JSON.stringify(options)})
  </script>`
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: page } : undefined)
  const server = await serve(index, folder(PACKAGE, '/konserve/'), HERE)
  const browser = await launch()
  try {
    const { result } = await resultOf(browser, `${server.url}/`, { timeout: 600_000 })
    return { version: browser.version(), tables: result }
  } finally {
    await browser.close()
    await server.close()
  }
}
