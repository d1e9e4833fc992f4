// The folders that the scripts work in.

import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the source tree. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What is made once and kept between runs: the tools and the standard library for wasm. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'konserve')

/** Cargo's folder for what it builds. */
export const target = process.env.CARGO_TARGET_DIR || join(root, 'target')

/** Where cargo keeps the sources of crates. */
export const cargoHome = process.env.CARGO_HOME || join(homedir(), '.cargo')

/** The command-line programs of the npm packages that package.json names. */
export const npmPrograms = join(root, 'node_modules', '.bin')
