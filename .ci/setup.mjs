// Installs what the build needs and this machine does not have. What is there already is left alone.
// Node's own modules only, until `npm ci` has run.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { main, step } from './lib/log.mjs'
import { npmPrograms, root } from './lib/paths.mjs'
import { runQuietly } from './lib/run.mjs'
import { ensureRust } from './lib/rust.mjs'
import { readSettings } from './lib/settings.mjs'
import { ensureTool } from './lib/tools.mjs'
import { ensureWasmTarget } from './lib/wasm-target.mjs'

/**
 * Runs all steps of the setup.
 * Returns the settings, and the environment in which wasm-pack finds its tools and a Rust that builds for wasm.
 */
export async function setup() {
  let settings, env
  const folders = []
  await step('Rust', ensureRust)
  await step('npm packages of package-lock.json', () => installNpmPackages(root))
  await step('Rust target wasm32-unknown-unknown', async () => {
    settings = await readSettings()
    env = await ensureWasmTarget()
  })
  await step('wasm-pack and wasm-bindgen', async () => {
    for (const name of ['wasm-pack', 'wasm-bindgen-cli']) folders.push(await ensureTool(name, settings.tools[name]))
  })
  return { settings, env: { ...env, PATH: [...folders, npmPrograms, env.PATH].join(':') } }
}

/** `npm ci` in a folder, unless the packages that are there were installed from this very lock file. */
export async function installNpmPackages(folder) {
  const stampFile = join(folder, 'node_modules', '.konserve-stamp')
  const lock = await readFile(join(folder, 'package-lock.json'))
  const stamp = createHash('sha256').update(lock).update(process.version).digest('hex')
  if ((await readFile(stampFile, 'utf8').catch(() => '')) === stamp) return 'installed already'
  await runQuietly('npm', ['ci'], { cwd: folder })
  await writeFile(stampFile, stamp)
  return 'installed'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main('The build can start: npm run build', setup)
}
