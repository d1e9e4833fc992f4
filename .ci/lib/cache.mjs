// Making things in the cache: whole or not at all.

import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cache } from './paths.mjs'

/** Runs `make` with an empty folder to work in; the folder whose path it resolves to becomes `folder` of the cache. */
export async function makeInCache(folder, make) {
  await mkdir(cache, { recursive: true })
  await removeLeftovers()
  const work = await mkdtemp(join(cache, `building-${process.pid}-`))
  try {
    await rename(await make(work), folder)
  } finally {
    await rm(work, { recursive: true })
  }
}

/** Removes what interrupted runs left. */
async function removeLeftovers() {
  for (const name of await readdir(cache)) {
    const pid = /^building-(\d+)-/.exec(name)?.[1]
    if (pid && !isAlive(Number(pid))) await rm(join(cache, name), { recursive: true })
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
