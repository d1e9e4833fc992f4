import { ClassicLevel } from 'classic-level'
import { openLevel } from '../level.mjs'

export const title = 'classic-level'
export const open = (folder) => openLevel(ClassicLevel, folder)
