// Without a schema: every key and path, and values that are unknown until they are looked at.

import { connectStore, createStore, deleteStore, Keyword, KonserveError, openStore, storeExists } from 'konserve'
import type { BackingObject, Config, ErrorCode, Meta, Store, ChangeEvent, Key, WriteEvent } from 'konserve'
import { openStore as openSync } from 'konserve/sync'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(same: Same<A, B>): void

export async function keysAndValues(): Promise<void> {
  const store = await openStore({ backend: 'memory' })
  same<typeof store, Store<unknown>>(true)

  const value = await store.get('user')
  same<typeof value, unknown>(true)
  const inside = await store.getIn(['user', 'tags', 0])
  same<typeof inside, unknown>(true)
  // @ts-expect-error what is stored is unknown
  const text: string = await store.get('user')

  await store.get(1)
  await store.get(1n)
  await store.get(null)
  await store.get(new Date())
  await store.get(Keyword.of('a/b'))
  await store.get(['users', 1, { deep: true }])
  await store.get(new Map([['a', 1]]))
  // @ts-expect-error undefined is no key
  await store.get(undefined)
  // @ts-expect-error a function is no key
  await store.get(() => 1)
  // @ts-expect-error a symbol is no key
  await store.get(Symbol('s'))

  const path: string[] = ['a', 'b']
  await store.getIn(path)
  await store.getIn(path, 'nothing')
  await store.assocIn(path, { any: 'value' })
  // @ts-expect-error a path is an array
  await store.getIn('user')
  // @ts-expect-error a path has a key
  await store.getIn([])

  interface User {
    name: string
  }
  const user: User = { name: 'Ada' }
  await store.assoc('user', user, { meta: { by: 'me' }, expires: new Date() })
  await store.assoc('user', user, { expires: Date.now() + 1000 })
  // @ts-expect-error there is no such option
  await store.assoc('user', user, { expire: 1 })
  // @ts-expect-error a date or a number
  await store.assoc('user', user, { expires: 'tomorrow' })

  const [old, now] = await store.update('n', (n) => Number(n ?? 0) + 1)
  same<typeof old, unknown>(true)
  same<typeof now, number>(true)
  const [, later] = await store.updateIn(['a', 'b'], async () => 'text')
  same<typeof later, string>(true)
  // @ts-expect-error an update needs a function
  await store.update('n', 1)

  const was: boolean = await store.dissoc('user')
  const there: boolean = await store.exists('user')
  const meta: Meta | undefined = await store.getMeta('user')
  const written: Date | undefined = meta?.lastWrite
  for await (const { key, size } of store.keys({ prefix: 'us', type: 'edn' })) {
    same<typeof size, number | undefined>(true)
    console.log(key)
  }
  for await (const [key, entry] of store.entries()) console.log(key, entry)
  const all = await store.entries().toArray()
  same<typeof all, [key: unknown, value: unknown][]>(true)
  // @ts-expect-error there is no such type
  store.keys({ type: 'json' })
  const signal = AbortSignal.timeout(9)
  for await (const { key } of store.keys({ prefix: 'us', signal })) console.log(key)
  await store.entries({ signal }).toArray()
  await store.update('n', async (n = 0) => Number(n) + 1, { signal, expires: 0 })
  await store.updateIn(['n'], () => 1, { signal })
  // @ts-expect-error a value is put in one step
  await store.assoc('n', 1, { signal })
  // @ts-expect-error so is a batch
  await store.multiAssoc({ n: 1 }, { signal })
  console.log(text, was, there, written)
  await store[Symbol.asyncDispose]()
  await store.close()
}

export async function several(store: Store): Promise<void> {
  const found = await store.multiGet(['a', 1, ['b']])
  for (const [key, value] of found) {
    same<typeof value, unknown>(true)
    console.log(key)
  }
  await store.multiAssoc(new Map<Key, unknown>([['a', 1]]))
  await store.multiAssoc({ a: 1, b: 'x' }, { meta: { by: 'me' } })
  await store.multiAssoc([['a', 1], [['b'], 2, { expires: 5 }]]) // prettier-ignore
  // @ts-expect-error an entry has a value
  await store.multiAssoc([['a']])
  // @ts-expect-error there is no such option
  await store.multiAssoc({}, { expire: 5 })
  await store.multiDissoc(new Set(['a']))
}

export async function listening(store: Store): Promise<void> {
  store.addWriteHook('log', ({ op, key, path, value, oldValue, kvs, keys, meta }: WriteEvent) => {
    console.log(
      op === 'assoc-in',
      op === 'append' || op === 'sweep' || op === 'import' || op === 'repair',
      key,
      path,
      value,
      oldValue,
      kvs,
      keys,
      meta,
    )
  })
  // @ts-expect-error a hook is a function
  store.addWriteHook('log')
  store.removeWriteHook('log')
  for await (const change of store.changes({ signal: AbortSignal.timeout(1000) })) {
    if (change.lost) continue
    same<typeof change.origin, 'local' | 'remote'>(true)
    console.log(change.op, change.keys)
  }
  const listener = ({ op, keys }: ChangeEvent): void => console.log(op, keys)
  store.addEventListener('change', listener, { once: true })
  store.removeEventListener('change', listener)
  // @ts-expect-error there is no such event
  store.addEventListener('changes', listener)
}

