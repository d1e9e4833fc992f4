/** What any package with a wasm module pays at its start: an empty one is loaded, then bare IndexedDB reads. */
import { openRaw } from '../raw-indexeddb.mjs'

export const title = 'an empty wasm module, then raw IndexedDB'
/** It is there for start-up only. */
export const only = ['start']

export async function open(name) {
  await WebAssembly.instantiateStreaming(fetch('/empty.wasm'))
  return openRaw(name, 'relaxed')
}
