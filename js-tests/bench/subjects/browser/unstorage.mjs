import { createStorage } from 'unstorage'
import indexedDbDriver from 'unstorage/drivers/indexedb'
import { verbsOf } from '../unstorage.mjs'

export const title = 'unstorage, indexeddb'
export const open = (dbName) => verbsOf(createStorage({ driver: indexedDbDriver({ dbName }) }))
