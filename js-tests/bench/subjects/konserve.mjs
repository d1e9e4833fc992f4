/** A store of konserve as a subject, with promises or without. */
export const verbs = (store) => ({
  set: (key, value) => store.assoc(key, value),
  get: (key) => store.get(key),
  update: (key, change) => store.update(key, change),
  getIn: (path) => store.getIn(path),
  batch: (entries) => store.multiAssoc(entries),
  keys: () => store.keys().toArray(),
  append: (key, element) => store.append(key, element),
  setBytes: (key, bytes) => store.bassoc(key, bytes),
  getBytes: (key) => store.bget(key),
  close: () => store.close(),
})

/** The key of the encrypted ones. */
export const encryptor = { type: 'aes-blake3', key: new Uint8Array(32).fill(7) }
