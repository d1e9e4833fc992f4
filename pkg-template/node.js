// Bundled into node.cjs, which `import` and `require` share: one wasm module, one KonserveError, one set of memory stores.
/* global __dirname, require */

import fs from 'node:fs'
import path from 'node:path'
import url from 'node:url'
import { asyncApi, syncApi } from './api.js'
import { failure, inDataUrl, isModule, isPlace, Loader, ours } from './load.js'
import { asyncFiles, syncFiles } from './node-fs.js'

export { KonserveError } from './error.js'
export { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from './values.js'

// Evaluated by the first call: it touches TextDecoder, which importing must not.
const bindings = () => require('./wasm/node.js')

// These two throw where a bundler has moved this file away from what lies beside it.
const wasmFile = () => path.join(__dirname, 'wasm', 'node_bg.wasm')
const copy = () => require('./wasm/node-copy.js').default
const fileAt = (place) => (/^file:/.test(place) ? url.fileURLToPath(place) : String(place))

const loader = new Loader({
  bindings,
  // In pieces, by another thread, it would take longer than all the rest of the start.
  module: async () => fs.readFileSync(wasmFile()),
  copy,
  fetch: (place) => (/^https?:/.test(place) ? fetch(place) : fs.promises.readFile(fileAt(place))),
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
    return new WebAssembly.Module(fs.readFileSync(wasmFile()))
  } catch {
    return new WebAssembly.Module(bytesAt(copy()))
  }
}

function bytesAt(place) {
  return inDataUrl(place) ?? fs.readFileSync(fileAt(place))
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
