// Bundled into node.cjs, which `import` and `require` share: one wasm module, one KonserveError, one set of memory stores.
/* global __dirname, require */

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asyncApi, syncApi } from './api.js'
import { failure, inDataUrl, isModule, isPlace, Loader, ours } from './load.js'
import { asyncFiles, syncFiles } from './node-fs.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'

// Evaluated by the first call: it touches TextDecoder, which importing must not.
const bindings = () => require('./wasm/node.js')

// These two throw where a bundler has moved this file away from what lies beside it.
const wasmFile = () => join(__dirname, 'wasm', 'node_bg.wasm')
const copy = () => require('./wasm/node-copy.js').default
const fileAt = (place) => (/^file:/.test(place) ? fileURLToPath(place) : String(place))

const loader = new Loader({
  bindings,
  module: async () => readFile(wasmFile()),
  copy,
  fetch: (place) => (/^https?:/.test(place) ? fetch(place) : readFile(fileAt(place))),
  instantiate: ({ initSync }, module) => initSync({ module }),
  files: () => ({ fs: asyncFiles(), fsSync: syncFiles() }),
})

function loadSync(given) {
  if (loader.running) return loader.running
  try {
    bindings().initSync({ module: ours(moduleSync(given)) })
    return loader.run(bindings())
  } catch (error) {
    throw failure(error)
  }
}

function moduleSync(given) {
  if (isModule(given)) return given
  if (given !== undefined) return new WebAssembly.Module(isPlace(given) ? bytesAt(given) : given)
  try {
    return new WebAssembly.Module(readFileSync(wasmFile()))
  } catch {
    return new WebAssembly.Module(bytesAt(copy()))
  }
}

function bytesAt(place) {
  return inDataUrl(place) ?? readFileSync(fileAt(place))
}

export const { createStore, connectStore, openStore, storeExists, deleteStore } = asyncApi(
  (wasm) => loader.load(wasm),
  {
    files: true,
  },
)

/** What `konserve/sync` exports besides the classes. */
export const sync = {
  ...syncApi(loadSync, { files: true }),
  async ready({ wasm } = {}) {
    await loader.load(wasm)
  },
}
