// Running other programs, in the top folder of the source tree unless `cwd` says otherwise.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './paths.mjs'

/** Runs a program in the terminal and waits for it. */
export async function run(program, args, options = {}) {
  await ended(spawn(program, args, { cwd: root, ...options, stdio: 'inherit' }))
}

/** Runs a program, shows what it prints only if it fails. */
export async function runQuietly(program, args, options = {}) {
  const child = spawn(program, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk))
  await ended(child).catch((error) => {
    process.stderr.write(Buffer.concat(chunks))
    throw error
  })
}

/** How much of what a failed program printed its error repeats, in lines. */
const LAST = 60

/** Runs a program, shows what it prints, and returns its standard output. */
export async function transcript(program, args, options = {}) {
  const child = spawn(program, args, { cwd: root, ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk) && process.stdout.write(chunk))
  const printed = () => Buffer.concat(chunks).toString()
  await ended(child).catch((error) => {
    throw new Error(`${error.message}; at its end it printed\n${printed().split('\n').slice(-LAST).join('\n')}`)
  })
  return printed()
}

function ended(child) {
  const command = child.spawnargs.join(' ')
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`"${command}" could not be started: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`"${command}" ended with ${signal ?? `exit code ${code}`}`))
    })
  })
}

/** The trimmed standard output of a program, or undefined if it is missing or fails. */
export function output(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, ...options, encoding: 'utf8', maxBuffer: 1 << 28 })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/** Where PATH finds a program, or undefined. */
export function which(program) {
  const files = process.env.PATH.split(delimiter).map((folder) => join(folder, program))
  return files.find((file) => existsSync(file))
}
