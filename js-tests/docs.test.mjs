// The examples of the documentation do what it says. CONTRIBUTING.md has the rules for writing them.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'
import { folder as served, launch, serve } from './helpers/browser.mjs'
import { run } from './helpers/process.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const docs = readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))
const pages = ['README.md', 'pkg-template/README.md', ...docs.map((file) => `docs/${file}`)]

/** The JavaScript in a page: where it begins, what is said of it beside `js`, and the code. */
function blocksOf(page) {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```js *(.*)\n([^]*?)^```$/gm)].map(({ index, 1: kind, 2: code }) => ({
    line: text.slice(0, index).split('\n').length,
    kind: kind || 'program',
    code,
  }))
}

/** What the comments of a program say that it prints. */
const promised = (code) => [...code.matchAll(/\/\/ prints: (.*)$/gm)].map(([, line]) => line.trim())

/** Fails where something is no JavaScript. It may be the inside of a class. */
async function parse(code) {
  const asModule = await transform(code, { loader: 'js', format: 'esm' }).catch((error) => error)
  if (!(asModule instanceof Error)) return
  const fields = [...new Set(code.match(/#\w+/g))].join('\n')
  await transform(`class Inside {\n${fields}\n${code}}`, { loader: 'js' }).catch(() => assert.fail(asModule.message))
}

let folder
let made = 0
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'konserve-docs-'))
  await mkdir(join(folder, 'node_modules'))
  await symlink(join(root, 'pkg'), join(folder, 'node_modules', 'konserve'), 'junction')
})
after(() => rm(folder, { recursive: true, force: true }))

/** The lines that a program prints in Node, in a folder of its own beside the examples. */
async function printedInNode(code) {
  const cwd = join(folder, String((made += 1)))
  await cp(join(root, 'examples'), cwd, { recursive: true })
  await writeFile(join(cwd, 'program.mjs'), code)
  return linesOf(await run(process.execPath, ['program.mjs'], { cwd }))
}

const linesOf = (text) => text.split('\n').filter((line) => line !== '')

let browser
after(() => browser?.close())

/** The lines that a program prints in a page of its own. */
async function printedInPage(code) {
  browser ??= await launch()
  const html = `<!doctype html><title>example</title><link rel="icon" href="data:,">
    <script type="importmap">{ "imports": { "konserve": "/konserve/index.js" } }</script>
    <script type="module">${code}\nglobalThis.result = true</script>`
  const index = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body: html } : undefined)
  const server = await serve(index, served(join(root, 'pkg'), '/konserve/'))
  const page = await browser.newPage()
  try {
    const lines = []
    page.on('console', (message) => lines.push(message.text()))
    const thrown = new Promise((_, reject) => page.once('pageerror', reject))
    const ended = page.goto(`${server.url}/`).then(() => page.waitForFunction(() => 'result' in globalThis))
    await Promise.race([ended, thrown])
    return lines
  } finally {
    await page.close()
    await server.close()
  }
}

const KINDS = {
  program: async (code) => assert.deepEqual(await printedInNode(code), promised(code)),
  page: async (code) => assert.deepEqual(await printedInPage(code), promised(code)),
  fragment: parse,
}

for (const page of pages) {
  const blocks = blocksOf(page)
  if (blocks.length === 0) continue
  describe(page, { concurrency: 4 }, () => {
    for (const { line, kind, code } of blocks) {
      test(`the ${kind} in line ${line}`, async () => {
        assert.ok(KINDS[kind], `a block is "js", "js page" or "js fragment", not "js ${kind}"`)
        assert.ok(
          kind === 'fragment' || /^import /m.test(code),
          'what imports nothing is no program: say "js fragment"',
        )
        await KINDS[kind](code)
      })
    }
  })
}

test('an example that breaks its promise is found', async () => {
  const good = "import { openStore } from 'konserve'\nconsole.log(typeof openStore) // prints: function\n"
  await KINDS.program(good)
  await KINDS.page(good)
  for (const kind of ['program', 'page']) {
    await assert.rejects(KINDS[kind](good.replace('prints: function', 'prints: object')), assert.AssertionError)
    await assert.rejects(KINDS[kind](`${good}console.log('more')`), assert.AssertionError)
    await assert.rejects(KINDS[kind](`${good}throw new Error('mine')`))
  }
  await assert.rejects(parse('const 5 = n'), assert.AssertionError)
  await parse('read(names) {\n  return this.#map\n}\n')
})

test('every page is in the index, and every link between pages leads somewhere', () => {
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8')
  for (const file of docs)
    assert.ok(file === 'README.md' || index.includes(`(${file})`), `docs/README.md lists ${file}`)
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[^]*?^```$/gm, '')
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g))
      assert.doesNotThrow(() => readFileOrFolder(join(root, dirname(page), link)), `${page} links to ${link}`)
  }
})

function readFileOrFolder(path) {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error.code === 'EISDIR') return readdirSync(path)
    throw error
  }
}
