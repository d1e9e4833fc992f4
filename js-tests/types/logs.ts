// Logs and sweeps.

import { Keyword, openStore } from 'konserve'
import type { AsyncLog, Key } from 'konserve'
import * as sync from 'konserve/sync'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(same: Same<A, B>): void

export async function untyped(): Promise<void> {
  const store = await openStore({ backend: 'memory' })
  await store.append('log', { any: 1 }, { meta: { by: 'me' } })
  await store.append(Keyword.of('log'), 1)
  // @ts-expect-error undefined is no key
  await store.append(undefined, 1)
  const log = store.log('log')
  same<typeof log, AsyncLog<unknown>>(true)
  const all = await log
  same<typeof all, unknown[]>(true)
  for await (const element of log) same<typeof element, unknown>(true)
  const count = await store.reduceLog('log', (n) => n + 1, 0)
  same<typeof count, number>(true)
  const { signal } = new AbortController()
  await store.log('log', { signal })
  await store.reduceLog('log', (n) => n + 1, 0, { signal })
  const deleted = await store.sweep({ keep: new Set(['a', 1]), before: new Date(), batchSize: 10 })
  same<typeof deleted, Set<Key>>(true)
  await store.sweep({ keep: [['a', 1]], before: store.cutoff(), signal: new AbortController().signal })
  // @ts-expect-error a sweep is told what to keep
  await store.sweep({ before: 1 })
  // @ts-expect-error a sweep is told until when
  await store.sweep({ keep: [] })
  const done = await store.withUnreferencedWrites(async () => 'done')
  same<typeof done, string>(true)
}

interface Schema {
  events: { at: Date; what: string }[]
  visits: number
}

export async function typed(): Promise<void> {
  const store = await openStore<Schema>({ backend: 'memory' })
  await store.append('events', { at: new Date(), what: 'began' })
  // @ts-expect-error not an element of that log
  await store.append('events', { at: 'now' })
  // @ts-expect-error no log
  await store.append('visits', 1)
  // @ts-expect-error no key of the schema
  await store.append('nothing', 1)
  const [first] = await store.log('events')
  same<typeof first, { at: Date; what: string } | undefined>(true)
  const texts = await store.reduceLog('events', (all: string[], { what }) => [...all, what], [])
  same<typeof texts, string[]>(true)
  // @ts-expect-error no key of the schema
  await store.sweep({ keep: ['nothing'], before: 1 })

  const now = sync.openStore<Schema>({ backend: 'memory' })
  now.append('events', { at: new Date(), what: 'began' })
  const events = now.log('events')
  same<typeof events, { at: Date; what: string }[]>(true)
  const deleted = now.sweep({ keep: ['visits'], before: now.cutoff() })
  same<typeof deleted, Set<'events' | 'visits'>>(true)
  const result = now.withUnreferencedWrites(() => 1)
  same<typeof result, number>(true)
}
