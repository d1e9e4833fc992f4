import { openStore } from 'konserve'
import { encryptor, verbs } from '../konserve.mjs'

export const title = 'konserve, encrypted'
export const open = async (name) => verbs(await openStore({ backend: 'indexeddb', name, encryptor }))
