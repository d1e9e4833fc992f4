import { openRaw } from '../raw-fs.mjs'

export const title = 'raw fs, callbacks'
export const open = (folder) => openRaw(folder, false)
