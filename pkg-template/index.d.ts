/**
 * A key-value and document store: atomic updates by path, one checked format in Rust, Node and the browser.
 */

declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol
  }
}

/** Creates a store; `STORE_EXISTS` if there is one. */
export function createStore<Schema = unknown>(config: Config): Promise<Store<Schema>>
/** Opens a store that exists; `STORE_NOT_FOUND` if there is none. */
export function connectStore<Schema = unknown>(config: Config): Promise<Store<Schema>>
/** Opens a store, or creates it. */
export function openStore<Schema = unknown>(config: Config): Promise<Store<Schema>>
/** Whether there is a store. */
export function storeExists(config: Config): Promise<boolean>
/** Deletes a store with all that is in it; nothing if there is none. */
export function deleteStore(config: Config): Promise<void>

/** Where a store is, and how it is kept. With no `backend`: `indexeddb` in a browser, `file` in Node if `path` is given. */
export type Config = MemoryConfig | FileConfig | IndexedDbConfig

/** What every configuration may have. */
export interface CommonConfig {
  /** The store's own id, a UUID. Without it a new store gets a random one; an existing store must have this one. */
  id?: string | Uuid
  /** How blobs are laid out: every byte checked. */
  layout?: 'sealed'
  /** How values are written. */
  serializer?: 'cbor'
  /** How values are compressed from now on; what is there stays readable. */
  compressor?: 'none' | 'lz4'
  /** Where the wasm module is, if it is not to be found beside the package. Used by the first call, which loads it. */
  wasm?: WasmSource | Promise<WasmSource>
}

/** The wasm module: its place, the answer to a request for it, its bytes, or compiled. */
export type WasmSource = string | URL | Response | ArrayBuffer | ArrayBufferView | WebAssembly.Module

/** In memory, as long as the program runs. */
export interface MemoryConfig extends CommonConfig {
  backend: 'memory'
  /** Any text: all who name it have the same store. Without it, a store of one's own. */
  id?: string | Uuid
}

/** In a folder, for Node. */
export interface FileConfig extends CommonConfig {
  backend?: 'file'
  /** The folder; its parents are made if they are missing. */
  path: string
  /** Whether each write waits until it is on the disk. `false` is faster, and may lose the last writes in a power cut. */
  syncBlob?: boolean
  /** `exclusive` (default): the only writer. `shared`: several processes may write. `read`: reads, and changes nothing. */
  access?: 'exclusive' | 'shared' | 'read'
}

/** In the browser's database, for pages and workers. */
export interface IndexedDbConfig extends CommonConfig {
  backend?: 'indexeddb'
  /** The name of the database. */
  name: string
  /** `relaxed` (default): as browsers do. `strict`: each write waits until it is on the disk. */
  durability?: 'relaxed' | 'strict'
}

/** What can be a key, or a step of a path: any value that can be stored, but `undefined`. Whole numbers are array indices. */
export type Key =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | ArrayBufferView
  | ArrayBuffer
  | Keyword
  | Symbol_
  | Uuid
  | Ratio
  | Decimal
  | Char
  | Tagged
  | readonly Key[]
  | ReadonlyMap<Key, Key>
  | ReadonlySet<Key>
  | { readonly [name: string]: Key }

/** What a write may say besides the value. */
export interface WriteOptions {
  /** Your own entries of the metadata, as `getMeta` and `keys` give them. */
  meta?: { readonly [name: string]: unknown }
  /** When the value is gone: a date, or milliseconds since 1970. */
  expires?: Date | number
}

/** What is known of a key without reading its value, your own entries included. */
export interface Meta<K = unknown> {
  key: K
  type: 'edn' | 'binary' | 'append-log'
  lastWrite: Date
  expires?: Date
  /** Bytes of the value, before compression. */
  size: number
  /** BLAKE3 of the value as it is stored, 32 bytes. */
  digest: Uint8Array
  [own: string]: unknown
}

/** What a listing may be narrowed to. */
export interface Query {
  /** Only keys of this type. */
  type?: 'edn' | 'binary' | 'append-log'
  /** Only keys that begin so: texts with this text, arrays with these elements. */
  prefix?: string | readonly Key[]
}

/** What `keys()` and `entries()` give: read page by page. Each entry is consistent; the listing is no snapshot. */
export interface AsyncListing<T> extends AsyncIterable<T> {
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined>
  /** All of it. */
  toArray(): Promise<T[]>
}

/** What `log()` gives: `await` it for an array, or iterate over it, which reads a page at a time. */
export interface AsyncLog<T> extends AsyncListing<T>, PromiseLike<T[]> {
  catch<R>(onrejected: (reason: unknown) => R | PromiseLike<R>): Promise<T[] | R>
  finally(onfinally?: () => void): Promise<T[]>
}

/** What a sweep spares, and how it goes. */
export interface SweepOptions<K = Key> {
  /** These keys stay. */
  keep: Iterable<K>
  /** What was written at this time or later stays. Nothing that is written after the sweep began is deleted. */
  before: Date | number
  /** How many keys are deleted together; default 1000. */
  batchSize?: number
  /** Stops it between two batches. It can be begun again. */
  signal?: AbortSignal
}

