/** Node: each subject is in a process of its own, for the whole run. */
import { fork } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../helpers/process.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const [AGENT, STARTUP] = [here('./node-agent.mjs'), here('./node-startup.mjs')]
const SUBJECTS = new URL('../subjects/node/', import.meta.url)

/** The Node that runs this, as a world: `names` of its subjects, and `agent(name)`, which starts one. */
export async function nodeWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'konserve-bench-'))
  return {
    id: 'node',
    title: 'Node',
    baseline: 'raw-fs',
    about: { Node: process.versions.node },
    names: (await readdir(SUBJECTS)).map((file) => file.replace('.mjs', '')),
    agent: (name) => start(name, folder),
    startup: ({ name }) => startup(name, folder),
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

const fileOf = (name) => fileURLToPath(new URL(`${name}.mjs`, SUBJECTS))

const startup = async (name, folder) =>
  Number(await run(process.execPath, [STARTUP, fileOf(name), join(folder, name, 'start')]))

async function start(name, folder) {
  const child = fork(AGENT, [fileOf(name), join(folder, name)], { execArgv: ['--expose-gc'] })
  const waiting = new Map()
  let asked = 0
  const end = (error) => waiting.forEach(({ reject }) => reject(error))
  child.on('message', ({ id, answer, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(answer)
    else reject(new Error(`${name}: ${error}`))
  })
  child.on('exit', (status, signal) => end(new Error(`${name} ended with ${signal ?? status}`)))
  const call = (method, ...args) =>
    new Promise((resolve, reject) => {
      const id = asked++
      waiting.set(id, { resolve, reject })
      child.send({ id, method, args })
    })
  const about = await call('about')
  return { name, ...about, call, close: () => child.kill() }
}
