// The classes of values, and how they look.

import { Keyword, List, Tagged, openStore } from 'konserve'
import type { Config } from 'konserve'
import * as sync from 'konserve/sync'

export async function values(): Promise<void> {
  const list: List<number> = List.of(1, 2) as List<number>
  const items: number[] = list
  const first: number | undefined = list[0]
  const store = await openStore({ backend: 'memory', keywords: 'strings' })
  await store.assoc(list, { list, keyword: Keyword.of('a'), tagged: new Tagged(32, 'https://example.org') })
  await store.getIn(['user', Keyword.of('name'), 'first'])
  sync.openStore({ backend: 'memory', keywords: 'strings' }).assoc(sync.List.of(1), new sync.List())
  // @ts-expect-error there is no such way
  const text: Config = { backend: 'memory', keywords: 'text' }
  // @ts-expect-error a symbol of JavaScript is no key
  void store.get(Symbol('a'))
  void [items, first, text]
}
