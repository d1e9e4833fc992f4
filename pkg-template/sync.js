import { syncApi } from './api.js'
import { KonserveError } from './error.js'
import { loader } from './web.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'
export const { createStore, connectStore, openStore, storeExists, deleteStore } = syncApi(running)

/** Loads the wasm module, which a browser cannot do without waiting. After it, the functions here work at once. */
export async function ready({ wasm } = {}) {
  await loader.load(wasm)
}

function running() {
  if (loader.running) return loader.running
  throw new KonserveError('BACKEND', 'the wasm module is not loaded yet: `await ready()` of konserve/sync before this')
}
