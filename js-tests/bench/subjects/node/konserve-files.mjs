import { openStore } from 'konserve'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, files without fsync'
export const open = async (path) => verbs(await openStore({ path, syncBlob: false }))
