// For Cloudflare's workers, which compile no bytes: their bundler makes a module of the import.

import { asyncApi } from './api.js'
import { Loader } from './load.js'
import module from './wasm/web_bg.wasm'
import { web } from './web.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'

const loader = new Loader({ ...web, module: () => module, copy: () => module })
export const { createStore, connectStore, openStore, storeExists, deleteStore } = asyncApi((wasm) => loader.load(wasm))
