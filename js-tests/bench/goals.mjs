/** What is wanted, as numbers: each goal is a ratio or a value of one run, at least or at most so much. */
import { median, quantile, ratios } from './stats.mjs'

const SEQUENTIAL = 'one after another'

/** Reads what a world measured; `undefined` where it did not. */
class Found {
  constructor(world) {
    this.sections = world?.sections ?? []
  }

  row(id, subject) {
    const section = this.sections.find((one) => one.id === id)
    return section?.rows.find((row) => row.subject === subject)
  }

  /** How many times better a subject is than another one, in each round. */
  ratios(id, subject, other) {
    const [row, base] = [this.row(id, subject), this.row(id, other)]
    const { better } = this.sections.find((one) => one.id === id) ?? {}
    return row && base && ratios(row.samples, base.samples, better)
  }

  ratio(id, subject, other) {
    const found = this.ratios(id, subject, other)
    return found && median(found)
  }

  /** The ratio in the better rounds: what is below 1 even there is no noise. */
  ratioAtBest(id, subject, other) {
    const found = this.ratios(id, subject, other)
    return found && quantile(found, 0.75)
  }

  value(id, subject) {
    const row = this.row(id, subject)
    return row && median(row.samples)
  }

  /** The worst ratio of a subject to another one, of these sections that there are. */
  worst(ids, subject, other) {
    const all = ids.map((id) => this.ratio(id, subject, other)).filter((ratio) => ratio !== undefined)
    return all.length > 0 ? Math.min(...all) : undefined
  }

  /** The worst ratio of a subject with the most keys to itself with the fewest. */
  flat(subject) {
    const all = ['flat-get', 'flat-set'].map((id) => {
      const rows = this.sections.find((one) => one.id === id)?.rows ?? []
      const sizes = rows.filter((row) => row.subject.startsWith(`${subject}@`)).map((row) => row.subject)
      return sizes.length > 1 ? this.ratio(id, sizes.at(-1), sizes[0]) : undefined
    })
    return all.includes(undefined) ? undefined : Math.min(...all)
  }
}

const turns = (way) =>
  ['set', 'get', 'update'].flatMap((verb) => ['200B', '10K'].map((size) => `${verb}-${size}-${way}`))
/** Without what only one of two promises. */
const OPERATIONS = [...turns('turn'), ...turns('once'), 'mixed', 'get-1M', 'binary-write', 'binary-read']
const goal = (world, what, sign, wanted, measure) => ({ world, what, sign, wanted, measure })
const least = (world, what, wanted, measure) => goal(world, what, '≥', wanted, measure)
const most = (world, what, wanted, measure) => goal(world, what, '≤', wanted, measure)

/** Both browsers have the same table. */
const browser = (world) => [
  ...[
    ['set', 0.95],
    ['update', 0.9],
    ['get', 0.9],
  ].flatMap(([verb, wanted]) =>
    ['200B', '10K'].map((size) =>
      least(world, `${verb} ${size}, ${SEQUENTIAL}, to raw IndexedDB`, wanted, (found) =>
        found.ratio(`${verb}-${size}-turn`, 'konserve', 'raw-relaxed'),
      ),
    ),
  ),
  least(world, `the worst of set, get, update ${SEQUENTIAL} to idb-keyval, upper quartile`, 1, (found) =>
    Math.min(
      ...['set', 'get', 'update'].flatMap((verb) =>
        ['200B', '10K'].map((size) => found.ratioAtBest(`${verb}-${size}-turn`, 'konserve', 'idb-keyval')),
      ),
    ),
  ),
  ...[
    ['set-200B-once', 'set, 64 at once', 5],
    ['update-200B-once', 'update, 64 at once, different keys', 4.5],
    ['update-200B-once-one', 'update, 64 at once, one key', 10],
    ['get-200B-once', 'get, 64 at once', 2],
  ].map(([id, what, wanted]) =>
    least(world, `${what}, to idb-keyval`, wanted, (found) => found.ratio(id, 'konserve', 'idb-keyval')),
  ),
  least(world, 'batches of 1,000, to Dexie', 1, (found) => found.ratio('batch-1000', 'konserve', 'dexie')),
  least(world, 'listing 10,000 keys with 10 KiB each, to raw heads', 1 / 1.5, (found) =>
    found.ratio('list-10K', 'konserve', 'raw-heads'),
  ),
  least(world, 'listing 10,000 keys with 10 KiB each, to a cursor', 6, (found) =>
    found.ratio('list-10K', 'konserve', 'raw-cursor'),
  ),
  least(world, 'set and get with the most keys, to the fewest', 1 / 1.5, (found) => found.flat('konserve')),
]

