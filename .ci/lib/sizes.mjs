// The size of a wasm module, as it is and as it travels.

import { readFile } from 'node:fs/promises'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`

/** Says the sizes of a module. Fails where it is over its budget, if it has one. */
export async function sizesOf(file, { name, budget, tolerance }) {
  const raw = await readFile(file)
  const gzip = gzipSync(raw, { level: 9 }).length
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length }
  const brotli = brotliCompressSync(raw, { params }).length
  const sizes = `${kib(raw.length)} raw, ${kib(gzip)} gzip, ${kib(brotli)} brotli`
  if (budget === undefined) return sizes
  const limit = budget * 1024 * (1 + tolerance / 100)
  if (brotli > limit)
    throw new Error(`${name}: ${sizes}; the budget in wasm-pack.toml is ${budget} KiB brotli + ${tolerance} %`)
  return `${sizes} (budget ${budget} KiB)`
}
