// Builds the npm package: src/ with wasm-pack, then the files of pkg-template/ around the module, into pkg/.
// A module is built again only when something it is made of has changed.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check, main, step } from './lib/log.mjs'
import { cargoHome, root, target } from './lib/paths.mjs'
import { output, run } from './lib/run.mjs'
import { readToml } from './lib/settings.mjs'
import { sizesOf } from './lib/sizes.mjs'
import { setup } from './setup.mjs'

const pkg = join(root, 'pkg')

/** Builds every module that wasm-pack.toml lists, the package that holds them, and its tarball, with what `setup` found. */
export async function build({ settings, env }) {
  const folderOf = ({ name }) => join(target, 'wasm', name)
  for (const module of settings.build)
    await step(`wasm module "${module.name}"`, () => buildModule(folderOf(module), module, settings, env))
  const outputs = settings.build.map((module) => [module.name, join(folderOf(module), 'out')])
  await step('npm package pkg/', () => assemblePackage(Object.fromEntries(outputs)))
  await step('tarball', pack)
  for (const module of settings.build)
    await check(`size of "${module.name}"`, () =>
      sizesOf(join(folderOf(module), 'out', `${module.name}_bg.wasm`), module),
    )
}

async function buildModule(work, module, settings, env) {
  const stampFile = join(work, 'stamp')
  const stamp = await inputsOf(module, settings, env)
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return 'nothing changed'
  await rm(stampFile, { force: true })
  await writeManifest(work, module, settings)
  const out = join(work, 'out')
  const args = ['build', work, '--mode', 'no-install', '--target', 'web', '--release', '--no-pack']
  args.push('--out-dir', out, '--out-name', module.name, '--', '--locked')
  args.push('--no-default-features', '--features', module.features.join(','))
  await run('wasm-pack', ['--log-level', 'error', ...args], { env: { ...env, ...reproducible(module.rustflags) } })
  await writeFile(stampFile, stamp)
}

/** A digest of all that the module is made of. */
async function inputsOf(module, settings, env) {
  const made = [module, settings.tools, settings.profile, settings['wasm-opt']]
  const hash = createHash('sha256')
    .update(JSON.stringify(made))
    .update(output('rustc', ['-vV'], { env }))
  const sources = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true })
  const files = sources.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  files.push(join(root, 'Cargo.toml'), join(root, 'Cargo.lock'), fileURLToPath(import.meta.url))
  for (const file of files.sort()) hash.update(file.slice(root.length)).update(await readFile(file))
  return hash.digest('hex')
}

/**
 * Writes a manifest that builds nothing but the wasm module.
 * The crate is a library for Rust as well, and cargo turns LTO off, without a word, where an rlib is wanted too.
 * Dependencies stay as they are: so does the lock file.
 */
async function writeManifest(work, module, settings) {
  const { stringify } = await import('smol-toml')
  const manifest = await readToml('Cargo.toml')
  for (const kind of ['bin', 'example', 'test', 'bench']) delete manifest[kind]
  for (const field of ['readme', 'include']) delete manifest.package[field]
  Object.assign(manifest.package, { autobins: false, autoexamples: false, autotests: false, autobenches: false })
  const wasmOpt = module['wasm-opt'] ?? settings['wasm-opt'].args
  manifest.package.metadata = { 'wasm-pack': { profile: { release: { 'wasm-opt': wasmOpt } } } }
  manifest.lib = { ...manifest.lib, 'crate-type': ['cdylib'], path: join(root, 'src', 'lib.rs') }
  manifest.profile = { release: { ...settings.profile, ...module.profile } }
  manifest.workspace = {}
  await mkdir(work, { recursive: true })
  await writeFile(join(work, 'Cargo.toml'), stringify(manifest))
  await copyFile(join(root, 'Cargo.lock'), join(work, 'Cargo.lock'))
}

/** No path of this machine gets into a module: the same sources give the same bytes everywhere. */
function reproducible(own = []) {
  const folder = join(target, 'wasm')
  const shown = { [root]: '/konserve', [folder]: '/build', [cargoHome]: '/cargo' }
  const flags = Object.entries(shown)
    .map(([path, name]) => `--remap-path-prefix=${path}=${name}`)
    .concat(own)
  return { CARGO_TARGET_DIR: join(folder, 'build'), CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') }
}

async function assemblePackage(outputs) {
  const { assemble } = await import('../pkg-template/assemble.mjs')
  await assemble(outputs, pkg)
  return `${(await readdir(pkg)).length} entries`
}

/** Packs the package as npm would publish it, and lets the scripts and tests of this tree import it as `konserve`. */
async function pack() {
  const tarballs = join(root, 'target', 'npm')
  await rm(tarballs, { recursive: true, force: true })
  await mkdir(tarballs, { recursive: true })
  const packed = output('npm', ['pack', '--json', '--pack-destination', tarballs], { cwd: pkg })
  if (packed === undefined) throw new Error(`npm pack failed in pkg/: run it there to see why`)
  const link = join(root, 'node_modules', 'konserve')
  if (!existsSync(link)) await symlink(pkg, link, 'dir')
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(packed)
  return `target/npm/${filename}: ${entryCount} files, ${size} bytes, ${unpackedSize} unpacked`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main('The npm package is in pkg/, and packed in target/npm/', async () => build(await setup()))
}