const files = (ours, raw, name) => [
  least('node', `the worst of set, get, update ${SEQUENTIAL}, ${name}, to raw fs`, 1 / 1.25, (found) =>
    found.worst(turns('turn'), ours, raw),
  ),
  least('node', `the worst of set, get, update 64 at once, ${name}, to raw fs`, 1 / 1.15, (found) =>
    found.worst(turns('once'), ours, raw),
  ),
]
const boundary = (world) => [
  least(world, 'encoding 10 KiB, to JSON.stringify', 1 / 2, (found) =>
    found.ratio('encode-10K', 'codec-konserve', 'codec-json'),
  ),
  least(world, 'decoding 10 KiB, to JSON.parse', 1 / 3.5, (found) =>
    found.ratio('decode-10K', 'codec-konserve', 'codec-json'),
  ),
  least(world, 'the worst of encoding and decoding 10 KiB, to JSON through wasm memory', 1, (found) =>
    found.worst(['encode-10K', 'decode-10K'], 'codec-konserve', 'codec-json-wasm'),
  ),
  least(world, 'encoding 200 bytes, to JSON.stringify', 3.6 / 3, (found) =>
    found.ratio('encode-200B', 'codec-konserve', 'codec-json'),
  ),
  least(world, 'decoding 200 bytes, to JSON.stringify', 3.6 / 4, (found) =>
    quotient(found.value('decode-200B', 'codec-konserve'), found.value('encode-200B', 'codec-json')),
  ),
]

const quotient = (a, b) => (a === undefined || b === undefined ? undefined : a / b)

const memory = [
  ['konserve-memory', 120_000],
  ['konserve-memory-sync-view', 150_000],
].flatMap(([subject, wanted]) =>
  ['get', 'set'].map((verb) =>
    least('node', `${verb} 200B a second, ${subject}`, wanted, (found) => found.value(`${verb}-200B-turn`, subject)),
  ),
)

export const goals = [
  ...browser('chromium'),
  ...browser('firefox'),
  least('firefox', 'the worst of all operations, to raw IndexedDB', 1 / 1.25, (found) =>
    found.worst([...OPERATIONS, 'update-200B-once-one', 'batch-1000', 'append'], 'konserve', 'raw-relaxed'),
  ),
  ...files('konserve-files', 'raw-fs', 'without fsync'),
  ...files('konserve-files-fsync', 'raw-fs-fsync', 'with fsync'),
  least('node', 'the worst of all operations, to unstorage', 1, (found) =>
    found.worst(OPERATIONS, 'konserve-files', 'unstorage'),
  ),
  least('node', 'batches of 1,000, to unstorage, whose may be torn', 1, (found) =>
    found.ratio('batch-1000', 'konserve-files', 'unstorage'),
  ),
  least('node', 'set 200B, 64 at once, with fsync, to raw fs with fsync', 3, (found) =>
    found.ratio('set-200B-once', 'konserve-files-fsync', 'raw-fs-fsync'),
  ),
  ...memory,
  ...['konserve-files', 'konserve-memory', 'konserve-encrypted', 'konserve-tiered'].map((subject) =>
    least('node', `set and get with the most keys, to the fewest, ${subject}`, 1 / 1.5, (found) => found.flat(subject)),
  ),
  least('node', 'getIn of a small part of 1 MiB, to get of all of it', 10, (found) =>
    quotient(found.value('getin-1M', 'konserve-memory'), found.value('get-1M', 'konserve-memory')),
  ),
  ...boundary('node'),
  ...boundary('chromium'),
  most('node', 'ms from import to first value', 20, (found) => found.value('start', 'konserve-files')),
  most('node', 'ms from import to first value, more than with an empty wasm module', 10, (found) => {
    const [ours, empty] = ['konserve-files', 'empty-wasm'].map((subject) => found.value('start', subject))
    return ours === undefined || empty === undefined ? undefined : ours - empty
  }),
  most('size', 'KiB with brotli that a web app loads for its first value', 90, (found) =>
    found.value('size-brotli', 'konserve'),
  ),
  least('native', 'get of encoded bytes a second, memory', 1_000_000, (found) =>
    found.value('get-bytes', 'konserve-memory'),
  ),
  least('native', 'get of values a second, memory', 500_000, (found) => found.value('get-value', 'konserve-memory')),
]

/** Each goal with what the worlds measured: `met` is `undefined` where that was nothing. */
export function judged(worlds, all = goals) {
  return all.map(({ measure, ...goal }) => {
    const found = measure(new Found(worlds.find(({ id }) => id === goal.world)))
    const measured = Number.isFinite(found) ? found : undefined
    if (measured === undefined) return { ...goal, measured }
    return { ...goal, measured, met: goal.sign === '≥' ? measured >= goal.wanted : measured <= goal.wanted }
  })
}
