import { openStore } from 'konserve'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, files'
export const open = async (path) => verbs(await openStore({ path }))