/**
 * A store. `Store<{ user: User, visits: number }>` checks keys, paths and values; without a schema they are `unknown`.
 */
export interface Store<Schema = unknown> {
  /** The value of a key; `notFound` only if there is none. A stored `undefined` is itself. */
  get<K extends KeyOf<Schema>>(key: K): Promise<ValueOf<Schema, K> | undefined>
  get<K extends KeyOf<Schema>, N>(key: K, notFound: N): Promise<Found<ValueOf<Schema, K>, N>>

  /** The value at a path: the key, then the steps into its value. `notFound` wherever the path ends early. */
  getIn<const P extends Path<Schema>>(path: readonly [...P] & Checked<Schema, P>): Promise<At<Schema, P> | undefined>
  getIn<const P extends Path<Schema>, N>(
    path: readonly [...P] & Checked<Schema, P>,
    notFound: N,
  ): Promise<Found<At<Schema, P>, N>>

  /** Whether a key has a value. */
  exists(key: KeyOf<Schema>): Promise<boolean>
  /** What is known of a key; `undefined` if it has no value. */
  getMeta<K extends KeyOf<Schema>>(key: K): Promise<Meta<K> | undefined>

  /** Sets the value of a key. */
  assoc<K extends KeyOf<Schema>>(key: K, value: ValueOf<Schema, K>, options?: WriteOptions): Promise<void>
  /** Sets the value at a path. Missing levels become plain objects; an array may grow by one. */
  assocIn<const P extends Path<Schema>>(
    path: readonly [...P] & Checked<Schema, P>,
    value: At<Schema, P>,
    options?: WriteOptions,
  ): Promise<void>

  /**
   * Makes the new value of a key of the old one, atomically. `fn` may be called more than once. Gives both values.
   */
  update<K extends KeyOf<Schema>, V extends ValueOf<Schema, K>>(
    key: K,
    fn: (old: ValueOf<Schema, K> | undefined) => V | PromiseLike<V>,
    options?: WriteOptions,
  ): Promise<[old: ValueOf<Schema, K> | undefined, now: V]>
  /** The same of the value at a path. */
  updateIn<const P extends Path<Schema>, V extends At<Schema, P>>(
    path: readonly [...P] & Checked<Schema, P>,
    fn: (old: At<Schema, P> | undefined) => V | PromiseLike<V>,
    options?: WriteOptions,
  ): Promise<[old: At<Schema, P> | undefined, now: V]>

  /** Removes a key. Gives whether it was there. */
  dissoc(key: KeyOf<Schema>): Promise<boolean>
  /** Removes what is at a path. Gives whether it was there. */
  dissocIn<const P extends Path<Schema>>(path: readonly [...P] & Checked<Schema, P>): Promise<boolean>

  /** What is known of every key, without reading the values. What cannot be read is reported after the rest. */
  keys(query?: Query): AsyncListing<Meta<KeyOf<Schema>>>
  /** Every key with its value. */
  entries(query?: Query): AsyncListing<EntryOf<Schema>>

  /**
   * Adds an element to the end of a log, which begins with its first one. It costs the same however long the log is.
   * `meta` and `expires` are the log's. `NOT_A_LOG` if the key holds something else.
   */
  append<K extends KeyOf<Schema>>(key: K, element: ElementOf<Schema, K>, options?: WriteOptions): Promise<void>
  /** The elements of a log in the order of their appends, as they are at the call; none if there is no log. */
  log<K extends KeyOf<Schema>>(key: K): AsyncLog<ElementOf<Schema, K>>
  /** What `fn` makes of `init` and the first element, of that and the second, and so on. A page is in memory at a time. */
  reduceLog<K extends KeyOf<Schema>, R>(
    key: K,
    fn: (all: R, element: ElementOf<Schema, K>) => R | PromiseLike<R>,
    init: R,
  ): Promise<R>

  /**
   * Deletes what is neither kept nor written at or after a time, logs with their elements, and what has expired. Gives
   * the keys deleted. Others may write meanwhile.
   */
  sweep(options: SweepOptions<KeyOf<Schema>>): Promise<Set<KeyOf<Schema>>>
  /**
   * The `before` of a sweep that spares what this program is writing in `withUnreferencedWrites`, in milliseconds since
   * 1970. Take it before you look what is pointed to.
   */
  cutoff(): number
  /** Calls `fn`, which writes values first and then what points to them. Until it is done, `cutoff` stays before it. */
  withUnreferencedWrites<R>(fn: () => R | PromiseLike<R>): Promise<R>

