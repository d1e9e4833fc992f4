/** The command line of the benchmark. */
import { parseArgs } from 'node:util'

export const USAGE = `npm run bench -- [worlds] [options]

Worlds, all of them by default, which writes docs/benchmarks/:
  --node --chromium --firefox --native --size   these ones
  --browser                                     Chromium and Firefox

Options:
  --quick                few rounds and small stores: shows that it runs, not how fast it is
  --only NAMES           subjects whose names begin with one of these, and the baseline: --only konserve,dexie
  --workloads NAMES      workloads whose names begin with one of these: --workloads set-200B,get
  --rounds N --slice MS  how often, and for how long each time
  --keep                 write docs/benchmarks/ also after a part of it, or a quick run
  --render               render docs/benchmarks/ again from its numbers, without measuring`

const switches = ['node', 'chromium', 'firefox', 'native', 'size', 'browser', 'quick', 'keep', 'render', 'help']
const texts = ['only', 'workloads', 'rounds', 'slice']

/** What a quick run measures, unless it is told. */
const QUICK = ['set-200B', 'get-200B', 'update-200B-turn', 'batch', 'encode', 'decode', 'start', 'list', 'size']

/** What the arguments ask for. */
export function options(args) {
  const { values } = parseArgs({
    args,
    options: Object.fromEntries([
      ...switches.map((name) => [name, { type: 'boolean', default: false }]),
      ...texts.map((name) => [name, { type: 'string' }]),
    ]),
  })
  const named = ['node', 'chromium', 'firefox', 'native', 'size'].filter(
    (world) => values[world] || (values.browser && ['chromium', 'firefox'].includes(world)),
  )
  const part = named.length > 0 || values.only !== undefined || values.workloads !== undefined
  if (values.keep && values.only) throw new Error('--keep keeps whole tables: it does not go with --only')
  const prefixes = (text) => text?.split(',')
  return {
    ...values,
    worlds: named.length > 0 ? named : ['size', 'node', 'chromium', 'firefox', 'native'],
    wants: chooser(prefixes(values.workloads) ?? (values.quick ? QUICK : undefined)),
    takes: chooser(prefixes(values.only)),
    writes: values.keep || (!part && !values.quick),
    rounds: Number(values.rounds ?? (values.quick ? 2 : 9)),
    slice: Number(values.slice ?? (values.quick ? 10 : 60)),
  }
}

const chooser = (prefixes) => (name) =>
  prefixes === undefined || prefixes.some((prefix) => name === prefix || name.startsWith(prefix))
