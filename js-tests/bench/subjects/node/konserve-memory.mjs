import { openStore } from 'konserve'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, memory'
export const open = async (path) => verbs(await openStore({ backend: 'memory', id: path }))
