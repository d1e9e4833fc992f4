// The table of errors: each code has a row in docs/errors.md, is the same in Rust and in the types, and is provoked here.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectStore, createStore, KonserveError, openStore } from 'konserve'
import * as sync from 'konserve/sync'
import { MapBacking } from '../examples/map-backing.mjs'
import { launch, serve } from './helpers/browser.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const text = (path) => fs.readFileSync(join(root, path), 'utf8')
const all = (source, pattern) => [...source.matchAll(pattern)].map(([, found]) => found)
const documented = all(text('docs/errors.md'), /^\| `([A-Z_]+)` \|/gm)

let folder
let made = 0
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-table-'))))
after(() => rm(folder, { recursive: true, force: true }))
const place = () => join(folder, `store-${(made += 1)}`)
const codeOf = (call) =>
  (async () => call())().then(
    () => 'no error',
    (error) => error.code,
  )

/** All bytes of an export. */
async function exported(store, options) {
  const chunks = []
  for await (const chunk of store.export(options)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('the documentation, the types, Rust and the README have the same codes', () => {
  const types = /export type ErrorCode =([^]*?)\n\n/.exec(text('pkg-template/index.d.ts'))[1]
  assert.deepEqual(documented, all(types, /'([A-Z_]+)'/g))
  assert.deepEqual(documented, all(text('src/error.rs'), /Self::\w+ => "([A-Z_]+)",/g))
  const readme = text('pkg-template/README.md').split('## Errors')[1].split('## ')[0]
  assert.deepEqual(new Set(all(readme.split('What a function')[0], /`([A-Z]+(?:_[A-Z]+)*)`/g)), new Set(documented))
})

/** What provokes each code in Node: the call, with a store in a folder. */
const provoking = {
  STORE_EXISTS: (store, path) => createStore({ path }),
  STORE_NOT_FOUND: () => connectStore({ path: place() }),
  STORE_LOCKED: (store, path) => openStore({ path }),
  CLOSED: async () => {
    const closed = await openStore({ backend: 'memory' })
    await closed.close()
    return closed.get('k')
  },
  INVALID_CONFIG: () => openStore({ backend: 'paper' }),
  INVALID_KEY: (store) => store.get(undefined),
  INVALID_PATH: (store) => store.assocIn(['k', 'into', 'a number'], 1),
  INVALID_VALUE: (store) => store.assoc('k', () => 1),
  LIMIT_EXCEEDED: (store) => store.assoc('k', JSON.parse('['.repeat(600) + ']'.repeat(600))),
  CORRUPT: (store) => store.import(Buffer.from('this is no export')),
  UNSUPPORTED_FORMAT: async (store) => {
    const bytes = await exported(store)
    const version = bytes.indexOf('1')
    assert.match(bytes.subarray(0, version).toString(), /^konserve[ -~]*$/)
    return store.import(bytes.fill('2', version, version + 1))
  },
  UNSUPPORTED: () => openStore({ backend: 'indexeddb', name: 'k' }),
  CONFLICT: (store) => store.update('k', (n) => store.assoc('k', { n }).then(() => 1)),
  PERMISSION_DENIED: async (store, path) => {
    const reader = await openStore({ path, access: 'read' })
    return reader.assoc('k', 2).finally(() => reader.close())
  },
  NOT_A_LOG: (store) => store.append('k', 1),
  NOT_BINARY: (store) => store.bget('k'),
  IO: async (store, path) => {
    const before = await readdir(path)
    await store.assoc('folder', 1)
    const blob = join(
      path,
      (await readdir(path)).find((file) => !before.includes(file)),
    )
    await rm(blob)
    await mkdir(blob)
    return store.get('folder').finally(() => fs.rmdirSync(blob))
  },
  WRONG_KEY: async () => {
    const { config } = await encrypted()
    return openStore({ ...config, encryptor: undefined })
  },
  AUTHENTICATION: async () => {
    const { config, blob } = await encrypted()
    const bytes = fs.readFileSync(blob)
    fs.writeFileSync(blob, bytes.fill(bytes.at(-1) ^ 1, bytes.length - 1))
    const store = await openStore(config)
    return store.get('k').finally(() => store.close())
  },
  BACKEND: async () => {
    const backend = new MapBacking()
    const own = await openStore({ backend })
    backend.read = () => {
      throw new RangeError('mine')
    }
    return own.get('k')
  },
}
/** A store that is encrypted and closed: its config, and the only blob. */
async function encrypted() {
  const path = place()
  const config = { path, layout: 'konserve', encryptor: { type: 'aes-gcm', key: new Uint8Array(32) } }
  const store = await openStore(config)
  await store.assoc('k', 1)
  await store.close()
  const [blob] = (await readdir(path)).filter((file) => file.endsWith('.ksv'))
  return { config, blob: join(path, blob) }
}

/** What only a browser has, and what only a full disk. */
const elsewhere = ['QUOTA_EXCEEDED', 'BLOCKED', 'NO_SPACE']

test('each code of the table is provoked, but those of other places', () => {
  assert.deepEqual(new Set([...Object.keys(provoking), ...elsewhere]), new Set(documented))
})

for (const [code, call] of Object.entries(provoking)) {
  test(`${code}, and nothing else is lost or left behind`, async () => {
    const path = place()
    const store = await openStore({ path })
    await store.assoc('k', 1)
    const files = await readdir(path)
    const error = await (async () => call(store, path))().then(() => assert.fail('no error'), (error) => error) // prettier-ignore
    assert.ok(error instanceof KonserveError, String(error?.stack))
    assert.equal(error.code, code, error.message)
    assert.ok(error.message.length > 15)
    if (code !== 'CONFLICT') assert.equal(await store.get('k'), 1)
    assert.deepEqual(await readdir(path), files)
    await store.close()
    assert.deepEqual(
      (await readdir(path)).filter((file) => !file.endsWith('.ksv')),
      ['konserve.store'],
    )
  })
}

/** A disk that is soon full, where the system lets us have one: a file system in memory, seen by the program alone. */
const fullDisk = (program, cwd) =>
  execFileSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=256k none "$1" && exec node "$2" "$1"`, 'sh', cwd, program], { encoding: 'utf8', stdio: 'pipe' }) // prettier-ignore

test('NO_SPACE: the disk is full, the old value stays, and room helps', async (t) => {
  const disk = join(folder, 'disk')
  await mkdir(disk)
  const [nothing, program] = [join(folder, 'nothing.mjs'), join(root, 'js-tests', 'helpers', 'full-disk.mjs')]
  await writeFile(nothing, '')
  try {
    fullDisk(nothing, disk)
  } catch {
    return t.skip('this system gives no disk to fill; node-fs.test.mjs has the fault')
  }
  const told = JSON.parse(fullDisk(program, disk))
  assert.deepEqual(told, {
    codes: ['NO_SPACE', 'NO_SPACE', 'NO_SPACE'],
    cause: 'ENOSPC',
    kept: 5,
    left: true,
    roomy: 6,
  })
})

describe('in Chromium', () => {
  let browser, server
  before(async () => {
    browser = await launch()
    const blank = { headers: { 'content-type': 'text/html' }, body: '<!doctype html><link rel="icon" href="data:,">' }
    server = await serve((path) => (path === '/' ? blank : undefined), join(root, 'pkg'))
  })
  after(() => Promise.all([browser?.close(), server?.close()]))

  /** A new page with a context of its own. */
  async function page(t) {
    const context = await browser.newContext()
    t.after(() => context.close())
    const page = await context.newPage()
    await page.goto(`${server.url}/`)
    return { context, page }
  }

  test('QUOTA_EXCEEDED, and the old value stays', async (t) => {
    const { context, page: tab } = await page(t)
    const devtools = await context.newCDPSession(tab)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.url, quotaSize: 2_000_000 })
    const told = await tab.evaluate(async () => {
      const { openStore } = await import('/index.js')
      const store = await openStore({ name: 'full' })
      await store.assoc('k', 1)
      const noise = () => crypto.getRandomValues(new Uint8Array(65_536))
      const large = Array.from({ length: 60 }, noise)
      const error = await store.assoc('k', large).catch((error) => error)
      return [error.name, error.code, error.cause?.name, await store.get('k')]
    })
    assert.deepEqual(told, ['KonserveError', 'QUOTA_EXCEEDED', 'QuotaExceededError', 1])
  })

  test('BLOCKED by a connection that will not let go', async (t) => {
    const { page: tab } = await page(t)
    const told = await tab.evaluate(async () => {
      const { deleteStore, openStore } = await import('/index.js')
      await openStore({ name: 'held' }).then((store) => store.close())
      const holder = await new Promise((resolve) => {
        indexedDB.open('held').onsuccess = ({ target }) => resolve(target.result)
      })
      const error = await deleteStore({ name: 'held' }).catch((error) => error)
      holder.close()
      return [error.name, error.code]
    })
    assert.deepEqual(told, ['KonserveError', 'BLOCKED'])
  })
})

describe('what goes wrong leaves a folder as it was', () => {
  /** A store with two keys in a folder, and what checks that nothing else is there at the end. */
  async function opened(act) {
    const path = place()
    const store = await openStore({ path })
    await store.multiAssoc({ a: 1, b: 2 })
    const files = await readdir(path)
    await act(store, path)
    assert.deepEqual(await store.multiGet(['a', 'b']), new Map([['a', 1], ['b', 2]])) // prettier-ignore
    assert.deepEqual(await readdir(path), files)
    await store.close()
    assert.deepEqual(
      await readdir(path),
      files.filter((file) => !file.includes('lock')),
    )
  }
  const failure = new Error('mine')
  async function* breaking(bytes) {
    yield bytes
    await setTimeout(5)
    throw failure
  }

  test('a second close is no error, with promises and without, also at once', async () => {
    const path = place()
    const store = await openStore({ path })
    await store.assoc('k', 1)
    await Promise.all([store.close(), store.close()])
    await store.close()
    const now = sync.openStore({ path })
    assert.equal(now.get('k'), 1)
    now.close()
    now.close()
    assert.equal((await readdir(path)).length, 2)
  })

  test('after close no write happens, whatever was begun', async () => {
    const path = place()
    const store = await openStore({ path })
    await store.assoc('k', 1)
    const begun = store.assoc('k', 2)
    const closed = store.close()
    const late = [store.assoc('k', 3), store.bassoc('new', breaking(new Uint8Array(9))), store.multiAssoc({ new: 1 })]
    assert.deepEqual(await Promise.all(late.map((call) => codeOf(() => call))), ['CLOSED', 'CLOSED', 'CLOSED'])
    await Promise.all([begun, closed])
    assert.equal((await readdir(path)).length, 2)
    const again = await connectStore({ path })
    assert.equal(await again.get('k'), 2)
    await again.close()
  })

  test('a batch with one bad item, in any place of it', () =>
    opened(async (store) => {
      for (const entries of [
        [
          ['n', 1],
          ['a', () => 1],
        ],
        [
          ['a', Symbol('s')],
          ['n', 1],
        ],
        [
          ['a', 5],
          [undefined, 1],
        ],
      ])
        // prettier-ignore
        assert.match(await codeOf(() => store.multiAssoc(entries)), /^INVALID_(VALUE|KEY)$/)
      assert.equal(await codeOf(() => store.multiDissoc(['a', undefined])), 'INVALID_KEY')
    }))

  test('a hook that throws: the write stands, once', () =>
    opened(async (store) => {
      const { error } = console
      const said = []
      console.error = (...words) => said.push(words)
      try {
        store.addWriteHook('bad', () => {
          throw failure
        })
        await store.update('a', () => 1)
      } finally {
        console.error = error
      }
      assert.equal(said.length, 1)
    }))

  test('an update whose function throws, now or later', () =>
    opened(async (store) => {
      const thrown = () => {
        throw failure
      }
      for (const fn of [thrown, async () => thrown(), () => setTimeout(5).then(thrown)])
        await assert.rejects(store.update('a', fn), failure)
      await assert.rejects(store.bget('none', thrown).then(thrown), failure)
    }))

  test('a stream that breaks half way, into a binary and into an import', () =>
    opened(async (store) => {
      await assert.rejects(store.bassoc('a', breaking(new Uint8Array(300_000))), failure)
      await assert.rejects(store.bassoc('new', breaking(new Uint8Array(300_000))), failure)
      const bytes = await exported(store)
      await assert.rejects(store.import(breaking(bytes.subarray(0, bytes.length / 2))), failure)
    }))

  test('a signal that was aborted before, and one that is aborted on the way', () =>
    opened(async (store) => {
      const signal = AbortSignal.abort(failure)
      const bytes = await exported(store)
      const target = await openStore({ backend: 'memory' })
      for (const call of [
        () => store.import(bytes, { signal }),
        () => exported(store, { signal }),
        () => store.verify({ signal }),
        () => store.copyTo(target, { signal }),
        () => store.sweep({ keep: [], before: Date.now() + 1000, signal }),
      ])
        await assert.rejects(call, failure, String(call))
      const stop = new AbortController()
      const source = (async function* () {
        yield bytes.subarray(0, 100)
        stop.abort(failure)
        yield bytes.subarray(100)
      })()
      await assert.rejects(store.import(source, { signal: stop.signal }), failure)
      assert.equal((await target.keys().toArray()).length, 0)
    }))

  test('a reader of a binary that leaves early, or throws', () =>
    opened(async (store, path) => {
      await store.bassoc('large', new Uint8Array(3_000_000))
      await store.bget('large', async ({ stream }) => {
        for await (const chunk of stream) if (chunk.length > 0) break
      })
      await assert.rejects(
        store.bget('large', async () => {
          throw failure
        }),
        failure,
      )
      await store.dissoc('large')
      assert.equal((await readdir(path)).filter((file) => file.endsWith('.ksv')).length, 2)
    }))
})
