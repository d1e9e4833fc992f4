/** The package as plain files from a static server, no bundler: how the wasm module gets loaded, and what may hinder it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { launch, resultOf, serve } from '../helpers/browser.mjs'
import { expected } from './fixture/program.mjs'
import { exported, manifestOf, pageProject, removeTemplate } from './project.mjs'

let browser
before(async () => (browser = await launch()))
after(() => Promise.all([browser?.close(), removeTemplate()]))

const WEB = ['browser', 'import']
/** A page's policy that allows its own files, its inline scripts, and what `more` adds for scripts. */
const policy = (more) => ({ 'content-security-policy': `default-src 'self'; script-src 'self' 'unsafe-inline'${more}` })

/** A page that maps the package's names to its files, as a bundler would, and runs `script` (default: the fixture's program). */
function pageOf(manifest, script = "import './page.mjs'") {
  const imports = {}
  for (const name of ['.', './inline']) {
    imports[`konserve${name.slice(1)}`] = `/node_modules/konserve/${exported(manifest, name, WEB)}`
  }
  return `<!doctype html><html lang="en"><title>konserve</title>
    <script type="importmap">${JSON.stringify({ imports })}</script>
    <script type="module">${script}</script></html>`
}

/** Runs a page over the installed package; `answer(path, folder)` may answer for a file, `headers` are the page's. */
async function runPage(t, { script, headers = {}, answer = () => undefined } = {}) {
  const folder = await pageProject(t)
  const page = pageOf(manifestOf(folder), script)
  const index = (path) =>
    path === '/' ? { headers: { 'content-type': 'text/html', ...headers }, body: page } : undefined
  const server = await serve(index, (path) => answer(path, folder), folder)
  t.after(server.close)
  return { ...(await resultOf(browser, `${server.url}/`)), requests: server.requests, folder }
}

const isWasm = (path) => path.endsWith('.wasm')
/** Where the page finds the package's wasm file. */
const wasmOf = (folder) => `/node_modules/konserve/${exported(manifestOf(folder), './konserve.wasm', WEB)}`
/** The lean file beside it. */
const leanOf = (folder) => wasmOf(folder).replace('web_bg', 'lean_bg')
const wasmBytes = (folder) => readFileSync(folder + wasmOf(folder))
const SCRIPT = { headers: { 'content-type': 'text/javascript' } }
const BINARY = { headers: { 'content-type': 'application/octet-stream' } }
const MODULE = { headers: { 'content-type': 'application/wasm' } }

/** A script that opens a memory store in a given way and reports what it reads from it, or the error. */
const opening = (how, from = 'konserve') => `
  import { openStore } from '${from}'
  const options = { backend: 'memory', id: '8e7d6c5b-4a39-4281-9706-f5e4d3c2b1a0' }
  const attempt = async () => {
    const store = await (${how})
    await store.assocIn(['a', 'b'], 7)
    return store.getIn(['a', 'b'])
  }
  globalThis.result = await attempt().catch(({ name, code, message }) => ({ name, code, message }))`

