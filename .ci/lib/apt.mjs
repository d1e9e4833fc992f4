// Packages of a Debian system.

import { say } from './log.mjs'
import { run, runQuietly, which } from './run.mjs'

let updated = false

/** Installs Debian packages: as root directly, else with sudo and a word about it. */
export async function aptInstall(packages, reason) {
  const manual = `install what provides ${packages.join(', ')} yourself and run this again`
  if (!which('apt-get')) throw new Error(`${reason}, and there is no apt-get here: ${manual}`)
  const isRoot = process.getuid() === 0
  if (!isRoot && !which('sudo')) throw new Error(`${reason}, and this is neither root nor is there sudo: ${manual}`)
  say(`${reason}: ${isRoot ? '' : 'sudo '}apt-get install ${packages.join(' ')}`)
  const apt = (...args) => {
    const command = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...args]
    if (!isRoot) command.unshift('sudo')
    return (isRoot ? runQuietly : run)(command[0], command.slice(1))
  }
  if (!updated) await apt('update')
  updated = true
  await apt('install', '-y', '--no-install-recommends', ...packages)
}
