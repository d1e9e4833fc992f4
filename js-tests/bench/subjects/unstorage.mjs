/** A storage of unstorage as a subject. It has no batches, but sets several items at once. */
export const verbsOf = (storage) => ({
  set: (key, value) => storage.setItem(key, value),
  get: (key) => storage.getItem(key),
  batch: (entries) => storage.setItems(entries.map(([key, value]) => ({ key, value }))),
  keys: () => storage.getKeys(),
  setBytes: (key, bytes) => storage.setItemRaw(key, bytes),
  getBytes: (key) => storage.getItemRaw(key),
  close: () => storage.dispose(),
})
