// How calls reach the threads of Node's pool: none is lost, whichever way it fails.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { asyncFiles } from '../pkg-template/node-fs.js'
import { bursts } from '../pkg-template/node-bursts.js'

/** Calls that are never over but by `end`. */
function held() {
  const begun = []
  return { begun, fs: { open: (path, done) => begun.push({ path, end: done }) } }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a call that is alone is made at once, and those that come meanwhile together at the end of the turn', async () => {
  const { begun, fs } = held()
  const { open } = bursts(fs, ['open'])
  const told = []
  for (const path of ['a', 'b', 'c']) open(path, (error, file) => told.push([path, error, file]))
  assert.deepEqual(
    begun.map(({ path }) => path),
    ['a'],
  )
  await turn()
  assert.deepEqual(
    begun.map(({ path }) => path),
    ['a', 'b', 'c'],
  )
  begun.forEach(({ end }, file) => end(null, file))
  assert.deepEqual(told, [
    ['a', null, 0],
    ['b', null, 1],
    ['c', null, 2],
  ])
  open('d', () => {})
  assert.equal(begun.length, 4, 'alone again')
})

test('a call that Node refuses is told so, and the others of its burst are made', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'konserve-'))
  t.after(() => rm(folder, { recursive: true }))
  const files = asyncFiles(fs)
  const bytes = new TextEncoder().encode('konserve')
  const all = ['one', '\0', 'two', '\0', 'three'].map((name) => files.create(join(folder, name), bytes, false))
  const ends = await Promise.allSettled(all)
  assert.deepEqual(
    ends.map(({ reason }) => reason?.code),
    [undefined, 'ERR_INVALID_ARG_VALUE', undefined, 'ERR_INVALID_ARG_VALUE', undefined],
  )
  assert.deepEqual((await files.list(folder)).toSorted(), ['one', 'three', 'two'])
  assert.equal(`${await files.read(join(folder, 'one'))}`, 'konserve')
  assert.equal(`${await files.read(join(folder, 'one'), 4)}`, 'kons')
})
