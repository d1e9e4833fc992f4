import konserve from './node-whole.cjs'

export const { createStore, connectStore, openStore, storeExists, deleteStore, KonserveError } = konserve
export const { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } = konserve
