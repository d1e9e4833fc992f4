import { openStore } from 'konserve/sync'
import { encryptor, verbs } from '../konserve.mjs'

export const title = 'konserve, encrypted files without fsync, konserve/sync'
export const open = async (path) => verbs(await openStore({ path, syncBlob: false, encryptor }))
