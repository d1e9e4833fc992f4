/** What `keys()` and `entries()` give: each iteration reads the store anew, a page at a time, of bytes that `read` reads. */
export class AsyncListing {
  #open
  #read
  #signal

  constructor(open, read, signal) {
    this.#open = open
    this.#read = read
    this.#signal = signal
  }

  async *[Symbol.asyncIterator]() {
    const pages = stoppable(this.#open(), this.#signal)
    try {
      for (let page = await pages.next(); page !== undefined; page = await pages.next()) {
        yield* pages.entries(this.#read(page))
      }
    } finally {
      pages.free()
    }
  }

  /** All of it. */
  async toArray() {
    const all = []
    for await (const entry of this) all.push(entry)
    return all
  }
}

/** The same of a synchronous store. */
export class Listing {
  #open
  #read
  #signal

  constructor(open, read, signal) {
    this.#open = open
    this.#read = read
    this.#signal = signal
  }

  *[Symbol.iterator]() {
    const pages = stoppable(this.#open(), this.#signal)
    try {
      for (let page = pages.next(); page !== undefined; page = pages.next()) yield* pages.entries(this.#read(page))
    } finally {
      pages.free()
    }
  }

  /** All of it. */
  toArray() {
    return [...this]
  }
}

/** What `log()` gives: begun by the call, read a page at a time, or all of it by who awaits it. */
export class AsyncLog extends AsyncListing {
  constructor(open, read, signal) {
    let first = begun(open)
    super(
      () => {
        const begin = first ?? begun(open)
        first = undefined
        return begin
      },
      read,
      signal,
    )
  }

  then(resolve, reject) {
    return this.toArray().then(resolve, reject)
  }

  catch(reject) {
    return this.then(undefined, reject)
  }

  finally(end) {
    return this.toArray().finally(end)
  }
}

/** Pages whose first is being read. */
function begun(open) {
  let first, pages
  try {
    pages = open()
    first = pages.next()
  } catch (error) {
    first = Promise.reject(error)
  }
  // Who never asks need not hear of it.
  first.catch(() => {})
  const next = () => {
    const page = first ?? pages.next()
    first = undefined
    return page
  }
  return { next, free: () => pages?.free() }
}

/** Pages, and the entries of each, that end with the reason of a signal once that is aborted. */
export function stoppable(pages, signal) {
  const free = () => pages.free()
  if (!signal) return { next: () => pages.next(), entries: (page) => page, free }
  const next = () => {
    signal.throwIfAborted()
    return pages.next()
  }
  function* entries(page) {
    for (const entry of page) {
      signal.throwIfAborted()
      yield entry
    }
  }
  return { next, entries, free }
}
