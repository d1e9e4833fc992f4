/** Empty projects that have the packed package installed and nothing configured, and the tools to try them with. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../helpers/process.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** The path of the tarball: `$KONSERVE_TARBALL`, or the one that the build left in `target/npm`. */
function tarball() {
  if (process.env.KONSERVE_TARBALL) return resolve(process.env.KONSERVE_TARBALL)
  const folder = resolve(HERE, '../../target/npm')
  const found = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.tgz')) : []
  assert.equal(
    found.length,
    1,
    `one tarball is wanted in ${folder}, found ${found.length}; build it, or set KONSERVE_TARBALL`,
  )
  return join(folder, found[0])
}

let template
/** One folder where npm has installed the tarball; it is copied for every project of this process. */
function installed() {
  template ??= mkdtemp(join(tmpdir(), 'konserve-template-')).then(async (folder) => {
    await writeFile(join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n')
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--install-links=false', tarball()], {
      cwd: folder,
    })
    return folder
  })
  return template
}

/** Removes what `installed` made; for the end of a test file (`after(removeTemplate)`). */
export async function removeTemplate() {
  if (template) await rm(await template, { recursive: true })
}

/**
 * A new project for the test `t`, removed after it: the installed package, and `files` beside it.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} files File name to its text; the text `fixture` copies that file of `fixture/`.
 * @returns {Promise<string>} the folder
 */
export async function project(t, files) {
  const folder = await mkdtemp(join(tmpdir(), 'konserve-project-'))
  t.after(() => rm(folder, { recursive: true }))
  await cp(await installed(), folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    if (text === 'fixture') await cp(join(HERE, 'fixture', name), join(folder, name))
    else await writeFile(join(folder, name), text)
  }
  return folder
}

/** The project that runs the fixture's program in a page. */
export const pageProject = (t, files = {}) =>
  project(t, { 'index.html': 'fixture', 'page.mjs': 'fixture', 'program.mjs': 'fixture', ...files })

/** The project of a page that opens an encrypted store. */
export const secretProject = (t, files = {}) =>
  project(t, { 'index.html': 'fixture', ...files, 'page.mjs': readFileSync(join(HERE, 'fixture/secret.mjs'), 'utf8') })

/** The project that runs the fixture's program in Node and its like. */
export const nodeProject = (t, files = {}) => project(t, { 'node.mjs': 'fixture', 'program.mjs': 'fixture', ...files })

/** The installed package's own package.json. */
export const manifestOf = (folder) =>
  JSON.parse(readFileSync(join(folder, 'node_modules/konserve/package.json'), 'utf8'))

/** The file, relative to the package, that an export leads to under these conditions (and `default`). */
export function exported(manifest, name, conditions) {
  let target = manifest.exports[name]
  while (target && typeof target === 'object') {
    const condition = Object.keys(target).find((key) => key === 'default' || conditions.includes(key))
    target = target[condition]
  }
  assert.ok(target, `package.json exports ${name} for ${conditions}`)
  return target.replace('./', '')
}

/** The program that a package of tools installs under the name `bin` (by default, its own). */
export function tool(packageName, bin = basename(packageName)) {
  const manifest = join(HERE, 'node_modules', packageName, 'package.json')
  assert.ok(existsSync(manifest), `${packageName} is not installed; run \`npm ci\` in ${HERE}`)
  const { bin: bins } = JSON.parse(readFileSync(manifest, 'utf8'))
  return join(dirname(manifest), typeof bins === 'string' ? bins : bins[bin])
}

/** Runs a tool that is a Node program, in a project; colours and update notices off. */
export const runTool = (path, args, cwd) => run(process.execPath, [path, ...args], { cwd, env: { NO_COLOR: '1' } })

/** Runs a script of a project in this Node and returns the JSON it prints. */
export const runNode = async (cwd, ...args) => JSON.parse(await run(process.execPath, args, { cwd }))

/**
 * The executable of a runtime that npm packages hold as it is (their install scripts only copy it),
 * or `undefined` where they have none for this system.
 */
export function runtime(name) {
  const places = {
    bun: [
      `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}/package.json`,
      'bin/bun',
    ],
    deno: [
      `@deno/${process.platform}-${process.arch}${process.platform === 'linux' ? '-glibc' : ''}/package.json`,
      'deno',
    ],
  }
  const [manifest, file] = places[name]
  try {
    return join(dirname(require.resolve(manifest)), process.platform === 'win32' ? `${file}.exe` : file)
  } catch {
    return undefined
  }
}
