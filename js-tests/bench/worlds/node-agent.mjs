/** The process of one subject: answers what the parent asks for. Its arguments: the subject's file, and a folder. */
import { mkdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { Agent } from '../agent.mjs'

const [, , file, folder] = process.argv
mkdirSync(folder, { recursive: true })
const subject = await import(pathToFileURL(file))
const agent = new Agent(subject, `${folder}/`)

process.on('message', async ({ id, method, args }) => {
  try {
    process.send({ id, answer: await agent[method](...args) })
  } catch (error) {
    process.send({ id, error: String(error.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit())
