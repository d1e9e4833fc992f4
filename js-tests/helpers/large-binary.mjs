// Streams a binary of so many MiB into a file store and out of it again, and prints by how many MiB this program grew
// meanwhile: `node large-binary.mjs <folder> <MiB>`.

import process from 'node:process'
import { openStore } from 'konserve'

const MIB = 2 ** 20
const [path, mib] = process.argv.slice(2)
const store = await openStore({ path, syncBlob: false })

/** Every chunk is a new one, as those of files and sockets are. */
async function* chunks(count) {
  for (let n = 0; n < count; n++) yield new Uint8Array(64 * 1024).fill(n)
}

/** The number of bytes, each of which is the one that was written. */
async function read({ stream, size }) {
  let at = 0
  for await (const piece of stream) {
    if (!piece.every((byte, n) => byte === (Math.floor((at + n) / 65536) & 255))) throw new Error(`wrong near ${at}`)
    at += piece.length
  }
  return at === size ? size : NaN
}

async function through(key, size) {
  await store.bassoc(key, chunks(size * 16))
  const found = await store.bget(key, read)
  if (found !== size * MIB) throw new Error(`${found} bytes came back of ${size} MiB`)
}

// What any program needs that streams at all is not counted.
await through('small', 4)
const before = process.memoryUsage().rss
let most = before
const sampling = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5)
await through('large', Number(mib))
const part = await store.bget('large', { start: -5 })
if (part.length !== 5) throw new Error('no part')
clearInterval(sampling)
await store.close()
console.log(JSON.stringify({ grown: (most - before) / MIB }))
