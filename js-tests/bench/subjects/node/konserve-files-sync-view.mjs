import { openStore } from 'konserve/sync'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, files without fsync, konserve/sync'
export const open = async (path) => verbs(await openStore({ path, syncBlob: false }))
