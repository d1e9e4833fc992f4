/** What every failing call of this package throws or rejects with. */
export class KonserveError extends Error {
  /**
   * @param {string} code one of the stable codes, such as `STORE_NOT_FOUND`
   * @param {string} message what was being done, and what to do about it
   * @param {{ key?: unknown, cause?: unknown }} [about] the key that was being worked on; the error below this one
   */
  constructor(code, message, about = {}) {
    super(message, 'cause' in about ? { cause: about.cause } : undefined)
    this.code = code
    if (about.key !== undefined) this.key = about.key
  }
}
Object.defineProperty(KonserveError.prototype, 'name', { value: 'KonserveError', configurable: true, writable: true })
