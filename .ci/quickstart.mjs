// From nothing to a store with real data in it: setup, build, and the example of examples/browser-compat.mjs.

import { join } from 'node:path'
import { build } from './build.mjs'
import { main, step } from './lib/log.mjs'
import { target } from './lib/paths.mjs'
import { run } from './lib/run.mjs'
import { setup } from './setup.mjs'

const FOLDER = join('target', 'quickstart')

const DONE = `The store is in ${FOLDER}, the npm package in pkg/, the program is target/release/konserve.`

await main(DONE, async () => {
  await build(await setup())
  await step('native program konserve', () =>
    run('cargo', ['build', '--quiet', '--release', '--locked', '--features', 'cli', '--bin', 'konserve']),
  )
  await step('the main job: 20 MB of real data in a file store', () =>
    run('node', ['examples/browser-compat.mjs', FOLDER, join(target, 'release', 'konserve')]),
  )
})
