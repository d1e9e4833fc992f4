import { openRaw } from '../raw-indexeddb.mjs'

export const title = 'raw IndexedDB, strict, a transaction each'
export const open = (name) => openRaw(name, 'strict')
