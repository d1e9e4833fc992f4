/** The process of one subject: answers what the parent asks for. Its arguments: the subject's file, and a folder. */
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Agent } from '../agent.mjs'

const [, , file, folder] = process.argv
mkdirSync(folder, { recursive: true })
const subject = await import(pathToFileURL(file))
const agent = new Agent(subject, { memory, stored }, `${folder}/`)

process.on('message', async ({ id, method, args }) => {
  try {
    process.send({ id, answer: await agent[method](...args) })
  } catch (error) {
    process.send({ id, error: String(error.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit())

/** What the process has, after what it does not need was collected. */
function memory() {
  globalThis.gc()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { process: rss, heap: heapUsed + external }
}

/** The blocks of all files in a folder, in bytes. */
function stored(folder) {
  const names = readdirSync(folder, { recursive: true })
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0)
}
