/** The smallest wasm module. */
export const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)
