/** Ways of a value to bytes and back, measured alone: `encode(value)` gives what `decode` takes. */
import { decode } from '../../../pkg/decode.js'
import { encodeValue } from '../../../pkg/encode.js'

/** They take part in nothing else. */
export const only = ['encode', 'decode']

const nothing = { set() {}, get() {}, close() {} }

export const json = { ...nothing, encode: JSON.stringify, decode: JSON.parse }

export const konserve = { ...nothing, encode: (value) => encodeValue(value), decode: (bytes) => decode(bytes) }

/**
 * The least that JSON through wasm costs: the text is put into a module's memory, and taken out of it again. What the module
 * would do with it is not there.
 */
export function jsonInWasm() {
  const memory = new Uint8Array(new WebAssembly.Memory({ initial: 64 }).buffer)
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]
  return {
    ...nothing,
    encode: (value) => memory.subarray(0, encoder.encodeInto(JSON.stringify(value), memory).written),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)),
  }
}
