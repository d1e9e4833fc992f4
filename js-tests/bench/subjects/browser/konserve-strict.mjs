import { openStore } from 'konserve'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, strict'
export const open = async (name) => verbs(await openStore({ backend: 'indexeddb', name, durability: 'strict' }))
