import { openRaw } from '../raw-indexeddb.mjs'

export const title = 'raw IndexedDB, relaxed, a transaction each'
export const open = (name) => openRaw(name, 'relaxed')
