/** Fills the disk of the folder it is given, beside a store in it, and prints what came of it. */
import fs from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { openStore } from 'konserve'

const path = join(process.argv[2], 'store')
const store = await openStore({ path })
await store.assoc('k', 5)
const files = fs.readdirSync(path)
const large = crypto.getRandomValues(new Uint8Array(65_536))
const failures = []
const failing = (call) => call.catch((error) => failures.push(error))
await failing(
  store.assoc(
    'k',
    Array.from({ length: 8 }, () => large),
  ),
)
await failing(store.multiAssoc({ k: 7, large: Array.from({ length: 8 }, () => large) }))
async function* endless() {
  for (;;) yield large
}
await failing(store.bassoc('stream', endless()))
const left = String(fs.readdirSync(path)) === String(files)
const kept = await store.get('k')
await store.update('k', (n) => n + 1)
const roomy = await store.get('k')
await store.close()
console.log(
  JSON.stringify({ codes: failures.map(({ code }) => code), cause: failures[0]?.cause?.code, kept, left, roomy }),
)
