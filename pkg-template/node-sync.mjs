import konserve from './node-sync.cjs'

export const { createStore, connectStore, openStore, storeExists, deleteStore, ready, KonserveError } = konserve
export const { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } = konserve
