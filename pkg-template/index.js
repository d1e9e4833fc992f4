import { asyncApi } from './api.js'
import { load } from './web.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'
export const { createStore, connectStore, openStore, storeExists, deleteStore } = asyncApi(load)
