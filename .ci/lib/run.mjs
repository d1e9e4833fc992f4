// Running other programs.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Runs a program and waits for it. Its output is shown as it comes; with `quiet`, only if the program fails. */
export async function run(program, args, options) {
  await transcript(program, args, options)
}

/** Runs a program as `run` does, and returns what it printed, standard error included. */
export function transcript(program, args, { cwd, env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks = []
    for (const name of ['stdout', 'stderr'])
      child[name].on('data', (chunk) => {
        chunks.push(chunk)
        if (!quiet) process[name].write(chunk)
      })
    child.on('error', (error) => reject(new Error(`${program} could not be started: ${error.message}`)))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(chunks).toString())
      if (quiet) process.stderr.write(Buffer.concat(chunks))
      reject(new Error(`"${[program, ...args].join(' ')}" ended with ${signal ?? `exit code ${code}`}`))
    })
  })
}

/** The trimmed standard output of a program, or undefined if it is missing or fails. */
export function output(program, args, { cwd, env = process.env } = {}) {
  const result = spawnSync(program, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 })
  return result.status === 0 ? result.stdout.trim() : undefined
}

/** Where PATH finds a program, or undefined. */
export function which(program) {
  const files = process.env.PATH.split(delimiter).map((folder) => join(folder, program))
  return files.find((file) => existsSync(file))
}
