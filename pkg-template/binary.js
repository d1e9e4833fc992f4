import { chunksIn, unlessAborted, until } from './chunks.js'
import { KonserveError } from './error.js'
import { className, kindOf } from './kinds.js'
import { isWellFormed } from './text.js'

/** What crosses into wasm at once, in bytes: its memory never shrinks. */
const PIECE = 2 ** 18

/** The bytes of what has them at hand; `undefined` for anything else. */
export function bytesOf(input) {
  if (typeof input === 'string') {
    if (isWellFormed(input)) return new TextEncoder().encode(input)
    throw new KonserveError('INVALID_VALUE', 'a text with a lone surrogate has no bytes: UTF-8 cannot say it')
  }
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
  if (input !== null && typeof input === 'object' && kindOf(input) === 'ArrayBuffer') return new Uint8Array(input)
  return undefined
}

/** The chunks of a Blob, a File, a web stream or anything else that gives them one after another. */
export function chunksOf(input) {
  if (input !== null && typeof input === 'object') {
    if (['Blob', 'File'].includes(className(input))) return chunksOf(input.stream())
    if (typeof input.getReader === 'function') return chunksIn(input)
    if (typeof input[Symbol.asyncIterator] === 'function') {
      // A stream of Node may fail before its first chunk is asked for. Whoever iterates over it is told of it then.
      input.on?.('error', () => {})
      return input
    }
  }
  throw notBinary('ArrayBuffer, string, Blob, File, ReadableStream or AsyncIterable of Uint8Arrays')
}

/** The bytes of one chunk. */
export function chunkBytes(chunk) {
  const bytes = bytesOf(chunk)
  if (bytes === undefined) throw notBinary('ArrayBuffer or string in each chunk')
  return bytes
}

export function notBinary(others) {
  return new KonserveError('INVALID_VALUE', `the bytes of a binary must be a Uint8Array, ${others}`)
}

/** Writes all chunks, or nothing. Aborted, it ends with the signal's reason. */
export async function pour(writer, chunks, signal) {
  try {
    for await (const chunk of until(signal, chunks)) {
      const bytes = chunkBytes(chunk)
      for (let at = 0; at < bytes.length; at += PIECE) {
        signal?.throwIfAborted()
        await writer.write(bytes.subarray(at, at + PIECE))
      }
    }
    signal?.throwIfAborted()
    await writer.finish()
  } catch (error) {
    // The first error is the one to tell; what could not be cleared away is swept.
    await writer.abort().catch(() => undefined)
    throw error
  } finally {
    writer.free()
  }
}

/** Calls `fn` with what `lend` gives; aborted, that ends at once, and with it the stream. */
export function lendTo(fn, signal, lend) {
  const use = async (reader, size, blob) => {
    signal?.throwIfAborted()
    const lent = blob ? stored(blob, signal) : piecewise(reader, size, signal)
    return unlessAborted(fn(lent), signal)
  }
  return unlessAborted(lend(use), signal)
}

/** What the function of a `bget` is given of a Blob that was checked, and never changes. */
function stored(blob, signal) {
  const stream = blob.stream()
  return {
    stream: signal ? stream.pipeThrough(new TransformStream(), { signal }) : stream,
    size: blob.size,
    blob: async () => blob,
  }
}

/** What it is given of anything else. */
function piecewise(reader, size, signal) {
  const pull = async (controller) => {
    signal?.throwIfAborted()
    const piece = await reader.next()
    if (piece === undefined) controller.close()
    else controller.enqueue(piece)
  }
  const stream = new ReadableStream({ pull }, { highWaterMark: 0 })
  return { stream, size, blob: () => new Response(stream).blob() }
}

/** `{ start, end }` as whole numbers, which may be left out. */
export function rangeOf({ start = 0, end }) {
  for (const at of [start, end ?? 0]) {
    if (!Number.isSafeInteger(at)) {
      throw new KonserveError('INVALID_VALUE', 'start and end of a range must be whole numbers of bytes')
    }
  }
  return [start, end]
}