describe('a static server', { concurrency: 3 }, () => {
  it('serves it to a page, which loads the lean wasm file and the full one', async (t) => {
    const { result, problems, requests, folder } = await runPage(t)
    assert.deepEqual({ result, problems }, { result: expected, problems: [] })
    assert.deepEqual(requests.filter(isWasm), [leanOf(folder), wasmOf(folder)])
  })

  it('serves it to a worker', async (t) => {
    // Workers have no import maps: the worker names the package's file.
    const worker = (folder) => `
      import { createStore, openStore, KonserveError } from '/node_modules/konserve/${exported(manifestOf(folder), '.', WEB)}'
      import { program } from './program.mjs'
      const memory = { backend: 'memory', id: '3f1b2c9e-6a7d-4e58-9b0c-1d2e3f4a5b6c' }
      postMessage(await program({ createStore, openStore, KonserveError }, { name: 'packaging' }, memory))`
    const answer = (path, folder) => (path === '/worker.mjs' ? { ...SCRIPT, body: worker(folder) } : undefined)
    const script = `
      const worker = new Worker('/worker.mjs', { type: 'module' })
      worker.onmessage = ({ data }) => { globalThis.result = data }`
    const { result, problems } = await runPage(t, { script, answer })
    assert.deepEqual({ result, problems }, { result: expected, problems: [] })
  })

  it('needs nothing but wasm-unsafe-eval in a strict Content-Security-Policy', async (t) => {
    const { result, problems } = await runPage(t, { headers: policy(" 'wasm-unsafe-eval'") })
    assert.deepEqual({ result, problems }, { result: expected, problems: [] })
  })

  it('says what to add where the Content-Security-Policy forbids wasm', async (t) => {
    const { result } = await runPage(t, { headers: policy(''), script: opening('openStore(options)') })
    assert.equal(result.name, 'KonserveError')
    for (const part of ['Content-Security-Policy', 'script-src', "'wasm-unsafe-eval'"]) {
      assert.ok(result.message.includes(part), result.message)
    }
  })

  it('loads the copy inside the package where the wasm file is missing', async (t) => {
    const answer = (path) => (isWasm(path) ? { status: 404 } : undefined)
    const { result, problems } = await runPage(t, { answer })
    assert.deepEqual(result, expected)
    assert.deepEqual(
      problems.filter((problem) => !problem.includes('.wasm')),
      [],
      'nothing but the missing file is reported',
    )
  })

  it('loads the copy inside the package where the server answers with a page instead of the wasm file', async (t) => {
    const page = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><title>Not found</title>' }
    const { result, problems } = await runPage(t, { answer: (path) => (isWasm(path) ? page : undefined) })
    assert.deepEqual({ result, problems }, { result: expected, problems: [] })
  })

  it('works where the server gives the wasm file another media type', async (t) => {
    const answer = (path, folder) => (isWasm(path) ? { ...BINARY, body: readFileSync(folder + path) } : undefined)
    const { result, problems, requests, folder } = await runPage(t, { answer })
    assert.deepEqual({ result, problems }, { result: expected, problems: [] })
    assert.deepEqual(requests.filter(isWasm), [leanOf(folder), wasmOf(folder)], 'none is loaded twice')
  })

  const fetched = `fetch('/elsewhere.wasm')`
  for (const [what, how] of [
    ['a URL', `openStore({ ...options, wasm: new URL('/elsewhere.wasm', location.href) })`],
    ['a string', `openStore({ ...options, wasm: '/elsewhere.wasm' })`],
    ['a promised Response', `openStore({ ...options, wasm: ${fetched} })`],
    [
      'bytes',
      `${fetched}.then((r) => r.arrayBuffer()).then((b) => openStore({ ...options, wasm: new Uint8Array(b) }))`,
    ],
    ['a compiled module', `WebAssembly.compileStreaming(${fetched}).then((wasm) => openStore({ ...options, wasm }))`],
  ]) {
    it(`takes the wasm module as ${what}`, async (t) => {
      const answer = (path, folder) => (path === '/elsewhere.wasm' ? { ...MODULE, body: wasmBytes(folder) } : undefined)
      const { result, problems, requests } = await runPage(t, { answer, script: opening(how) })
      assert.deepEqual({ result, problems }, { result: 7, problems: [] })
      assert.deepEqual(requests.filter(isWasm), ['/elsewhere.wasm'], 'only the given one is loaded')
    })
  }

  it('has konserve/inline, which loads no wasm file', async (t) => {
    const { result, problems, requests } = await runPage(t, {
      script: opening('openStore(options)', 'konserve/inline'),
    })
    assert.deepEqual({ result, problems }, { result: 7, problems: [] })
    assert.deepEqual(requests.filter(isWasm), [])
  })
})
