// The vectors of the standards that encryption is made of, in wasm in Node.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { runPrimitives } from './helpers/primitive-runner.mjs'
import { primitives } from './helpers/primitive-vectors.mjs'

const folder = join(dirname(createRequire(import.meta.url).resolve('konserve/package.json')), 'wasm')

async function load(name) {
  const module = await import(pathToFileURL(join(folder, `${name}.js`)).href)
  module.initSync({ module: await readFile(join(folder, `${name}_bg.wasm`)) })
  return module
}

test('AES-256-CBC, BLAKE3 and Argon2id are those of their standards', async () => {
  const { vectors, expected } = await primitives()
  const { counts, problems } = runPrimitives(vectors, await load('testing'), (await load('argon2')).argon2id)
  assert.deepEqual(problems, [])
  assert.deepEqual(counts, expected)
})
