/** A web stream to be iterated over: not every browser does, and those that do wait for a chunk before they cancel. */
export function chunksIn(stream) {
  return {
    [Symbol.asyncIterator]() {
      const reader = stream.getReader()
      const end = async () => {
        await reader.cancel()
        return { done: true, value: undefined }
      }
      return { next: () => reader.read(), return: end }
    },
  }
}

/** What an input gives, until `signal` is aborted: then it throws the reason. An input that is left early is told so. */
export async function* until(signal, input) {
  const chunks = (input[Symbol.asyncIterator] ?? input[Symbol.iterator]).call(input)
  let ended = false
  try {
    for (;;) {
      signal?.throwIfAborted()
      const { done, value } = await unlessAborted(chunks.next(), signal)
      ended = done
      if (done) return
      yield value
    }
  } finally {
    const told = ended ? undefined : leave(input, chunks, signal)
    // One that hangs would never say that it has ended.
    if (!signal?.aborted) await told
  }
}

/** What it answers does not matter any more. */
async function leave(input, chunks, signal) {
  try {
    // A stream of Node whose next chunk does not come ends only so.
    if (signal?.aborted) input.destroy?.()
    await chunks.return?.()
  } catch {
    // The first error is the one to tell.
  }
}

/** What a promise comes to, or the signal's reason as soon as that is aborted, but for when it `may` not end so. */
export function unlessAborted(promise, signal, may = () => true) {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => may() && reject(signal.reason)
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    const settled = () => signal.removeEventListener('abort', abort)
    Promise.resolve(promise).then(resolve, reject).finally(settled)
  })
}
