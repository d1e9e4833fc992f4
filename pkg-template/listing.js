import { decode } from './decode.js'

/** What `keys()` and `entries()` give: each iteration reads the store anew, a page at a time. */
export class AsyncListing {
  #open

  constructor(open) {
    this.#open = open
  }

  async *[Symbol.asyncIterator]() {
    const pages = this.#open()
    try {
      for (let page = await pages.next(); page !== undefined; page = await pages.next()) yield* decode(page)
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

  constructor(open) {
    this.#open = open
  }

  *[Symbol.iterator]() {
    const pages = this.#open()
    try {
      for (let page = pages.next(); page !== undefined; page = pages.next()) yield* decode(page)
    } finally {
      pages.free()
    }
  }

  /** All of it. */
  toArray() {
    return [...this]
  }
}
