/** What any package with a wasm module pays at its start: an empty one is loaded, then bare `fs` reads. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EMPTY_MODULE } from '../empty-module.mjs'
import { openRaw } from '../raw-fs.mjs'

export const title = 'an empty wasm module, then raw fs'
/** It is there for start-up only. */
export const only = ['start']

export async function open(folder) {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'empty.wasm')
  writeFileSync(file, EMPTY_MODULE)
  await WebAssembly.instantiate(await readFile(file))
  return openRaw(folder, false)
}
