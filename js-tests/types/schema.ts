// With a schema: keys, paths and values are checked, and their types are known.

import { openStore } from 'konserve'
import type { Store } from 'konserve'
import { openStore as openSync } from 'konserve/sync'
import type { SyncStore } from 'konserve/sync'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(same: Same<A, B>): void

interface User {
  name: string
  age?: number
  tags: string[]
  address: { city: string; zip: string | null } | null
  scores: Map<string, { points: number }>
  pair: [string, number]
  extra: unknown
}

interface Schema {
  user: User
  visits: number
  [index: number]: { at: Date }
}

export async function reading(store: Store<Schema>): Promise<void> {
  const user = await store.get('user')
  same<typeof user, User | undefined>(true)
  const visits = await store.get('visits', 0)
  same<typeof visits, number>(true)
  const entry = await store.get(5)
  same<typeof entry, { at: Date } | undefined>(true)
  // @ts-expect-error the schema has no such key
  await store.get('usr')

  const name = await store.getIn(['user', 'name'])
  same<typeof name, string | undefined>(true)
  const age = await store.getIn(['user', 'age'])
  same<typeof age, number | undefined>(true)
  const known = await store.getIn(['user', 'age'], 0)
  same<typeof known, number>(true)
  const tag = await store.getIn(['user', 'tags', 0])
  same<typeof tag, string | undefined>(true)
  const city = await store.getIn(['user', 'address', 'city'])
  same<typeof city, string | undefined>(true)
  const zip = await store.getIn(['user', 'address', 'zip'], 'none')
  same<typeof zip, string | null>(true)
  const points = await store.getIn(['user', 'scores', 'chess', 'points'])
  same<typeof points, number | undefined>(true)
  const second = await store.getIn(['user', 'pair', 1])
  same<typeof second, number | undefined>(true)
  const deep = await store.getIn(['user', 'extra', 'what', 'ever'])
  same<typeof deep, unknown>(true)
  const date = await store.getIn([7, 'at'])
  same<typeof date, Date | undefined>(true)
  const whole = await store.getIn(['user'])
  same<typeof whole, User | undefined>(true)

  // @ts-expect-error a user has no such property
  await store.getIn(['user', 'nam'])
  // @ts-expect-error a number has no properties of its own to enter
  await store.getIn(['visits', 'x'])
  // @ts-expect-error the schema has no such key
  await store.getIn(['usr', 'name'])
  // @ts-expect-error a path has a key
  await store.getIn([])

  const path: string[] = ['user', 'name']
  const dynamic = await store.getIn(path)
  same<typeof dynamic, unknown>(true)
  const fixed = ['user', 'name'] as const
  const same2 = await store.getIn(fixed)
  same<typeof same2, string | undefined>(true)
}

export async function writing(store: Store<Schema>): Promise<void> {
  await store.assoc('visits', 1)
  await store.assocIn(['user', 'name'], 'Ada')
  await store.assocIn(['user', 'tags', 0], 'poet')
  await store.assocIn(['user', 'address'], null)
  await store.assocIn(['user', 'scores', 'chess'], { points: 1 })
  // @ts-expect-error visits are a number
  await store.assoc('visits', 'one')
  // @ts-expect-error a name is text
  await store.assocIn(['user', 'name'], 5)
  // @ts-expect-error there is no such path
  await store.assocIn(['user', 'nam'], 'Ada')

  const [before, after] = await store.update('visits', (n = 0) => n + 1)
  same<typeof before, number | undefined>(true)
  same<typeof after, number>(true)
  const [old, now] = await store.updateIn(['user', 'tags'], (tags = []) => [...tags, 'new'])
  same<typeof old, string[] | undefined>(true)
  same<typeof now, string[]>(true)
  await store.updateIn(['user', 'name'], async (name) => `${name ?? ''}!`)
  // @ts-expect-error a name is text
  await store.updateIn(['user', 'name'], () => 5)
  // @ts-expect-error visits are a number
  await store.update('visits', async () => 'one')

  await store.dissocIn(['user', 'age'])
  // @ts-expect-error there is no such path
  await store.dissocIn(['user', 'years'])
  // @ts-expect-error the schema has no such key
  await store.dissoc('usr')

  for await (const { key } of store.keys()) same<typeof key, 'user' | 'visits' | number>(true)
  for await (const [key, value] of store.entries()) if (key === 'visits') same<typeof value, number>(true)
}

