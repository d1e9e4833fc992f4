import { BrowserLevel } from 'browser-level'
import { openLevel } from '../level.mjs'

export const title = 'browser-level'
export const open = (name) => openLevel(BrowserLevel, name)
