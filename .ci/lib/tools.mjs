// Programs from crates.io, built once per version into the cache.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { say } from './log.mjs'
import { cache } from './paths.mjs'
import { runQuietly } from './run.mjs'

/** How each tool is installed, beyond its name and version. */
const OPTIONS = {
  'wasm-pack': ['--locked'],
  'wasm-bindgen-cli': ['--no-default-features'], // no TLS: only its test runner would use it
  'cargo-deny': ['--locked'],
}

/** The folder that holds the programs of one tool; builds them if they are not there. */
export async function ensureTool(name, version) {
  const folder = join(cache, `${name}-${version}`)
  if (existsSync(folder)) {
    say(`${name} ${version}: in the cache`)
  } else {
    say(`${name} ${version}: building`)
    await install(name, version, folder)
  }
  return join(folder, 'bin')
}

async function install(name, version, folder) {
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'building-'))
  // These tools run for seconds: without optimization they are built in a third of the time.
  const env = {
    ...process.env,
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
    CARGO_PROFILE_RELEASE_DEBUG: '0',
    CARGO_PROFILE_RELEASE_LTO: 'false',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
    CARGO_TARGET_DIR: join(work, 'target'),
  }
  const args = ['install', '--quiet', '--no-track', '--root', join(work, 'tool'), `${name}@${version}`]
  try {
    await runQuietly('cargo', [...args, ...OPTIONS[name]], { cwd: work, env })
    await rename(join(work, 'tool'), folder)
  } finally {
    await rm(work, { recursive: true })
  }
}
