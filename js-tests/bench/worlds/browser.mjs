/**
 * Browsers: each subject is in a page of its own, or in a worker of that page, for the whole run. All pages are in one
 * fresh profile, but each is a site of its own, so that no subject's data is in another's database files, nor its garbage
 * in another's process.
 */
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { serve } from '../../helpers/server.mjs'
import { EMPTY_MODULE } from '../subjects/empty-module.mjs'
import { bundled } from './bundle.mjs'

const SUBJECTS = new URL('../subjects/browser/', import.meta.url)
const START = fileURLToPath(new URL('./start.mjs', import.meta.url))
const require = createRequire(import.meta.url)
const WASM = join(dirname(require.resolve('konserve/package.json')), 'wasm')
/** With these a page may measure its memory, and its clock is exact. */
const ISOLATED = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
}
const pageOf = (script) =>
  `<!doctype html><html lang="en"><title>bench</title><link rel="icon" href="data:,"><script type="module">${script}</script></html>`
const PAGES = {
  '/': pageOf("import { start } from './agent-page.js'; start()"),
  '/start': pageOf("import { startUp } from './start.js'; globalThis.answered = await startUp()"),
  '/start-worker': pageOf("import { startWorker } from './start.js'; globalThis.answered = await startWorker()"),
}

/** A browser as a world. `browser` has `version`, `visit(url)`, which gives a page with `evaluate` and `close`, and `close`. */
export async function browserWorld(id, title, browser) {
  const names = (await readdir(SUBJECTS)).map((file) => file.replace('.mjs', ''))
  const servers = []
  return {
    id,
    title,
    baseline: 'raw-relaxed',
    about: { [title]: browser.version },
    names,
    async agent(name) {
      const server = await serveSubject(fileOf(name))
      servers.push(server)
      return start(name, browser, siteOf(name, server.url))
    },
    startup: (agent) => startup(browser, agent),
    loads: (name, own) => loads(browser, name, own),
    async close() {
      await browser.close()
      for (const server of servers) await server.close()
    },
  }
}

const fileOf = (name) => fileURLToPath(new URL(`${name}.mjs`, SUBJECTS))

async function serveSubject(file) {
  const files = await bundled(file)
  const type = (path) => (path.endsWith('.wasm') ? 'application/wasm' : 'text/javascript')
  const answer = (path, body) => ({ headers: { ...ISOLATED, 'content-type': type(path) }, body })
  return serve((path) => {
    if (PAGES[path]) return { headers: { ...ISOLATED, 'content-type': 'text/html' }, body: PAGES[path] }
    if (path === '/start.js') return { ...answer(path), file: START }
    if (path === '/empty.wasm') return answer(path, EMPTY_MODULE)
    if (files.has(path)) return answer(path, files.get(path))
    if (path === '/sqlite3.wasm') return { ...answer(path), file: sqliteWasm() }
    return path.startsWith('/wasm/') ? { ...answer(path), file: join(WASM, path.slice(6)) } : undefined
  })
}

const sqliteWasm = () => join(dirname(require.resolve('@sqlite.org/sqlite-wasm')), 'sqlite3.wasm')

/** A site of its own, for which browsers have a process of its own: to them all ports of one host are one site. */
const siteOf = (name, url) => url.replace('127.0.0.1', `${name}.localhost`)

async function start(name, browser, url) {
  const page = await browser.visit(`${url}/`)
  const call = async (method, ...args) => {
    const { answer, error } = await page.evaluate(([method, args]) => globalThis.answered(method, args), [method, args])
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    return answer
  }
  const about = await call('about')
  return { name, ...about, url, call, close: () => page.close() }
}

async function startup(browser, { name, url, inWorker }) {
  const page = await browser.visit(`${url}/start${inWorker ? '-worker' : ''}`)
  const { took, error } = await page.evaluate(() => globalThis.answered)
  await page.close()
  if (error !== undefined) throw new Error(`${name}: ${error}`)
  return took
}

/** The files that a page needs for its first value; `undefined` for subjects that are there for something else. */
async function loads(browser, name, own) {
  const server = await serveSubject(fileOf(name))
  try {
    const agent = await start(name, browser, siteOf(name, server.url))
    if (agent.only) return undefined
    await agent.call('open', 'start')
    await agent.call('set', 'start', 'first', { a: 1 })
    await agent.call('close', 'start')
    await agent.close()
    const before = server.requests.length
    await startup(browser, agent)
    const paths = new Set(server.requests.slice(before).filter((path) => !own.includes(path)))
    const files = await Promise.all([...paths].map(async (path) => (await fetch(`${server.url}${path}`)).arrayBuffer()))
    return { name, title: agent.title, files: files.map((file) => new Uint8Array(file)) }
  } finally {
    await server.close()
  }
}