export async function configurations(): Promise<void> {
  await createStore({ backend: 'memory', id: '0b8d6c1e-52f7-4a3b-8e91-7c6d5e4f3a2b' })
  await createStore({ path: './store' })
  await createStore({ backend: 'file', path: './store', syncBlob: false, access: 'shared' })
  await connectStore({ name: 'notes' })
  await connectStore({ backend: 'indexeddb', name: 'notes', durability: 'strict', compressor: 'lz4' })
  await openStore({ name: 'notes', wasm: new URL('https://example.org/konserve.wasm') })
  await openStore({ name: 'notes', wasm: fetch('/konserve.wasm') })
  const there: boolean = await storeExists({ backend: 'memory' })
  await deleteStore({ path: './store' })
  const config: Config = { backend: 'memory' }
  // @ts-expect-error a store is somewhere
  await openStore({})
  // @ts-expect-error a configuration is needed
  await openStore()
  // @ts-expect-error there is no such backend
  await openStore({ backend: 'paper' })
  // @ts-expect-error a file store has a path
  await openStore({ backend: 'file' })
  // @ts-expect-error a path is text
  await openStore({ path: 5 })
  // @ts-expect-error there is no such access
  await openStore({ path: './store', access: 'write' })
  // @ts-expect-error memory has no path
  await openStore({ backend: 'memory', path: './store' })
  console.log(there, config)
}

export function errors(error: unknown): ErrorCode | undefined {
  if (!(error instanceof KonserveError)) return undefined
  switch (error.code) {
    case 'STORE_LOCKED':
      return error.code
    // @ts-expect-error there is no such code
    case 'LOCKED':
      return 'CLOSED'
    default:
      console.log(error.message, error.key, error.cause)
      return error.code
  }
}

export async function backingsOfOnesOwn(): Promise<void> {
  const blobs = new Map<string, Uint8Array>()
  const backend: BackingObject = {
    capability: { sync: true },
    read: (names) => names.map((name) => blobs.get(name)),
    async write(writes) {
      for (const { name, blob } of writes) if (blob) blobs.set(name, blob)
    },
    names: (after, limit) => [...blobs.keys()].filter((name) => name > after).slice(0, limit),
  }
  await openStore({ backend })
  await openStore({ backend, compressor: 'lz4' })
  // @ts-expect-error it has no names
  await openStore({ backend: { read: backend.read, write: backend.write } })
  // @ts-expect-error it gives texts
  await openStore({ backend: { ...backend, read: (names: string[]) => names } })
  // @ts-expect-error a path is for files
  await openStore({ backend, path: 'folder' })
}

export async function binaries(store: Store): Promise<void> {
  await store.bassoc('photo', new Uint8Array(3), { meta: { mime: 'image/png' } })
  await store.bassoc('photo', new ArrayBuffer(3))
  await store.bassoc('photo', 'text')
  await store.bassoc('photo', new Blob(['text']))
  await store.bassoc('photo', new File(['text'], 'name'))
  await store.bassoc('photo', new Blob(['text']).stream())
  async function* chunks() {
    yield new Uint8Array(3)
    yield 'text'
  }
  await store.bassoc('photo', chunks())
  await store.bassoc('photo', chunks(), { signal: AbortSignal.timeout(9), expires: 0 })
  // @ts-expect-error a value is put in one step
  await store.assoc('photo', 1, { signal: AbortSignal.timeout(9) })
  // @ts-expect-error an array of numbers is no binary
  await store.bassoc('photo', [1, 2])
  const bytes = await store.bget('photo')
  same<typeof bytes, Uint8Array | undefined>(true)
  await store.bget('photo', { start: -10 })
  await store.bget('photo', { start: 0, end: 10 })
  // @ts-expect-error there is no such option
  await store.bget('photo', { from: 1 })
  const size = await store.bget('photo', ({ size }) => size)
  same<typeof size, number | undefined>(true)
  await store.bget('photo', () => 1, { signal: AbortSignal.timeout(9) })
  const blob = await store.bget('photo', async ({ blob }) => blob())
  same<typeof blob, Blob | undefined>(true)
  const chunk = await store.bget('photo', ({ stream }) => stream.getReader().read())
  const first: Uint8Array | undefined = chunk?.value
  const direct = openSync({ backend: 'memory' })
  direct.bassoc('photo', new Uint8Array(3))
  const found: Uint8Array | undefined = direct.bget('photo', { end: 2 })
  // @ts-expect-error a synchronous store waits for no stream
  direct.bassoc('photo', new Blob(['text']))
  // @ts-expect-error a synchronous store gives bytes only
  direct.bget('photo', () => 1)
  console.log(found, first)
}

/** Tiers and caches. */
export async function tiers(open: typeof openStore): Promise<void> {
  const back = await open({ backend: 'indexeddb', name: 'a', cache: { entries: 5, bytes: 1000 } })
  const store = await open({
    backend: 'tiered',
    frontendConfig: { backend: 'memory' },
    backendConfig: back,
    writePolicy: 'write-behind',
    readPolicy: 'frontend-first',
    sync: { roots: ['a'], walk: async (value, key) => [String(value), String(key)] },
    queue: { entries: 10 },
    onError: (error) => error.code,
    cache: true,
  })
  const flushed: void = await store.flush()
  // @ts-expect-error: there is no such policy
  await open({ backend: 'tiered', frontendConfig: back, backendConfig: back, writePolicy: 'never' })
  // @ts-expect-error: a tiered store has two tiers
  await open({ backend: 'tiered', frontendConfig: back })
  void flushed
}
