/**
 * Native code, measured by the package in benches/native: it makes the alternating rounds itself, and prints each section as a
 * line of JSON. Cargo builds it first, which takes some minutes the first time.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../benches/native/', import.meta.url))
const BENCH = ['bench', '--quiet', '--locked', '--bench', 'store']
/** What a quick run measures, unless it is told. */
const QUICK = ['get-bytes', 'get-value', 'set', 'mixed', 'batch-1000', 'getin-1M', 'list-1000']

/** The sections, in the form that bench.mjs tells, and what they were measured with. */
export async function benchNative(options) {
  const there = await lines(quickly(options, ['--list']))
  const wanted = there.filter(({ id }) => wants(options, id))
  if (wanted.length === 0) return []
  const subjects = [...new Set(wanted.flatMap(({ subjects }) => subjects))].filter((name) => takes(options, name))
  const { rounds, slice } = options
  const asked = ['--rounds', rounds, '--slice', slice, '--sections', ids(wanted), '--subjects', subjects.join(',')]
  return { about: await about(), sections: await lines(quickly(options, asked.map(String))) }
}

const quickly = ({ quick }, args) => (quick ? [...args, '--quick'] : args)
const ids = (sections) => sections.map(({ id }) => id).join(',')
const takes = ({ takes }, name) => takes === undefined || takes(name)
const wants = ({ quick, workloads, wants }, id) => (quick && !workloads ? QUICK.includes(id) : !wants || wants(id))

/** Each line that the program prints, as JSON. */
async function lines(args) {
  const found = []
  for await (const line of printed('cargo', [...BENCH, '--', ...args])) {
    if (line.startsWith('{')) found.push(JSON.parse(line))
  }
  return found
}

async function about() {
  for await (const version of printed('rustc', ['--version'])) return { Rust: version.split(' ')[1] }
}

/** The lines of a program's output; its errors are shown. Rejects if it fails. */
async function* printed(program, args) {
  const child = spawn(program, args, { cwd: FOLDER, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  ended.catch(() => {}) // told below
  yield* createInterface({ input: child.stdout })
  const code = await ended
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`)
}
