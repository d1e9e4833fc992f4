// For the page of vectors.browser.test.mjs: blobs and records as rows of IndexedDB.

/** The largest blob that is one row. */
const INLINE = 2048
const HEADER = 20

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** A database of the package's, opened beside it. */
export class Rows {
  constructor(database) {
    this.database = database
  }

  static async open(name) {
    return new Rows(await done(indexedDB.open(name)))
  }

  /** Puts these files, `[name, bytes]`, in the place of all rows there are. */
  async fill(files) {
    const transaction = this.database.transaction(['m', 'v'], 'readwrite')
    const [heads, values] = ['m', 'v'].map((store) => transaction.objectStore(store))
    heads.clear()
    values.clear()
    for (const [name, bytes] of files) {
      const end = name.endsWith('.ksv') ? headLength(bytes) : bytes.length
      heads.put(bytes.slice(0, end), name)
      if (end < bytes.length) values.put(bytes.slice(end), name)
    }
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve
      transaction.onabort = () => reject(transaction.error)
    })
  }

  /** The keys of the rows of heads. */
  names() {
    return done(this.database.transaction('m').objectStore('m').getAllKeys())
  }
}

/** How much of a blob is in the row of its head: all of it, unless it is long and has a head. */
function headLength(blob) {
  if (blob.length <= INLINE) return blob.length
  return Math.min(HEADER + new DataView(blob.buffer, blob.byteOffset).getUint32(4), blob.length)
}
