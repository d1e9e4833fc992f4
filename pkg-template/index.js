import { asyncApi } from './api.js'
import { loader } from './web.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, Ratio, Symbol_, Tagged, Uuid } from './values.js'
export const { createStore, connectStore, openStore, storeExists, deleteStore } = asyncApi((wasm) => loader.load(wasm))
