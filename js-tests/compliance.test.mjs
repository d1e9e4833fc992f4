// The compliance suite over every backing of wasm: in Node over files and memory, in Chromium over IndexedDB and memory.

import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCompliance } from 'konserve/testing'
import { launch } from './helpers/browser.mjs'
import { judge, reportOfPage } from './helpers/compliance.mjs'

/** Real files that lie in memory where the system has such a place: a disk makes this suite slower. One subject stays on the disk. */
const scratch = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const [onDisk, inMemory] = [tmpdir(), scratch].map((parent) => fs.mkdtempSync(join(parent, 'konserve-')))
after(() => [onDisk, inMemory].forEach((folder) => fs.rmSync(folder, { recursive: true })))

const filesIn = (folder, kind, options) => (place) => ({ backend: 'file', path: join(folder, kind, place), ...options })
const files = (kind, options) => filesIn(inMemory, kind, options)

const over = (config, options) => (place) => ({
  backend: 'tiered',
  frontendConfig: { backend: 'memory' },
  backendConfig: config(place),
  ...options,
})
const cached = (config) => (place) => ({ ...config(place), cache: { entries: 10 } })

describe('in Node', () => {
  const inNode = (what, open, options) => test(what, async (t) => judge(t, await runCompliance({ open, ...options })))

  inNode('memory', (place) => ({ backend: 'memory', id: place }))
  inNode('files', filesIn(onDisk, 'async', {}))
  inNode('files without syncing', files('unsynced', { syncBlob: false }))
  inNode('shared files', files('shared', { access: 'shared', syncBlob: false }))
  inNode('files, synchronously', files('sync', { syncBlob: false }), { sync: true })
  inNode('memory over files', over(files('through', { syncBlob: false })))
  inNode('memory over files, behind', over(files('behind', { syncBlob: false }), { writePolicy: 'write-behind' }))
  inNode('memory over files, synchronously', over(files('through-sync', { syncBlob: false })), { sync: true })
  const behind = over(files('behind-sync', { syncBlob: false }), { writePolicy: 'write-behind' })
  inNode('memory over files, behind, synchronously', behind, { sync: true })
  inNode('cached files', cached(files('cached', { syncBlob: false })))
  inNode('shared files, synchronously', files('shared-sync', { access: 'shared', syncBlob: false }), { sync: true })
})

describe('in Chromium', () => {
  let browser
  before(async () => (browser = await launch()))
  after(() => browser?.close())
  const inChromium = (what, open) => test(what, async (t) => judge(t, await reportOfPage(browser, open)))

  inChromium('memory', "(place) => ({ backend: 'memory', id: place })")
  inChromium('IndexedDB', "(place) => ({ backend: 'indexeddb', name: place })")
  const tiers = "backend: 'tiered', frontendConfig: { backend: 'memory' }"
  const database = "backendConfig: { backend: 'indexeddb', name: place }"
  inChromium('memory over IndexedDB', `(place) => ({ ${tiers}, ${database} })`)
  inChromium('memory over IndexedDB, behind', `(place) => ({ ${tiers}, ${database}, writePolicy: 'write-behind' })`)
  inChromium('cached IndexedDB', "(place) => ({ backend: 'indexeddb', name: place, cache: { entries: 10 } })")
  inChromium('strict IndexedDB', "(place) => ({ backend: 'indexeddb', name: place, durability: 'strict' })")
})
