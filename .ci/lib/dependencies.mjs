// The crates that this one depends on: their licences and sources, and known vulnerabilities.

import { delimiter } from 'node:path'
import { output, run } from './run.mjs'
import { ensureTool } from './tools.mjs'

/**
 * Checks all crates against deny.toml.
 * Advisories come from a database on a git host. Where that cannot be reached they are not checked, and the step says so.
 */
export async function checkDependencies(version) {
  const folder = await ensureTool('cargo-deny', version)
  const env = { ...process.env, PATH: folder + delimiter + process.env.PATH, GIT_TERMINAL_PROMPT: '0' }
  const deny = (...checks) => ['--all-features', '--log-level', 'error', 'check', '--hide-inclusion-graph', ...checks]
  await run('cargo-deny', deny('bans', 'licenses', 'sources'), { env })
  if (output('cargo-deny', ['fetch', 'db'], { env }) === undefined)
    return 'licences and sources; NOT advisories: their database cannot be reached from here'
  await run('cargo-deny', deny('--disable-fetch', 'advisories'), { env })
  return 'licences, sources and advisories'
}
