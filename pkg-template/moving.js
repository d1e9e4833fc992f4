import { chunksIn, until } from './chunks.js'
import { KonserveError } from './error.js'

/** So many bytes are handed to the module at a time. */
const PIECE = 1 << 20

/** What is called as a call that takes long goes on; throws once that was aborted. */
export function watcher({ signal, onProgress }) {
  return (entries) => {
    signal?.throwIfAborted()
    onProgress?.(entries)
  }
}

/** How stores with promises read and write streams. */
export const streams = {
  /** A stream of the chunks that `open()` gives page by page; nothing is read before somebody wants it. */
  out(open) {
    let pages
    const close = () => {
      pages?.free()
      pages = undefined
    }
    const pull = async (controller) => {
      try {
        pages ??= open()
        const chunk = await pages.next()
        if (chunk !== undefined) return controller.enqueue(chunk)
        close()
        controller.close()
      } catch (error) {
        close()
        throw error
      }
    }
    const stream = new ReadableStream({ pull, cancel: close }, { highWaterMark: 0 })
    if (!(Symbol.asyncIterator in stream)) stream[Symbol.asyncIterator] = chunksIn(stream)[Symbol.asyncIterator]
    return stream
  },

  /** Calls `use(next)`, where `next` promises the next piece of what `source` gives. */
  async in(source, { signal }, watch, use) {
    const pieces = asyncPieces(source, signal)
    try {
      return await use(async (entries) => {
        watch(entries)
        return (await pieces.next()).value
      })
    } finally {
      await pieces.return()
    }
  },
}

/** The same without promises. */
export const iterables = {
  *out(open) {
    const pages = open()
    try {
      for (let chunk = pages.next(); chunk !== undefined; chunk = pages.next()) yield chunk
    } finally {
      pages.free()
    }
  },

  in(source, options, watch, use) {
    const pieces = syncPieces(source)
    try {
      return use((entries) => {
        watch(entries)
        return pieces.next().value
      })
    } finally {
      pieces.return()
    }
  },
}

async function* asyncPieces(source, signal) {
  for await (const chunk of until(signal, chunksOf(source))) yield* cut(chunk)
}

function* syncPieces(source) {
  if (!isBytes(source) && typeof source?.[Symbol.iterator] !== 'function') throw noSource()
  for (const chunk of isBytes(source) ? [source] : source) yield* cut(chunk)
}

function chunksOf(source) {
  if (isBytes(source)) return [source]
  if (typeof source?.stream === 'function') return chunksIn(source.stream())
  if (typeof source?.getReader === 'function') return chunksIn(source)
  if (source !== null && typeof source === 'object' && (Symbol.asyncIterator in source || Symbol.iterator in source))
    return source
  throw noSource()
}

function* cut(chunk) {
  if (!isBytes(chunk)) throw noSource()
  const bytes = ArrayBuffer.isView(chunk)
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(chunk)
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE)
}

function isBytes(value) {
  return ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

function noSource() {
  return new KonserveError('INVALID_VALUE', 'an import needs bytes: a Uint8Array, a Blob, or a stream of Uint8Arrays')
}
