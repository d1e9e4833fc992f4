/**
 * What is measured, the same in Node and in browsers. A workload has an `id`, a `title`, what a subject `needs` to take part,
 * `prepare(store)`, which gives what `run(store, count, prepared)` needs to do the operation `count` times. `per` says of
 * what the count is a multiple, `many` how many operations one of them is.
 */
import { binary, numbers, sizedDocument, zipf } from './documents.mjs'

const AT_ONCE = 64
/** So many keys are written and read in turn: no store grows while it is measured. */
const KEYS = 512
const BATCH = 1000

/** A subject's answer is awaited only if it is a promise: those that never wait are not made to. */
export const settled = (answer) =>
  answer instanceof Promise || typeof answer?.then === 'function' ? answer : undefined

const inTurn = async (count, act) => {
  for (let n = 0; n < count; n++) {
    const waiting = settled(act(n))
    if (waiting) await waiting
  }
}
const atOnce = async (count, act) => {
  for (let n = 0; n < count; n += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - n) }, (_, at) => act(n + at)))
  }
}

const keyOf = (size) => (n) => `${size}-${n % KEYS}`
const counted = (value) => ({ ...value, count: (value.count ?? 0) + 1 })

const filled = new WeakMap()

/** Keys with documents of this size, and the documents. They are made, and put into a store, once. */
async function documents(store, size) {
  const sizes = filled.get(store) ?? filled.set(store, {}).get(store)
  return (sizes[size] ??= await fill(store, size))
}

async function fill(store, size) {
  const values = Array.from({ length: KEYS }, (_, n) => sizedDocument(size, n))
  const key = keyOf(size)
  await atOnce(KEYS, (n) => store.set(key(n), values[n]))
  return { key, value: (n) => values[(n + 1) % KEYS] }
}

const SIZES = [
  ['200B', '200 bytes'],
  ['10K', '10 KiB'],
]
const WAYS = [
  ['turn', 'one after another', inTurn, 1],
  ['once', '64 at once', atOnce, AT_ONCE],
]
const VERBS = [
  [
    'set',
    (store, { key, value }) =>
      (n) =>
        store.set(key(n), value(n)),
  ],
  [
    'get',
    (store, { key }) =>
      (n) =>
        store.get(key(n)),
  ],
  [
    'update',
    (store, { key }) =>
      (n) =>
        store.update(key(n), counted),
  ],
]

const documentWorkloads = SIZES.flatMap(([size, bytes]) =>
  WAYS.flatMap(([way, how, loop, per]) =>
    VERBS.map(([verb, act]) => ({
      id: `${verb}-${size}-${way}`,
      title: `${verb}, ${bytes}, ${how}${verb === 'update' && way === 'once' ? ', different keys' : ''}`,
      needs: [],
      waits: way === 'once',
      per,
      prepare: (store) => documents(store, size),
      run: (store, count, prepared) => loop(count, act(store, prepared)),
    })),
  ),
)

const updateOneKey = {
  id: 'update-200B-once-one',
  title: 'update, 200 bytes, 64 at once, one key',
  needs: [],
  waits: true,
  per: AT_ONCE,
  prepare: (store) => store.set('one', sizedDocument('200B', 1)),
  run: (store, count) => atOnce(count, () => store.update('one', counted)),
}

const mixed = {
  id: 'mixed',
  title: '95 of 100 get, 5 set, keys by Zipf, 200 bytes, one after another',
  needs: [],
  async prepare(store) {
    const { key, value } = await documents(store, '200B')
    const random = numbers(11)
    return { key, value, order: zipf(KEYS, 8192), writes: Array.from({ length: 8192 }, () => random() < 0.05) }
  },
  run: (store, count, { key, value, order, writes }) =>
    inTurn(count, (n) => {
      const at = n % order.length
      return writes[at] ? store.set(key(order[at]), value(n)) : store.get(key(order[at]))
    }),
}

const getIn = {
  id: 'getin-1M',
  title: 'getIn of a text in a document of 1 MiB',
  needs: [],
  prepare: (store) => store.set('large', sizedDocument('1M', 0)),
  run: (store, count) => inTurn(count, (n) => store.getIn(['large', 'people', (n * 997) % 5200, 'address', 'city'])),
}

const getLarge = {
  id: 'get-1M',
  title: 'get of a document of 1 MiB',
  needs: [],
  prepare: (store) => store.set('large', sizedDocument('1M', 0)),
  run: (store, count) => inTurn(count, () => store.get('large')),
}

const batches = {
  id: 'batch-1000',
  title: 'batches of 1,000 documents of 200 bytes, documents',
  needs: ['batch'],
  many: BATCH,
  prepare: () => Array.from({ length: BATCH }, (_, n) => [`batch-${n}`, sizedDocument('200B', n)]),
  run: (store, count, entries) => inTurn(count, () => store.batch(entries)),
}

const append = {
  id: 'append',
  title: 'append of 200 bytes to a log, one after another',
  needs: ['append'],
  prepare: () => sizedDocument('200B', 3),
  run: (store, count, element) => inTurn(count, () => store.append('log', element)),
}

const bytesWorkloads = [
  ['write', (store, bytes) => () => store.setBytes('binary', bytes)],
  ['read', (store) => () => store.getBytes('binary')],
].map(([way, act]) => ({
  id: `binary-${way}`,
  title: `${way} of a binary of 10 MiB`,
  needs: ['setBytes', 'getBytes'],
  async prepare(store) {
    const bytes = binary()
    await store.setBytes('binary', bytes)
    return bytes
  },
  run: (store, count, bytes) => inTurn(count, act(store, bytes)),
}))

/** The way of a value to bytes and back, alone. */
const boundary = SIZES.flatMap(([size, bytes]) =>
  ['encode', 'decode'].map((verb) => ({
    id: `${verb}-${size}`,
    title: `${verb} a document of ${bytes}`,
    needs: ['encode'],
    baseline: 'codec-json',
    prepare: (store) => (verb === 'encode' ? sizedDocument(size, 1) : store.encode(sizedDocument(size, 1))),
    run(store, count, given) {
      for (let n = 0; n < count; n++) store[verb](given)
    },
  })),
)

export const workloads = [
  ...documentWorkloads,
  updateOneKey,
  mixed,
  getLarge,
  getIn,
  batches,
  append,
  ...bytesWorkloads,
  ...boundary,
]

/** The key of one of the many documents of a large store. */
export const manyKey = (n) => `many-${n}`

/** What is done to stores of many keys, any of them in turn. `prepare` gets how many there are. */
export const large = [
  {
    id: 'flat-get',
    title: 'get, 200 bytes, one after another, of so many keys',
    prepare: (_, keys) => Array.from({ length: 4096 }, numbers(3)).map((part) => manyKey(Math.floor(part * keys))),
    run: (store, count, keys) => inTurn(count, (n) => store.get(keys[n % keys.length])),
  },
  {
    id: 'flat-set',
    title: 'set, 200 bytes, one after another, of so many keys',
    prepare: (_, keys) => ({
      keys: Array.from({ length: 4096 }, numbers(5)).map((part) => manyKey(Math.floor(part * keys))),
      value: sizedDocument('200B', 9),
    }),
    run: (store, count, { keys, value }) => inTurn(count, (n) => store.set(keys[n % keys.length], value)),
  },
  {
    id: 'list',
    title: 'list the keys',
    prepare() {},
    run: (store, count) => inTurn(count, () => store.keys()),
  },
]

export const workloadOf = (id) => [...workloads, ...large].find((workload) => workload.id === id)
