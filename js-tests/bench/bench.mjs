/**
 * Measures konserve beside what else one would take, and writes docs/benchmarks/. `npm run bench -- --help` says how.
 */
import { options, USAGE } from './options.mjs'
import { prepare } from './peers.mjs'

const given = options(process.argv.slice(2))
if (given.help) {
  console.log(USAGE)
  process.exit()
}
await prepare()
const { run } = await import('./run.mjs')
await run(given)
