/**
 * Measures konserve beside what else one would take, and writes docs/benchmarks/. `npm run bench -- --help` says how.
 *
 * Each world gives sections: `{ id, title, unit, better: 'more' | 'less', baseline, rows }`. A row is what one subject did:
 * `{ subject, title, samples, against?, note? }`, a sample for each round, in the section's unit; `against` is the subject
 * that it is compared with instead of the baseline.
 */
import { options, USAGE } from './options.mjs'

const given = options(process.argv.slice(2))
if (given.help) {
  console.log(USAGE)
} else if (given.render) {
  const { render } = await import('./report/report.mjs')
  await render()
} else {
  const { prepare } = await import('./peers.mjs')
  await prepare()
  const { run } = await import('./run.mjs')
  await run(given)
}
