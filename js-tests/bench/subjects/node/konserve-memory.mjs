import { openStore } from 'konserve'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, memory'
/** Gone when the process is. */
export const volatile = true
export const open = async (path) => verbs(await openStore({ backend: 'memory', id: path }))
