// Makes the npm package of the files beside this one and of what wasm-pack built. It is not shipped.

import { build } from 'esbuild'
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What goes into the bundle for Node alone, and is not shipped as it is. */
const INNER = ['aes-node.js', 'argon2-node.js', 'node.js', 'node-bursts.js', 'node-fs.js', 'testing-node.js']

/**
 * @param {{ lean: string, encrypted: string, web: string, clojure: string, node: string, argon2: string, testing: string }} from the folders into which wasm-pack wrote
 *   `lean.js`, `lean_bg.wasm` and so on (`--target web`): for browsers the lean module, that with encryption, and the full
 *   one, that for what is shared with Clojure, that for Node, and that of `konserve/testing`
 * @param {string} to the folder of the package, made anew
 */
export async function assemble(from, to) {
  await rm(to, { recursive: true, force: true })
  await mkdir(join(to, 'wasm'), { recursive: true })
  for (const name of ['lean', 'encrypted', 'web', 'clojure', 'node', 'argon2', 'testing'])
    for (const file of [`${name}.js`, `${name}_bg.wasm`]) await copyFile(join(from[name], file), join(to, 'wasm', file))
  for (const name of ['web', 'clojure', 'node', 'argon2']) await writeCopy(to, name)
  const files = (await readdir(HERE)).filter((file) => file !== 'assemble.mjs' && !INNER.includes(file))
  for (const file of files) await copyFile(join(HERE, file), join(to, file))
  for (const file of files.filter((name) => name.endsWith('.d.ts'))) await writeCommonJsTypes(to, file)
  await bundleForNode(to)
  await copyLicences(to)
  await writeFile(join(to, 'package.json'), `${JSON.stringify(await manifest(), null, 2)}\n`)
}

/** TypeScript takes the types of what is required from `.d.cts` files; they say the same. */
async function writeCommonJsTypes(to, file) {
  const types = await readFile(join(to, file), 'utf8')
  await writeFile(join(to, file.replace('.d.ts', '.d.cts')), types.replaceAll(/(from '\.\/[\w-]+)\.js'/g, "$1.cjs'"))
}

/** A wasm module as text, for places where the file cannot be had. */
async function writeCopy(to, name) {
  const base64 = await readFile(join(to, 'wasm', `${name}_bg.wasm`), 'base64')
  await writeFile(join(to, 'wasm', `${name}-copy.js`), `export default 'data:application/wasm;base64,${base64}'\n`)
}

/** One CommonJS file each, for `import` and `require` alike: what they give is the same then. */
async function bundleForNode(to) {
  for (const file of INNER) await copyFile(join(HERE, file), join(to, file))
  for (const name of ['node', 'testing-node']) await bundle(to, name)
  await Promise.all([...INNER, 'wasm/node.js'].map((file) => rm(join(to, file))))
}

async function bundle(to, name) {
  await build({
    entryPoints: [join(to, `${name}.js`)],
    outfile: join(to, `${name}.cjs`),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifyWhitespace: true,
    minifySyntax: true,
    external: ['./wasm/node-copy.js', './wasm/argon2-copy.js'],
    plugins: [builtInModules, ofNode],
    legalComments: 'none',
    logOverride: { 'empty-import-meta': 'silent' },
    logLevel: 'warning',
  })
}

/** Node's own modules through a function, not `require`: esbuild makes ES modules of us in which `require` throws. */
const builtInModules = {
  name: 'built-in modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'built-in' } : { path, external: true },
    )
    onLoad({ filter: /.*/, namespace: 'built-in' }, ({ path }) => ({
      contents: `export default process.getBuiltinModule?.('${path}') ?? require('${path}')`,
    }))
  },
}

/** What waits for nothing, in the place of what does. */
const ofNode = {
  name: 'of Node',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(aes|argon2)\.js$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace('.js', '-node.js')),
    }))
  },
}

async function copyLicences(to) {
  const licences = (await readdir(ROOT)).filter((file) => /^LICEN[CS]E/.test(file))
  for (const file of licences) await copyFile(join(ROOT, file), join(to, basename(file)))
}

/** What Cargo.toml says of the crate holds for the package too. */
async function manifest() {
  const toml = await readFile(join(ROOT, 'Cargo.toml'), 'utf8')
  const field = (name) => new RegExp(`^${name} = "(.*)"$`, 'm').exec(toml)?.[1]
  const repository = field('repository')
  return {
    name: 'konserve',
    version: field('version'),
    description: field('description'),
    keywords: ['store', 'database', 'document', 'key-value', 'indexeddb', 'wasm', 'atomic', 'offline'],
    license: field('license'),
    ...(repository === undefined ? {} : { repository: { type: 'git', url: `git+${repository}.git` } }),
    type: 'module',
    files: ['*.js', '*.mjs', '*.cjs', '*.ts', '*.cts', 'wasm', 'LICENSE-*'],
    sideEffects: false,
    engines: { node: '>=20' },
    main: './node.cjs',
    module: './index.js',
    types: './index.d.ts',
    exports: {
      '.': { workerd: esm('index', 'workerd'), 'edge-light': esm('index', 'edge-light'), ...entry('index', 'node') },
      './sync': entry('sync', 'node-sync'),
      './inline': entry('inline', 'node'),
      './testing': entry('testing', 'testing-node'),
      './konserve.wasm': { node: './wasm/node_bg.wasm', default: './wasm/web_bg.wasm' },
      './clojure.wasm': { node: './wasm/node_bg.wasm', default: './wasm/clojure_bg.wasm' },
      './package.json': './package.json',
    },
  }
}

const esm = (types, file) => ({ types: `./${types}.d.ts`, default: `./${file}.js` })

const entry = (name, node) => ({
  node: {
    import: { types: `./${name}.d.ts`, default: `./${node}.mjs` },
    require: { types: `./${name}.d.cts`, default: `./${node}.cjs` },
  },
  default: esm(name, name),
})
