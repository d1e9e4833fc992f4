// The main job, on real data: MDN's browser compatibility data (npm package @mdn/browser-compat-data, licence CC0-1.0),
// about 21,000 documents and 20 MB, goes into a folder through the npm package, is read and updated there,
// is read and written by the native program `konserve`, and is opened here again.
//
//   npm run quickstart                                      builds all that this needs, and runs it
//   node examples/browser-compat.mjs <folder> <konserve>    only this; a store in the folder is deleted first

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { connectStore, createStore, deleteStore, storeExists } from 'konserve'
import { progressBar } from './progress-bar.mjs'

const AT_ONCE = 64
const UPDATES = 1000
const GRID = 'css.properties.grid'

const count = (n) => n.toLocaleString('en-US')
const rate = (n, since) => {
  const seconds = (performance.now() - since) / 1000
  return `${seconds.toFixed(1)} s, ${count(Math.round(n / seconds))} a second`
}

/** Every feature of the data: its dotted name and its document. */
function* features(tree, path = []) {
  for (const [name, branch] of Object.entries(tree)) {
    if (name === '__compat') yield [path.join('.'), branch]
    else if (name !== '__meta' && branch !== null && typeof branch === 'object')
      yield* features(branch, [...path, name])
  }
}

/** Calls `work` for every item, AT_ONCE at a time. */
async function forEach(items, work) {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function fill(store, documents) {
  const since = performance.now()
  const tick = progressBar(documents.length)
  await forEach(documents, async ([name, document]) => {
    await store.assoc(name, document)
    tick()
  })
  console.log(`  ${count(documents.length)} documents written: ${rate(documents.length, since)}`)
}

async function read(store, documents) {
  const since = performance.now()
  let supported = 0
  await forEach(documents, async ([name, document]) => {
    const version = await store.getIn([name, 'support', 'firefox', 'version_added'])
    assert.deepEqual(version, document.support.firefox?.version_added)
    if (version) supported += 1
  })
  console.log(`  a nested path of each, the same as in the source: ${rate(documents.length, since)}`)
  console.log(`  Firefox supports ${count(supported)} of them; ${GRID} since:`)
  console.log(`  ${JSON.stringify(await store.getIn([GRID, 'support', 'firefox']))}`)
}

async function update(store) {
  const since = performance.now()
  await Promise.all(Array.from({ length: UPDATES }, () => store.updateIn([GRID, 'visits'], (n = 0) => n + 1)))
  assert.equal(await store.getIn([GRID, 'visits']), UPDATES)
  console.log(`  ${count(UPDATES)} increments of one number at once, none lost: ${rate(UPDATES, since)}`)
}

async function list(store, expected) {
  const since = performance.now()
  const keys = await store.keys().toArray()
  assert.equal(keys.length, expected)
  console.log(`  ${count(keys.length)} keys listed: ${rate(keys.length, since)}`)
  const css = await store.keys({ prefix: 'css.' }).toArray()
  console.log(`  ${count(css.length)} of them start with "css."`)
}

/** The native program counts the keys, reads a nested path and writes a value. */
function useNative(program, folder, expected) {
  const konserve = (...args) => {
    console.log(`  $ konserve ${args.join(' ')}`)
    return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 }).trim()
  }
  const keys = konserve('ls', folder, '--json').split('\n')
  assert.equal(keys.length, expected)
  console.log(`  ${count(keys.length)} keys`)
  const visits = konserve('get', folder, GRID, 'visits')
  assert.equal(Number(visits), UPDATES)
  console.log(`  ${visits}`)
  konserve('put', folder, 'checked', '{"by": "konserve", "language": "Rust"}')
}

const [folder, program] = process.argv.slice(2)
const data = createRequire(import.meta.url)('@mdn/browser-compat-data')
const documents = [...features(data)]
const config = { backend: 'file', path: folder }
console.log(`MDN browser compatibility data ${data.__meta.version}: ${count(documents.length)} documents`)
if (await storeExists(config)) await deleteStore(config)

console.log(`\nA new store in ${folder}, by Node`)
const store = await createStore(config)
await fill(store, documents)
await read(store, documents)
await update(store)
await list(store, documents.length)
await store.close()

console.log('\nThe same folder, by the native program')
useNative(program, folder, documents.length)

console.log('\nThe same folder, by Node again')
const again = await connectStore(config)
assert.deepEqual(await again.get('checked'), { by: 'konserve', language: 'Rust' })
assert.equal(await again.getIn([GRID, 'visits']), UPDATES)
console.log('  what the native program wrote is there')
await list(again, documents.length + 1)
await again.close()
console.log(
  `\nDone: ${count(documents.length)} documents written, read, updated and listed; Node and Rust agree on them.`,
)
