/** Bytes that are not what the format says. `code` is that of its tables. */
export class Fault extends Error {
  constructor(code, why) {
    super(`${code}: ${why}`)
    this.name = 'Fault'
    this.code = code
  }
}

/** Throws a fault unless `holds`. */
export function must(holds, code, why) {
  if (!holds) throw new Fault(code, why)
}
