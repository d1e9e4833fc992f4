/** The same as `konserve`, with the wasm module inside: nothing is fetched. */
export * from './index.js'
