// Bundled into testing-node.cjs, which `import` and `require` share.
/* global __dirname, require */

import fs from 'node:fs'
import path from 'node:path'
import { Loader } from './load.js'
import { asyncFiles, syncFiles } from './node-fs.js'
import { testing } from './suite.js'

const place = () => path.join(__dirname, 'wasm', 'testing_bg.wasm')
const loader = new Loader({
  bindings: () => require('./wasm/testing.js'),
  module: () => fs.promises.readFile(place()),
  // The package has no copy of this one: the second time the error is told.
  copy: place,
  fetch: (file) => fs.promises.readFile(file),
  instantiate: ({ initSync }, module) => initSync({ module }),
  files: () => ({ fs: asyncFiles(), fsSync: syncFiles() }),
})

export { KonserveError } from './error.js'
export const { compliance, runCompliance } = testing(() => loader.load(), { files: true })
