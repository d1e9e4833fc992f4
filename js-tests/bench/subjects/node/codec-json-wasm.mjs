import { jsonInWasm, only } from '../codecs.mjs'

export const title = "JSON's text into wasm memory and out"
export { only }
export const open = jsonInWasm
