// Programs from crates.io, built once per version into the cache.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { makeInCache } from './cache.mjs'
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
    await makeInCache(folder, (work) => install(name, version, work))
  }
  return join(folder, 'bin')
}

async function install(name, version, work) {
  // These tools run for seconds: without optimization they are built in a third of the time.
  const env = {
    ...process.env,
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
    CARGO_PROFILE_RELEASE_DEBUG: '0',
    CARGO_PROFILE_RELEASE_LTO: 'false',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
    CARGO_TARGET_DIR: join(work, 'target'),
  }
  const folder = join(work, 'tool')
  const args = ['install', '--quiet', '--no-track', '--root', folder, `${name}@${version}`, ...OPTIONS[name]]
  await runQuietly('cargo', args, { cwd: work, env })
  return folder
}
