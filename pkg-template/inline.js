// The same as index.js, with the wasm module inside: nothing is fetched.

import { asyncApi } from './api.js'
import copy from './wasm/web-copy.js'
import { loader } from './web.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'
export const { createStore, connectStore, openStore, storeExists, deleteStore } = asyncApi((wasm = copy) =>
  loader.load(wasm),
)
