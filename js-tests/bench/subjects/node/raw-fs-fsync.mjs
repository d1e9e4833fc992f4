import { openRaw } from '../raw-fs.mjs'

export const title = 'raw fs, callbacks, fsync of file and folder'
export const open = (folder) => openRaw(folder, true)