export async function batches(store: Store<Schema>, user: User): Promise<void> {
  const found = await store.multiGet(['user', 'visits'])
  same<typeof found, Map<'user' | 'visits', User | number>>(true)
  await store.multiGet(new Set<'user'>(['user']))
  // @ts-expect-error the schema has no such key
  await store.multiGet(['usr'])
  // @ts-expect-error several keys are no text
  await store.multiGet('user')
  const there = await store.multiAssoc({ user, visits: 1 })
  same<typeof there, Map<'user' | 'visits' | number, boolean>>(true)
  await store.multiAssoc([['user', user, { meta: { by: 'me' } }], ['visits', 1]], { expires: 5 }) // prettier-ignore
  await store.multiAssoc(new Map([['visits', 1]] as const))
  // @ts-expect-error visits are a number
  await store.multiAssoc({ visits: 'one' })
  // @ts-expect-error visits are a number
  await store.multiAssoc([['visits', 'one']])
  // @ts-expect-error the schema has no such key
  await store.multiAssoc([['usr', user]])
  const gone = await store.multiDissoc(['visits'])
  same<typeof gone, Map<'visits', boolean>>(true)
}

export async function moving(store: Store<Schema>, other: Store): Promise<void> {
  const { checked, corrupt } = await store.verify({ repair: true, onProgress: (n: number) => console.log(n) })
  same<typeof checked, number>(true)
  for (const { name, code, quarantined } of corrupt) {
    same<typeof name, string>(true)
    if (code === 'CORRUPT') same<typeof quarantined, boolean>(true)
  }
  const { signal } = new AbortController()
  for await (const chunk of store.export({ signal })) same<typeof chunk, Uint8Array>(true)
  const done = await store.import(other.export().pipeThrough(new TransformStream<Uint8Array, Uint8Array>()))
  const imported: number = done.imported + done.skipped
  await store.import(new Uint8Array(imported), { existing: 'keep', signal })
  await store.import(new Blob([]))
  // @ts-expect-error there is no such choice
  await store.import(new Uint8Array(1), { existing: 'both' })
  // @ts-expect-error text is no bytes
  await store.import('text')
  const copied = await store.copyTo(other, { existing: 'replace' })
  same<typeof copied, number>(true)
  // @ts-expect-error a place is no open store
  await store.copyTo({ backend: 'memory' })
}

export function movingNow(store: SyncStore<Schema>, other: SyncStore): void {
  const imported: number = store.import(other.export()).imported
  const copied: number = store.copyTo(other) + imported
  const checked: number = store.verify({ repair: true }).checked + copied
  // @ts-expect-error nothing can end what does not wait
  store.verify({ signal: AbortSignal.abort(), onProgress: () => console.log(checked) })
}

export function synchronously(): void {
  const store = openSync<Schema>({ path: './store' })
  const name = store.getIn(['user', 'name'], 'nobody')
  same<typeof name, string>(true)
  const [, visits] = store.update('visits', (n = 0) => n + 1)
  same<typeof visits, number>(true)
  // @ts-expect-error a synchronous update does not wait
  store.update('visits', async () => 1)
  for (const [key, value] of store.entries()) console.log(key, value)
  for (const { key } of store.keys({ prefix: 'v' })) same<typeof key, 'user' | 'visits' | number>(true)
  const found = store.multiGet(['visits'])
  same<typeof found, Map<'visits', number>>(true)
  store.multiAssoc([['visits', 1]])
  store.addWriteHook('log', ({ op, key }) => console.log(op, key))
  store.removeWriteHook('log')
  // @ts-expect-error a synchronous store tells of its own writes only, by hooks
  store.changes()
  // @ts-expect-error there is no database that does not wait
  openSync({ backend: 'indexeddb', name: 'x' })
  store[Symbol.dispose]()
}

export async function opening(): Promise<void> {
  const store = await openStore<Schema>({ name: 'notes' })
  await reading(store)
  await writing(store)
}