  /** Finishes what is being written. Afterwards every method rejects with `CLOSED`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** The keys that a schema has. */
export type KeyOf<Schema> = unknown extends Schema ? Key : keyof Schema & (string | number)
/** The value that a schema has for a key. */
export type ValueOf<Schema, K> = unknown extends Schema ? unknown : K extends keyof Schema ? Schema[K] : never
/** The elements of the log that a schema has at a key, where it says an array. */
export type ElementOf<Schema, K> = unknown extends Schema
  ? unknown
  : ValueOf<Schema, K> extends readonly (infer E)[]
    ? E
    : never
/** The entries that a schema allows. */
export type EntryOf<Schema> = unknown extends Schema
  ? [key: unknown, value: unknown]
  : { [K in keyof Schema & (string | number)]: [key: K, value: Schema[K]] }[keyof Schema & (string | number)]
/** The paths that begin with a key of the schema, and those of which only the running program knows the steps. */
export type Path<Schema> = readonly [KeyOf<Schema>, ...Key[]] | readonly Key[]
/** The type of the value at a path; `unknown` where the steps are not known. */
export type At<Schema, P extends readonly unknown[]> = unknown extends Schema
  ? unknown
  : number extends P['length']
    ? unknown
    : Inside<Schema, P>
/** Nothing for a path that the schema has, else a type that no path fits. */
export type Checked<Schema, P extends readonly unknown[]> = P extends readonly []
  ? EmptyPath
  : [At<Schema, P>] extends [never]
    ? NoSuchPath
    : unknown
/** What is said of a path that the schema does not have. */
export interface NoSuchPath {
  'the schema has no such path': never
}
/** What is said of a path without a key. */
export interface EmptyPath {
  'a path begins with the key': never
}

/** What a read with a value for "not found" gives. */
export type Found<T, N> = unknown extends T ? unknown : Exclude<T, undefined> | N
type Inside<T, P extends readonly unknown[]> = P extends readonly [infer K, ...infer Rest]
  ? Inside<Step<T, K>, Rest>
  : T
/** One step into each of the types of a union; those without members fall away. */
type Step<T, K> = unknown extends T
  ? unknown
  : T extends ReadonlyMap<infer MapKey, infer V>
    ? K extends MapKey
      ? V
      : never
    : T extends object
      ? K extends keyof T
        ? T[K]
        : T extends readonly (infer E)[]
          ? K extends number
            ? E
            : never
          : never
      : never

/** The code of a `KonserveError`: stable, the same in Rust. */
export type ErrorCode =
  | 'STORE_EXISTS'
  | 'STORE_NOT_FOUND'
  | 'STORE_LOCKED'
  | 'CLOSED'
  | 'INVALID_CONFIG'
  | 'INVALID_KEY'
  | 'INVALID_PATH'
  | 'INVALID_VALUE'
  | 'LIMIT_EXCEEDED'
  | 'CORRUPT'
  | 'AUTHENTICATION'
  | 'WRONG_KEY'
  | 'UNSUPPORTED_FORMAT'
  | 'UNSUPPORTED'
  | 'CONFLICT'
  | 'QUOTA_EXCEEDED'
  | 'NO_SPACE'
  | 'PERMISSION_DENIED'
  | 'BLOCKED'
  | 'NOT_A_LOG'
  | 'NOT_BINARY'
  | 'IO'
  | 'BACKEND'

/** What every failing call throws or rejects with. The message says what was being done, and what to do about it. */
export class KonserveError extends Error {
  constructor(code: ErrorCode, message: string, about?: { key?: unknown; cause?: unknown })
  readonly name: 'KonserveError'
  readonly code: ErrorCode
  /** The key that was being worked on. */
  readonly key?: unknown
  /** The error below this one: a `DOMException`, an error of Node, what a getter threw. */
  readonly cause?: unknown
}

/** A keyword of Clojure and EDN: `Keyword.of('ns/name')` is always the same object. */
export class Keyword {
  private constructor()
  static of(text: string): Keyword
  /** `'ns/name'` or `'name'`, without the colon. */
  readonly text: string
  readonly namespace: string | undefined
  readonly name: string
  toString(): string
}

/** A symbol of Clojure and EDN, not JavaScript's: `Symbol_.of('ns/name')` is always the same object. */
export class Symbol_ {
  private constructor()
  static of(text: string): Symbol_
  readonly text: string
  readonly namespace: string | undefined
  readonly name: string
  toString(): string
}

/** A UUID. */
export class Uuid {
  /** From its text, or its 16 bytes. */
  constructor(uuid: string | Uint8Array)
  readonly text: string
  get bytes(): Uint8Array
  toString(): string
}

/** An exact fraction, in lowest terms, with a positive denominator. */
export class Ratio {
  constructor(numerator: bigint | number, denominator: bigint | number)
  readonly numerator: bigint
  readonly denominator: bigint
  toString(): string
}

/** An exact decimal number: `mantissa · 10^exponent`. */
export class Decimal {
  constructor(mantissa: bigint | number, exponent?: number)
  /** From text such as `'12.50'`. */
  static parse(text: string): Decimal
  readonly mantissa: bigint
  readonly exponent: number
  toString(): string
}

/** One character, as Clojure tells it from a text of length one. */
export class Char {
  constructor(text: string)
  readonly text: string
  toString(): string
}

/** A CBOR tag that has no meaning in JavaScript, with its content: written back as it was read. */
export class Tagged {
  constructor(tag: number | bigint, value: unknown)
  readonly tag: number | bigint
  readonly value: unknown
}
