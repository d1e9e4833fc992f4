import { konserve, only } from '../codecs.mjs'

export const title = 'konserve, encode and decode'
export { only }
export const open = () => konserve
