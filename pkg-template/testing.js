import { Loader } from './load.js'
import { testing } from './suite.js'
import { web } from './web.js'

const place = () => new URL('./wasm/testing_bg.wasm', import.meta.url)
const loader = new Loader({
  ...web,
  bindings: () => import('./wasm/testing.js'),
  module: () => fetch(place()),
  // The package has no copy of this one: the second time the error is told.
  copy: place,
})

export { KonserveError } from './error.js'
export const { compliance, runCompliance } = testing(() => loader.load())
