/** Programs that tests run and wait for. */
import { spawn } from 'node:child_process'

/**
 * Runs a program to its end and returns what it printed to standard output.
 * Rejects, with all it printed, when it exits with another status than 0 or takes longer than `timeout` ms.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: object, timeout?: number }} [options] `env` is added to this process's own.
 * @returns {Promise<string>}
 */
export function run(program, args, { cwd, env = {}, timeout = 300_000 } = {}) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout,
  })
  const printed = { out: '', all: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => ((printed.out += text), (printed.all += text)))
  child.stderr.setEncoding('utf8').on('data', (text) => (printed.all += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => {
      if (status === 0) resolve(printed.out)
      else reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? status}:\n${printed.all}`))
    })
  })
}

/**
 * Starts a program that stays, and waits until a line of its output matches `ready`.
 *
 * @returns {Promise<{ match: RegExpMatchArray, stop: () => Promise<void> }>} `stop` ends it and waits until it has.
 */
export function start(program, args, ready, { cwd, env = {}, timeout = 300_000 } = {}) {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const stop = () => (child.kill(), ended)
  return new Promise((resolve, reject) => {
    let text = ''
    const fail = (reason) => (stop(), reject(new Error(`${program} ${args.join(' ')} ${reason}:\n${text}`)))
    const timer = setTimeout(fail, timeout, `did not get ready in ${timeout} ms`)
    const look = (chunk) => {
      text += chunk
      const match = text.match(ready)
      if (match) resolve({ match, stop: (clearTimeout(timer), stop) })
    }
    child.stdout.setEncoding('utf8').on('data', look)
    child.stderr.setEncoding('utf8').on('data', look)
    child.on('error', reject)
    child.once('close', (status) => (clearTimeout(timer), fail(`ended early with ${status}`)))
  })
}
