// Serializers and records.

import { Keyword, openStore } from 'konserve'
import type { Config, Encryptor, RecordHandler, Records, Serializer } from 'konserve'
import * as sync from 'konserve/sync'
import type { Serializer as SyncSerializer } from 'konserve/sync'

const json: Serializer = {
  id: 128,
  name: 'json',
  encode: (value: unknown) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
}

class Typed implements SyncSerializer {
  readonly id = 129
  readonly name = 'typed'
  encode(value: { n: number }): Uint8Array {
    return Uint8Array.of(value.n)
  }
  decode([n = 0]: Uint8Array): { n: number } {
    return { n }
  }
}

export async function serializers(): Promise<void> {
  await openStore({ backend: 'memory', serializer: json, serializers: [new Typed()] })
  await openStore({ path: 'here', serializer: 'cbor', serializers: [json] as const })
  sync.openStore({ backend: 'memory', serializer: new Typed() })
  // @ts-expect-error an encode that takes its time
  const slow: Serializer = { ...json, encode: async () => new Uint8Array(0) }
  // @ts-expect-error it cannot be read
  const writes: Serializer = { id: 130, name: 'writes', encode: json.encode }
  // @ts-expect-error its id is no number
  const named: Serializer = { ...json, id: 'json' }
  // @ts-expect-error no serializer has this name
  const unknown: Config = { backend: 'memory', serializer: 'json' }
  void [slow, writes, named, unknown]
}

export async function sharedWithClojure(): Promise<void> {
  const encryptor: Encryptor = { type: 'aes', key: new Map([[Keyword.of('k'), 1]]) }
  const store = await openStore({
    path: 'here',
    layout: 'konserve',
    serializer: 'fressian',
    compressor: 'zstd',
    encryptor,
  })
  const meta = await store.getMeta('k')
  const size: number | undefined = meta?.size
  const digest: Uint8Array | undefined = meta?.digest
  sync.openStore({
    backend: 'memory',
    layout: 'konserve',
    serializer: 'edn',
    encryptor: { type: 'aes-gcm', key: 'ab' },
  })
  // @ts-expect-error there is no such layout
  const layout: Config = { path: 'here', layout: 'clojure' }
  // @ts-expect-error nor such an encryptor
  const cipher: Config = { path: 'here', encryptor: { type: 'des', key: 'k' } }
  // @ts-expect-error it needs a key
  const keyless: Config = { path: 'here', encryptor: { type: 'aes' } }
  void [size, digest, layout, cipher, keyless]
}

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

class Money {
  #cents: number
  private constructor(cents: number) {
    this.#cents = cents
  }
  get cents(): number {
    return this.#cents
  }
  static of(cents: number): Money {
    return new Money(cents)
  }
}

abstract class Shape {
  abstract area(): number
}

const money: RecordHandler<Money, number> = { class: Money, write: (it) => it.cents, read: Money.of }

export async function records(): Promise<void> {
  const known: Records = {
    'geo/Point': Point,
    'geo/Shape': Shape,
    'geo/Line': { class: Point },
    'geo/Old': { read: ({ x, y }: { x: number; y: number }) => new Point(x, y) },
    'shop/Money': money,
  }
  await openStore({ backend: 'memory', records: known })
  sync.openStore({ backend: 'memory', records: { 'geo/Point': { class: Point, write: ({ x, y }: Point) => [x, y] } } })
  // @ts-expect-error a handler has a class or a read
  const none: RecordHandler = {}
  // @ts-expect-error a write without a class
  const writes: RecordHandler = { write: () => 1, read: () => new Point(1, 2) }
  // @ts-expect-error no class
  const text: Records = { 'geo/Point': 'Point' }
  // @ts-expect-error what is read is an object of the class
  const other: RecordHandler<Money, number> = { read: (cents) => cents }
  // @ts-expect-error its objects are not of that class
  const mixed: RecordHandler<Money, number> = { class: Point }
  void [mixed, none, writes, text, other]
}
