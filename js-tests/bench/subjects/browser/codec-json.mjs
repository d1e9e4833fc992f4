import { json, only } from '../codecs.mjs'

export const title = 'bare JSON.stringify and JSON.parse'
export { only }
export const open = () => json
