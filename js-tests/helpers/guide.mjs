/** The programs in the guides of docs/: each block of JavaScript that imports something is a whole one. */
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { run } from './process.mjs'

const docs = new URL('../../docs/', import.meta.url)

/**
 * Runs the programs of a guide.
 *
 * @returns {Promise<{ printed: string[], promised: string[] }[]>} of each the lines that it printed, and those that its
 *   comments promise
 */
export async function runGuide(name) {
  const guide = await readFile(new URL(name, docs), 'utf8')
  const programs = [...guide.matchAll(/^```js\n([^]*?)^```/gm)].map(([, program]) => program)
  return Promise.all(programs.filter((program) => /^import /m.test(program)).map(runProgram))
}

async function runProgram(program) {
  const printed = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: fileURLToPath(docs) })
  const promised = [...program.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, line]) => line)
  return { printed: printed.split('\n').filter((line) => line !== ''), promised }
}
