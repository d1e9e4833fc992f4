// Every bad input has a KonserveError with its code and a message that says what to do; nothing is lost by it.

import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createStore, connectStore, deleteStore, KonserveError, openStore, storeExists, Tagged } from 'konserve'
import * as sync from 'konserve/sync'

let folder
let made = 0
before(async () => (folder = await mkdtemp(join(tmpdir(), 'konserve-errors-'))))
after(() => rm(folder, { recursive: true, force: true }))
const place = () => join(folder, `store-${(made += 1)}`)

/** Checks that the call fails with this code, and a message that says what to do. */
async function fails(call, code, message = /./) {
  const error = await (async () => call())().then(
    () => assert.fail(`${call} did not fail; ${code} was expected`),
    (error) => error,
  )
  assert.ok(error instanceof KonserveError, String(error?.stack ?? error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, message)
  assert.ok(
    error.message.length > 15 && !/undefined|\[object|NaN|null/.test(error.message.replace(/undefined/, '')),
    error.message,
  )
  return error
}

describe('configurations', () => {
  const functions = { createStore, connectStore, openStore, storeExists, deleteStore }
  const bad = [
    ['none', undefined, /needs a configuration/],
    ['null', null, /needs a configuration/],
    ['a text', './store', /needs a configuration/],
    ['a number', 5, /needs a configuration/],
    ['no backend', {}, /backend: 'file', path/],
    ['a name alone, in Node', { name: 'x' }, /backend/],
    ['an unknown backend', { backend: 'paper' }, /no backend "paper".*memory, file.*indexeddb/],
    ['a backend that is no text', { backend: 5 }, /backend/],
    ['a file without a path', { backend: 'file' }, /path/],
    ['an empty path', { path: '' }, /path/],
    ['a path that is no text', { path: 5 }, /./],
    ['a path for memory', { backend: 'memory', path: './x' }, /path is no option/],
    ['a misspelt option', { backend: 'memory', compresor: 'lz4' }, /no option compresor/],
    ['an unknown access', { path: './x', access: 'write' }, /no access "write".*exclusive/],
    ['syncBlob that is no boolean', { path: './x', syncBlob: 'no' }, /./],
    ['an unknown compressor', { backend: 'memory', compressor: 'gzip' }, /no compressor "gzip".*lz4/],
    ['an unknown layout', { backend: 'memory', layout: 'open' }, /no layout "open".*sealed/],
    ['an unknown serializer', { backend: 'memory', serializer: 'json' }, /no serializer "json".*cbor/],
    ['an id that is none', { path: './x', id: 'not-a-uuid' }, /id "not-a-uuid"/],
  ]
  for (const [name, config, message] of bad) {
    test(`${name}: INVALID_CONFIG from every function, with promises and without`, async () => {
      for (const [what, call] of Object.entries(functions)) {
        await fails(() => call(config), 'INVALID_CONFIG', message)
        await fails(() => sync[what](config), 'INVALID_CONFIG', message)
      }
    })
  }

  test('a throwing getter: INVALID_CONFIG with the cause', async () => {
    const cause = new Error('mine')
    const config = {
      get backend() {
        throw cause
      },
    }
    const error = await fails(() => openStore(config), 'INVALID_CONFIG')
    assert.equal(error.cause, cause)
  })

  test('IndexedDB in Node: UNSUPPORTED, with promises and without', async () => {
    await fails(() => openStore({ backend: 'indexeddb', name: 'x' }), 'UNSUPPORTED', /IndexedDB.*file/i)
    await fails(() => sync.openStore({ backend: 'indexeddb', name: 'x' }), 'UNSUPPORTED', /IndexedDB.*file/i)
  })

  test('the id of another store: INVALID_CONFIG', async () => {
    const path = place()
    await (await createStore({ path, id: '0b8d6c1e-52f7-4a3b-8e91-7c6d5e4f3a2b' })).close()
    await fails(
      () => openStore({ path, id: '11111111-52f7-4a3b-8e91-7c6d5e4f3a2b' }),
      'INVALID_CONFIG',
      /has the id 0b8d6c1e/,
    )
    await (await openStore({ path, id: '0b8d6c1e-52f7-4a3b-8e91-7c6d5e4f3a2b' })).close()
  })
})

describe('stores that are there, or not', () => {
  for (const [backend, config] of [
    ['memory', () => ({ backend: 'memory', id: `errors-${(made += 1)}` })],
    ['file', () => ({ path: place() })],
  ]) {
    test(`${backend}: STORE_NOT_FOUND and STORE_EXISTS`, async () => {
      const where = config()
      await fails(() => connectStore(where), 'STORE_NOT_FOUND', /create/)
      await fails(() => sync.connectStore(where), 'STORE_NOT_FOUND', /create/)
      const store = await createStore(where)
      await store.assoc('k', 1)
      await store.close()
      await fails(() => createStore(where), 'STORE_EXISTS', /connect/)
      await fails(() => sync.createStore(where), 'STORE_EXISTS', /connect/)
      const again = await connectStore(where)
      assert.equal(await again.get('k'), 1)
      await again.close()
    })
  }
})

describe('keys, paths, values, options', () => {
  let store
  before(async () => {
    store = await openStore({ path: place(), syncBlob: false })
    await store.assoc('n', 5)
    await store.assoc('list', [1, 2, 3])
    await store.assoc('text', 'abc')
    await store.assoc('map', new Map([[1, 2]]))
    await store.assoc('object', { a: null })
  })
  after(() => store.close())

  const long = 'k'.repeat(70_000)
  const bad = [
    ['no key', () => store.get(), 'INVALID_KEY', /^key is undefined/],
    ['undefined as key', () => store.assoc(undefined, 1), 'INVALID_KEY', /^key is undefined/],
    ['a function as key', () => store.exists(() => 1), 'INVALID_KEY', /^key is a function/],
    ['a symbol as key', () => store.dissoc(Symbol('s')), 'INVALID_KEY', /^key is a symbol/],
    ['a lone surrogate as key', () => store.getMeta('\uD800'), 'INVALID_KEY', /^key has a lone surrogate/],
    ['a key that is too long', () => store.get(long), 'INVALID_KEY', /64 KiB/],
    ['undefined inside a key', () => store.get([undefined]), 'INVALID_KEY', /undefined/],
    ['a key of ours', () => store.get(reserved()), 'INVALID_KEY', /./],
    ['no path', () => store.getIn(), 'INVALID_PATH', /array/],
    ['a path that is no array', () => store.getIn('n'), 'INVALID_PATH', /array/],
    ['an empty path', () => store.getIn([]), 'INVALID_PATH', /empty/],
    ['an empty path to write', () => store.assocIn([], 1), 'INVALID_PATH', /empty/],
    ['an empty path to update', () => store.updateIn([], () => 1), 'INVALID_PATH', /empty/],
    ['an empty path to remove', () => store.dissocIn([]), 'INVALID_PATH', /empty/],
    ['a hole in a path', () => store.getIn(['n', , 'a']), 'INVALID_PATH', /hole/], // eslint-disable-line no-sparse-arrays
    ['a function as step', () => store.getIn(['n', () => 1]), 'INVALID_PATH', /function/],
    ['a path through a number', () => store.assocIn(['n', 'x'], 1), 'INVALID_PATH', /number.*step "x"/],
    ['an update through a number', () => store.updateIn(['n', 'x'], () => 1), 'INVALID_PATH', /number/],
    ['a path through text', () => store.assocIn(['text', 0], 1), 'INVALID_PATH', /text/],
    ['an index beyond the end', () => store.assocIn(['list', 4], 1), 'INVALID_PATH', /array of 3: an index up to 3/],
    ['a negative index', () => store.assocIn(['list', -1], 1), 'INVALID_PATH', /index/],
    ['half an index', () => store.assocIn(['list', 0.5], 1), 'INVALID_PATH', /index/],
    ['a text as index', () => store.assocIn(['list', '0'], 1), 'INVALID_PATH', /index/],
    ['a number as name in an object', () => store.assocIn(['object', 1], 1), 'INVALID_PATH', /text/],
    ['no function', () => store.update('n'), 'INVALID_VALUE', /function/],
    ['an update to a function', () => store.update('n', () => () => 1), 'INVALID_VALUE', /^value is a function/],
    [
      'a value that cannot be stored',
      () => store.assoc('n', { a: [() => 1] }),
      'INVALID_VALUE',
      /^value\.a\[0\] is a function/,
    ],
    ['options that are no object', () => store.assoc('n', 1, 5), 'INVALID_CONFIG', /object/],
    ['an unknown option', () => store.assoc('n', 1, { expire: 5 }), 'INVALID_CONFIG', /no option expire/],
    ['meta that is no object', () => store.assoc('n', 1, { meta: 5 }), 'INVALID_VALUE', /meta/],
    ['meta that is an array', () => store.assoc('n', 1, { meta: [1] }), 'INVALID_VALUE', /meta/],
    ['meta that is null', () => store.assoc('n', 1, { meta: null }), 'INVALID_VALUE', /meta/],
    [
      'meta with a function',
      () => store.assoc('n', 1, { meta: { f() {} } }),
      'INVALID_VALUE',
      /^meta\.f is a function/,
    ],
    ['meta with a name of ours', () => store.assoc('n', 1, { meta: { size: 1 } }), 'INVALID_VALUE', /size/],
    ['expires that is text', () => store.assoc('n', 1, { expires: '2030' }), 'INVALID_VALUE', /expires/],
    ['expires that is null', () => store.assoc('n', 1, { expires: null }), 'INVALID_VALUE', /expires/],
    [
      'expires that is no date',
      () => store.assoc('n', 1, { expires: new Date(Number.NaN) }),
      'INVALID_VALUE',
      /expires/,
    ],
    ['expires beyond time', () => store.assoc('n', 1, { expires: 1e17 }), 'INVALID_VALUE', /expires/],
    ['expires without end', () => store.assoc('n', 1, { expires: Infinity }), 'INVALID_VALUE', /expires/],
    ['an unknown option of a listing', () => store.keys({ like: 'a' }).toArray(), 'INVALID_CONFIG', /no option like/],
    ['an unknown type', () => store.keys({ type: 'json' }).toArray(), 'INVALID_CONFIG', /edn/],
    ['a type that is no text', () => store.entries({ type: 5 }).toArray(), 'INVALID_CONFIG', /edn/],
    ['a prefix that is a number', () => store.keys({ prefix: 5 }).toArray(), 'INVALID_KEY', /prefix/],
  ]
  for (const [name, call, code, message] of bad) {
    test(`${name}: ${code}, and the store works on`, async () => {
      await fails(call, code, message)
      assert.deepEqual(await store.get('n'), 5)
      assert.deepEqual(await store.get('list'), [1, 2, 3])
      assert.deepEqual((await store.keys().toArray()).length, 5)
    })
  }

  test('a value of 300 MiB: LIMIT_EXCEEDED, and the store works on', async () => {
    await fails(() => store.assoc('n', new Uint8Array(300 * 2 ** 20)), 'LIMIT_EXCEEDED')
    assert.equal(await store.get('n'), 5)
  })
})

function reserved() {
  // The name under which elements of logs are kept.
  return new Tagged(27, ['konserve/log-element', [new Uint8Array(16), 0]])
}

describe('folders', () => {
  const asRoot = process.getuid?.() === 0

  test('a folder that is a file', async () => {
    const path = place()
    await writeFile(path, 'a file')
    for (const call of [openStore, createStore, connectStore]) {
      await fails(() => call({ path }), 'INVALID_CONFIG', /is a file, not a folder/)
    }
    await fails(() => sync.openStore({ path }), 'INVALID_CONFIG', /is a file/)
    assert.equal(await readFile(path, 'utf8'), 'a file')
  })

  test('a folder inside a file', async () => {
    const path = place()
    await writeFile(path, 'a file')
    await fails(() => openStore({ path: join(path, 'store') }), 'INVALID_CONFIG', /file/)
  })

  test('no permission', { skip: process.platform === 'win32' }, async () => {
    const path = place()
    await mkdir(path, { mode: 0o555 })
    await chmod(folder, 0o755)
    // Root may do everything: it becomes another user for the call.
    if (asRoot) process.seteuid(65534)
    try {
      const error = await fails(() => openStore({ path }), 'PERMISSION_DENIED', /right/)
      assert.equal(error.cause?.code, 'EACCES')
      await fails(() => sync.openStore({ path: join(path, 'inner') }), 'PERMISSION_DENIED')
    } finally {
      if (asRoot) process.seteuid(0)
      await chmod(path, 0o755)
    }
    const store = await openStore({ path })
    await store.close()
  })

  test('a second writer: STORE_LOCKED, naming the owner', async () => {
    const path = place()
    const store = await openStore({ path })
    await fails(() => openStore({ path }), 'STORE_LOCKED', new RegExp(String(process.pid)))
    await fails(() => sync.openStore({ path }), 'STORE_LOCKED', new RegExp(String(process.pid)))
    await fails(() => deleteStore({ path }), 'STORE_LOCKED')
    const reader = await openStore({ path, access: 'read' })
    await store.assoc('k', 1)
    assert.equal(await reader.get('k'), 1)
    await fails(() => reader.assoc('k', 2), 'PERMISSION_DENIED', /read/)
    await reader.close()
    await store.close()
    await (await openStore({ path })).close()
  })

  test('a store without its record: CORRUPT', async () => {
    const path = place()
    const store = await openStore({ path })
    await store.assoc('k', 1)
    await store.close()
    await rm(join(path, 'konserve.store'))
    await fails(() => openStore({ path }), 'CORRUPT', /record konserve\.store is lost/)
  })

  test('a record with a flipped bit: CORRUPT', async () => {
    const path = place()
    await (await openStore({ path })).close()
    const file = join(path, 'konserve.store')
    const bytes = await readFile(file)
    bytes[10] ^= 1
    await writeFile(file, bytes)
    await fails(() => openStore({ path }), 'CORRUPT')
  })
})

describe('damaged blobs', () => {
  /** A store with keys `good` and `bad`, and the file of `bad`. */
  async function damaged(change) {
    const path = place()
    const store = await openStore({ path })
    await store.assoc('bad', { text: 'x'.repeat(100) })
    const [blob] = (await readdir(path)).filter((file) => file.endsWith('.ksv'))
    const file = join(path, blob)
    await store.assoc('good', 1)
    await change(file, await readFile(file))
    return { store, file, path }
  }

  const changes = [
    ['cut short', (file, bytes) => writeFile(file, bytes.subarray(0, bytes.length - 7))],
    ['cut in its header', (file, bytes) => writeFile(file, bytes.subarray(0, 10))],
    ['empty', (file) => writeFile(file, '')],
    ['with a byte more', (file, bytes) => writeFile(file, Buffer.concat([bytes, Buffer.of(0)]))],
    ['with a flipped bit in its value', (file, bytes) => writeFile(file, flipped(bytes, bytes.length - 10))],
    ['with a flipped bit in its metadata', (file, bytes) => writeFile(file, flipped(bytes, 40))],
    ['with a flipped bit in its first byte', (file, bytes) => writeFile(file, flipped(bytes, 0))],
    ['of another program', (file) => writeFile(file, '{"json": true}')],
  ]
  for (const [name, change] of changes) {
    test(`a blob ${name}: CORRUPT with its key, and the rest works on`, async () => {
      const { store } = await damaged(change)
      const error = await fails(() => store.get('bad'), 'CORRUPT')
      assert.equal(error.key, 'bad')
      await fails(() => store.getIn(['bad', 'text']), 'CORRUPT')
      await fails(() => store.update('bad', (value) => value), 'CORRUPT')
      assert.equal(await store.get('good'), 1)

      const listed = []
      await fails(async () => {
        for await (const [key, value] of store.entries()) listed.push([key, value])
      }, 'CORRUPT')
      assert.deepEqual(listed, [['good', 1]], 'what is well is listed before the error')

      await store.assoc('bad', 'new')
      assert.equal(await store.get('bad'), 'new')
      assert.equal((await store.entries().toArray()).length, 2)
      await store.close()
    })
  }

  test('a damaged blob can be removed', async () => {
    const { store } = await damaged((file) => writeFile(file, ''))
    await store.dissoc('bad')
    assert.equal(await store.exists('bad'), false)
    await store.close()
  })

  test('foreign files in the folder are left alone', async () => {
    const { store, path } = await damaged(() => {})
    const foreign = ['notes.txt', 'UPPER-CASE.ksv', '0000.ksv', '.hidden', 'konserve.store.bak']
    for (const file of foreign) await writeFile(join(path, file), 'mine')
    await mkdir(join(path, 'folder'))
    assert.equal((await store.keys().toArray()).length, 2)
    await store.close()
    const again = await openStore({ path })
    assert.equal((await again.entries().toArray()).length, 2)
    await again.close()
    for (const file of foreign) assert.equal(await readFile(join(path, file), 'utf8'), 'mine')
  })

  test('a blob that is a link is refused', { skip: process.platform === 'win32' }, async () => {
    const { store, file, path } = await damaged(() => {})
    const bytes = await readFile(file)
    await writeFile(join(path, 'elsewhere'), bytes)
    await rm(file)
    await symlink(join(path, 'elsewhere'), file)
    await fails(() => store.get('bad'), 'CORRUPT', /link/)
    assert.equal(await store.get('good'), 1)
    await store.close()
  })

  test('a blob under another key’s name: CORRUPT', async () => {
    const { store, file, path } = await damaged(() => {})
    const [other] = (await readdir(path)).filter((name) => name.endsWith('.ksv') && !file.endsWith(name))
    await writeFile(file, await readFile(join(path, other)))
    await fails(() => store.get('bad'), 'CORRUPT')
    await store.close()
  })
})

function flipped(bytes, at) {
  const copy = Buffer.from(bytes)
  copy[at] ^= 1
  return copy
}

describe('the wasm module', () => {
  test('the option wasm that is none: INVALID_CONFIG, if it is not loaded yet', async () => {
    const { execFileSync } = await import('node:child_process')
    const code = `
      import { openStore } from 'konserve'
      import { openStore as openSync } from 'konserve/sync'
      const codes = []
      for (const wasm of [5, {}, null, new Response('no wasm'), new URL('file:///nowhere/x.wasm'), Uint8Array.of(1, 2, 3), Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)]) {
        codes.push(await openStore({ backend: 'memory', wasm }).then(() => 'opened', (error) => error.name + ' ' + error.code))
        try { openSync({ backend: 'memory', wasm }) } catch (error) { codes.push(error.name + ' ' + error.code) }
      }
      const store = await openStore({ backend: 'memory' })
      await store.assoc('k', 1)
      codes.push(await store.get('k'))
      console.log(JSON.stringify(codes))`
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    })
    const codes = JSON.parse(printed)
    assert.equal(codes.pop(), 1, 'a later call loads it')
    assert.equal(codes.length, 14)
    for (const code of codes) assert.match(code, /^KonserveError (INVALID_CONFIG|BACKEND)$/)
  })
})
