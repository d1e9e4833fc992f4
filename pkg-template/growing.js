/** Whether a key is there that nobody asks for: what was called before comes before the answer. The key is `""`. */
const PROBE = Uint8Array.of(0x60)

/**
 * A store of a lean module, until something is asked for that only the full module can do: then that is loaded, opens
 * the same store, and does whatever is asked from then on. Calls that come meanwhile wait, so that their order stays.
 *
 * It has the methods of `RawStore`, in `src/wasm/store.rs` and `full.rs`.
 */
export class Growing {
  #lean
  #open
  #hooks = new Map()
  /** The store of the full module, or a promise of it, once it was needed. */
  #full
  #growing

  /** `open()` promises the same store, opened by the full module. */
  constructor(lean, open) {
    this.#lean = lean
    this.#open = open
  }

  /** The store of the full module. What cannot be loaded now is tried again by the next call. */
  grown() {
    return (this.#growing ??= this.#grow().catch((error) => {
      this.#growing = undefined
      throw error
    }))
  }

  async #grow() {
    await this.#lean.exists(PROBE)
    const full = await this.#open()
    for (const [id, hook] of this.#hooks) full.hook(id, ...hook)
    this.#full = full
    return full
  }

  /** Calls the lean store as long as it is the only one. The full one is called by its promise: that keeps the order. */
  lean(verb, args) {
    return this.#growing ? this.full(verb, args) : this.#lean[verb](...args)
  }

  full(verb, args) {
    return this.grown().then((full) => full[verb](...args))
  }

  pages(query) {
    return this.#growing ? later(this.full('pages', [query])) : this.#lean.pages(query)
  }

  log(key) {
    return later(this.full('log', [key]))
  }

  sweep(wanted) {
    return later(this.full('sweep', [wanted]))
  }

  export(progress) {
    return later(this.full('export', [progress]))
  }

  /** The lean module tells no values, so that whoever wants them makes the store grow. */
  hook(id, values, f) {
    if (f) this.#hooks.set(id, [values, f])
    else this.#hooks.delete(id)
    if (!values) this.#lean.hook(id, values, f)
    else if (f) this.grown().catch(() => {})
    this.#full?.hook(id, values, f)
  }

  id() {
    return this.#lean.id()
  }

  stamp() {
    return this.#lean.stamp()
  }

  close() {
    const closing = this.#lean.close()
    return this.#growing
      ? this.full('close', []).then(
          () => closing,
          () => closing,
        )
      : closing
  }
}

/** Where the arguments of these have a compressor of their own, which the lean module does not have. */
const COMPRESSOR = 4
for (const verb of ['assoc', 'update']) {
  Growing.prototype[verb] = function (...args) {
    return args[COMPRESSOR] === undefined ? this.lean(verb, args) : this.full(verb, args)
  }
}
for (const verb of ['get', 'exists', 'getMeta', 'dissoc', 'flush']) {
  Growing.prototype[verb] = function (...args) {
    return this.lean(verb, args)
  }
}
for (const verb of ['bassoc', 'writer', 'bget', 'lend', 'batch', 'verify', 'import', 'append', 'changeKeys', 'rekey']) {
  Growing.prototype[verb] = function (...args) {
    return this.full(verb, args)
  }
}

/** Pages that are promised. */
function later(promise) {
  // Who never asks for a page need not hear of it.
  promise.catch(() => {})
  return {
    next: () => promise.then((pages) => pages.next()),
    free: () => promise.then((pages) => pages.free()).catch(() => {}),
  }
}
