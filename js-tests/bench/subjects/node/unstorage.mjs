import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import { verbsOf } from '../unstorage.mjs'

export const title = 'unstorage, fs'
export const open = (base) => verbsOf(createStorage({ driver: fsDriver({ base }) }))
