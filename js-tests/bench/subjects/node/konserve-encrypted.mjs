import { openStore } from 'konserve'
import { encryptor, verbs } from '../konserve.mjs'

export const title = 'konserve, encrypted files without fsync'
export const open = async (path) => verbs(await openStore({ path, syncBlob: false, encryptor }))
