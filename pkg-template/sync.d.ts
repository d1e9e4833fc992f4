/**
 * `konserve` without promises, for the backends that never wait: memory, and files in Node.
 */
import type {
  At,
  Batch,
  Binary,
  Checked,
  ElementOf,
  EntryOf,
  FileConfig,
  Found,
  Imported,
  Key,
  KeyOf,
  MemoryConfig,
  Meta,
  MoveOptions,
  Path,
  Query,
  Range,
  RekeyOptions,
  Report,
  Secret,
  SweepOptions,
  TieredConfig as AsyncTieredConfig,
  ValueOf,
  ValueOptions,
  VerifyOptions,
  WasmSource,
  WatchOptions,
  WriteEvent,
  WriteOptions,
} from './index.js'

export { Char, Decimal, Keyword, KonserveError, List, Ratio, Symbol_, Tagged, Uuid } from './index.js'
export type {
  Binary,
  Batch,
  BatchEntry,
  CacheOptions,
  Encryptor,
  ErrorCode,
  FileConfig,
  Key,
  MemoryConfig,
  Meta,
  Query,
  Range,
  SweepOptions,
  ValueOptions,
  RecordHandler,
  Records,
  Serializer,
  WasmSource,
  WriteEvent,
  WriteOp,
  WriteOptions,
} from './index.js'
export type { Imported, MoveOptions, RekeyOptions, Report, Secret, VerifyOptions, WatchOptions } from './index.js'

declare global {
  interface SymbolConstructor {
    readonly dispose: unique symbol
  }
}

/** Where a store is, and how it is kept. */
export type Config = WithoutSignal<MemoryConfig | FileConfig> | TieredConfig

type WithoutSignal<Given> = Given extends unknown ? Omit<Given, 'signal'> : never

/** `TieredConfig` of `konserve`, without what would have to wait. */
export interface TieredConfig extends Omit<AsyncTieredConfig, 'frontendConfig' | 'backendConfig' | 'sync' | 'signal'> {
  frontendConfig: Config | SyncStore<any>
  backendConfig: Config | SyncStore<any>
  sync?:
    | 'populate-missing'
    | 'full'
    | { roots: Iterable<Key> & object; walk: (value: unknown, key: unknown) => Iterable<Key> | undefined | void }
}

/**
 * Loads the wasm module. In a browser that cannot be done without waiting: await this before the first call.
 * In Node the first call does it.
 */
export function ready(options?: { wasm?: WasmSource | Promise<WasmSource> }): Promise<void>

/** Creates a store; `STORE_EXISTS` if there is one. */
export function createStore<Schema = unknown>(config: Config): SyncStore<Schema>
/** Opens a store that exists; `STORE_NOT_FOUND` if there is none. */
export function connectStore<Schema = unknown>(config: Config): SyncStore<Schema>
/** Opens a store, or creates it. */
export function openStore<Schema = unknown>(config: Config): SyncStore<Schema>
/** Whether there is a store. */
export function storeExists(config: Config): boolean
/** Deletes a store with all that is in it; nothing if there is none. */
export function deleteStore(config: Config): void

/** What `keys()` and `entries()` give: read page by page. Each entry is consistent; the listing is no snapshot. */
export interface Listing<T> extends Iterable<T> {
  [Symbol.iterator](): Generator<T, void, undefined>
  /** All of it. */
  toArray(): T[]
}

/** A store whose methods are done when they return. They are those of `Store`, where each is explained. */
export interface SyncStore<Schema = unknown> {
  get<K extends KeyOf<Schema>>(key: K): ValueOf<Schema, K> | undefined
  get<K extends KeyOf<Schema>, N>(key: K, notFound: N): Found<ValueOf<Schema, K>, N>
  getIn<const P extends Path<Schema>>(path: readonly [...P] & Checked<Schema, P>): At<Schema, P> | undefined
  getIn<const P extends Path<Schema>, N>(
    path: readonly [...P] & Checked<Schema, P>,
    notFound: N,
  ): Found<At<Schema, P>, N>
  exists(key: KeyOf<Schema>): boolean
  getMeta<K extends KeyOf<Schema>>(key: K): Meta<K> | undefined
  assoc<K extends KeyOf<Schema>>(key: K, value: ValueOf<Schema, K>, options?: ValueOptions): void
  assocIn<const P extends Path<Schema>>(
    path: readonly [...P] & Checked<Schema, P>,
    value: At<Schema, P>,
    options?: ValueOptions,
  ): void
  update<K extends KeyOf<Schema>, V extends ValueOf<Schema, K>>(
    key: K,
    fn: (old: ValueOf<Schema, K> | undefined) => V,
    options?: ValueOptions,
  ): [old: ValueOf<Schema, K> | undefined, now: V]
  updateIn<const P extends Path<Schema>, V extends At<Schema, P>>(
    path: readonly [...P] & Checked<Schema, P>,
    fn: (old: At<Schema, P> | undefined) => V,
    options?: ValueOptions,
  ): [old: At<Schema, P> | undefined, now: V]
  dissoc(key: KeyOf<Schema>): boolean
  dissocIn<const P extends Path<Schema>>(path: readonly [...P] & Checked<Schema, P>): boolean
  bassoc(key: KeyOf<Schema>, input: Binary, options?: ValueOptions): void
  bget(key: KeyOf<Schema>, range?: Range): Uint8Array | undefined
  multiGet<K extends KeyOf<Schema>>(keys: Iterable<K> & object): Map<K, ValueOf<Schema, K>>
  multiAssoc(entries: Batch<Schema>, options?: WriteOptions): Map<KeyOf<Schema>, boolean>
  multiDissoc<K extends KeyOf<Schema>>(keys: Iterable<K> & object): Map<K, boolean>
  addWriteHook(id: unknown, fn: (event: WriteEvent) => unknown): void
  removeWriteHook(id: unknown): void
  keys(query?: Query): Listing<Meta<KeyOf<Schema>>>
  entries(query?: Query): Listing<EntryOf<Schema>>
  verify(options?: Omit<VerifyOptions, 'signal'>): Report
  changePassphrase(options: { from: Secret; to: Secret }): void
  addKey(key: Secret): void
  removeKey(key: Secret): void
  rekey(options: Omit<RekeyOptions, 'signal'>): number
  /** The chunks are read as they are iterated over. */
  export(options?: Omit<WatchOptions, 'signal'>): IterableIterator<Uint8Array>
  import(source: Uint8Array | ArrayBuffer | Iterable<Uint8Array>, options?: Omit<MoveOptions, 'signal'>): Imported
  copyTo(store: SyncStore<any>, options?: Omit<MoveOptions, 'signal'>): number
  append<K extends KeyOf<Schema>>(key: K, element: ElementOf<Schema, K>, options?: WriteOptions): void
  /** All elements. `reduceLog` has only a page of them in memory at a time. */
  log<K extends KeyOf<Schema>>(key: K): ElementOf<Schema, K>[]
  reduceLog<K extends KeyOf<Schema>, R>(key: K, fn: (all: R, element: ElementOf<Schema, K>) => R, init: R): R
  sweep(options: SweepOptions<KeyOf<Schema>>): Set<KeyOf<Schema>>
  cutoff(): number
  withUnreferencedWrites<R>(fn: () => R): R
  /** Writes behind are in the back when it returns. */
  flush(): void
  close(): void
  [Symbol.dispose](): void
}
