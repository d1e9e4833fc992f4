// Moves a store with one large binary: `node large-move.mjs <folder> <MiB>`. Prints by how many MiB its memory grew.

import assert from 'node:assert/strict'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { pipeline } from 'node:stream/promises'
import { createStore } from 'konserve'

const [, , folder, mib] = process.argv
const open = (name) => createStore({ path: join(folder, name), syncBlob: false })
const mebibyte = (n) => new Uint8Array(2 ** 20).fill(n)

async function* large() {
  for (let n = 0; n < Number(mib); n++) yield mebibyte(n)
}

// What loads and compiles is no growth.
const warm = await open('warm')
await warm.bassoc('k', mebibyte(1))
await (await open('warm copy')).import(warm.export())

const from = await open('from')
await from.bassoc('k', large())
const before = process.memoryUsage().rss
let highest = before
const watching = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 5)

await pipeline(from.export(), createWriteStream(join(folder, 'export')))
const to = await open('to')
assert.deepEqual(await to.import(createReadStream(join(folder, 'export'))), { imported: 1, skipped: 0 })
const copy = await open('copy')
assert.equal(await to.copyTo(copy), 1)
assert.deepEqual(await copy.verify(), { checked: 1, corrupt: [], orphans: [] })

clearInterval(watching)
assert.deepEqual(await copy.getMeta('k'), await from.getMeta('k'))
for (const store of [from, to, copy]) await store.close()
console.log(JSON.stringify({ grown: (highest - before) / 2 ** 20 }))
