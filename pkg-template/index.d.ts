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
export type Config = MemoryConfig | FileConfig | IndexedDbConfig | OwnConfig | TieredConfig

/** What every configuration may have. */
export interface CommonConfig {
  /** The store's own id, a UUID. Without it a new store gets a random one; an existing store must have this one. */
  id?: string | Uuid
  /**
   * How blobs are laid out. `sealed` (default of a new store): every byte is checked. `konserve`: as Clojure's konserve
   * does it, to share the store with Clojure programs. What there is opens without it.
   */
  layout?: 'sealed' | 'konserve'
  /**
   * How values are written from now on: by default what the store was made with, `'cbor'` for a new one. What is there
   * is read with what it was written with.
   */
  serializer?: 'cbor' | 'fressian' | 'edn' | Serializer
  /** Serializers of your own that can be read with as well. What the store was made with must be among them. */
  serializers?: readonly Serializer[]
  /** Classes of your own, or how their objects are written and read, by the names that they have in the store. */
  records?: Records
  /**
   * `'strings'`: maps whose keys are all keywords are plain objects, whose names are those of the keywords, and plain
   * objects are written as such maps: `{ name: 'Ada' }` is Clojure's `{:name "Ada"}`. Texts in paths name keywords too,
   * but for the key. A map with texts as keys is then a `Map`. By default it is the other way round: plain objects have
   * texts, and maps with keywords are `Map`s with `Keyword`s.
   */
  keywords?: 'strings'
  /** How values are compressed from now on; what is there stays readable. */
  compressor?: 'none' | 'lz4' | 'zstd'
  /**
   * How the store is encrypted, and its key. A key that does not fit, or none where one is needed, is `WRONG_KEY`; a key for
   * a store that is not encrypted is `AUTHENTICATION`.
   */
  encryptor?: Encryptor
  /**
   * Keeps in memory, as they are stored, the values that were read or written last; `true` is 1000 of them, and 32 MiB.
   * What other tabs write is not read old. `INVALID_CONFIG` where others write unseen, as in files with shared access.
   */
  cache?: boolean | CacheOptions
  /** Where the wasm module is, if it is not to be found beside the package. Used by the first call, which loads it. */
  wasm?: WasmSource | Promise<WasmSource>
  /**
   * Ends the call, which then rejects with the signal's reason; the work on a passphrase, which takes a while, ends too. A
   * store that opens all the same is closed at once. A new store may have been made by then. Not for `konserve/sync`.
   */
  signal?: AbortSignal
}

/** What a store is encrypted with. */
export type Encryptor = SealedEncryptor | ClojureEncryptor

/** Everything is encrypted and authenticated: AES-256-CBC with a BLAKE3 tag. A store has it from its beginning, or never. */
export interface SealedEncryptor {
  type: 'aes-blake3'
  /** Any key that opens the store; the first one of a new store. */
  key: Secret
}

/** 32 random bytes, or a passphrase, of which Argon2id makes bytes: the store opens more slowly with it. */
export type Secret = Uint8Array | string

/** An encryptor of stores that are shared with Clojure. Binaries are not encrypted. */
export interface ClojureEncryptor {
  /** `aes`: AES-256-CBC, which tells no damage, nor who wrote. `aes-gcm`: AES-256-GCM, which newer versions of konserve have. */
  type: 'aes' | 'aes-gcm'
  /** With `aes` any value that can be a key of the store; with `aes-gcm` 32 bytes, or their 64 hexadecimal digits. */
  key: Key
}

/**
 * A serializer of your own. Values and elements of logs go through it; keys, metadata and binaries never do. In konserve's
 * layout metadata and the heads of logs do, too: there it must keep a `Map` with `Keyword`s, `Date`s, `Uuid`s and every key.
 */
export interface Serializer {
  /** What blobs say that they were written with it: 128 to 255. Never give it to another one. */
  readonly id: number
  /** What errors call it. */
  readonly name: string
  /** The stored form of a value, as it was put. What it throws is the cause of the write's `INVALID_VALUE`. */
  encode(value: any): Uint8Array
  /** The value of a stored form. What it throws is the cause of the read's `CORRUPT`. */
  decode(bytes: Uint8Array): unknown
}

/** By name, a class, or a handler. Names that begin with `konserve/` or `js/` have a meaning already. */
export interface Records {
  readonly [name: string]: Class<object> | RecordHandler
}

/** How objects of a class are kept: a name and fields, so that programs without the class have them too. */
export type RecordHandler<T extends object = any, Fields = any> =
  | {
      readonly class: Class<T>
      /** The fields of an object; anything that can be stored. Default: its own enumerable properties. */
      readonly write?: (object: T) => Fields
      /** The object of these fields. Default: one of the class with these properties; its constructor is not called. */
      readonly read?: (fields: Fields) => T
    }
  | {
      readonly class?: undefined
      readonly write?: undefined
      /** The object of these fields. Without a class none is written: so an old name is still read. */
      readonly read: (fields: Fields) => T
    }

/** A class, whoever may construct its objects. */
export type Class<T extends object> = Function & { readonly prototype: T }

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

/** In a place of the application's own. */
export interface OwnConfig extends CommonConfig {
  backend: BackingObject
}

/** How much a cache holds. */
export interface CacheOptions {
  /** So many values. Default: 1000. */
  entries?: number
  /** So many bytes. A value that is larger is not held. Default: 32 MiB. */
  bytes?: number
}

/** In two places: a front that is near, a back that has the truth. */
export interface TieredConfig extends CommonConfig {
  backend: 'tiered'
  /** Where reads look first: a config, or an open store, which stays open and is not deleted with the tiered one. */
  frontendConfig: Config | Store<any>
  /** Where everything is. While an open store is a tier, only the tiered store may write. */
  backendConfig: Config | Store<any>
  /**
   * Where writes go. `write-through` (default): to the back, then the front. `write-behind`: to the front, and to the back
   * later, in their order; `flush` waits for that. `write-around`: to the back; the front forgets what it had.
   * `frontend-only`: to the front; the back is never written.
   */
  writePolicy?: 'write-through' | 'write-behind' | 'write-around' | 'frontend-only'
  /** Where reads look. `frontend-first` (default): then in the back, and what is found is copied. `frontend-only`: nowhere else. */
  readPolicy?: 'frontend-first' | 'frontend-only'
  /**
   * What the front is given when the store is opened. `populate-missing`: what it does not have. `full`: also what it has
   * otherwise. By walking: the roots, the keys that `walk` finds in their values, and so on, each key once.
   */
  sync?: 'populate-missing' | 'full' | TierWalk
  /** How many values may wait for the back with `write-behind`; then writers wait. Default: 1000. */
  queue?: { entries?: number }
  /** Gets the errors that no call rejects with: of the front, and of writes behind. */
  onError?: (error: KonserveError) => unknown
}

/** A way from key to key. */
export interface TierWalk {
  roots: Iterable<Key> & object
  walk: (value: unknown, key: unknown) => Awaitable<Iterable<Key> | undefined | void>
}

/** A place for blobs. Names are texts, ordered by their characters. */
export interface BackingObject {
  /** What it can do beyond its methods; read when a store is opened. */
  readonly capability?: {
    /** Several writes of one call are all made or none, also in a crash. */
    readonly atomicBatches?: boolean
    /** What was acknowledged outlives the process. */
    readonly persistent?: boolean
    /** No method ever returns a promise, so `konserve/sync` works. */
    readonly sync?: boolean
    /** Others may write at the same time; `write` then keeps to `expect`. */
    readonly shared?: boolean
  }
  /** The blobs of these names, in the order asked for; `undefined` or `null` where there is none. */
  read(names: string[]): Awaitable<readonly (Uint8Array | null | undefined)[]>
  /** Makes the writes. With `shared`: if one does not meet what it expects, makes none and gives its name. */
  write(writes: BackingWrite[]): Awaitable<string | null | undefined | void>
  /** At most `limit` names that come after this one, in ascending order. */
  names(after: string, limit: number): Awaitable<readonly string[]>
  /** Called once, last. */
  close?(): Awaitable<void>
}

/** One write: with a blob it is put, without one deleted. */
export interface BackingWrite {
  name: string
  blob?: Uint8Array
  /** Only where others may write: `null` if nothing may be there, or what bytes 8 to 19 of the blob there must be. */
  expect?: Uint8Array | null
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

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

/** The same for one value. */
export interface ValueOptions extends WriteOptions {
  /**
   * What this value is compressed with; by default what the store writes with. What is streamed is not compressed.
   * `UNSUPPORTED` in konserve's layout.
   */
  compressor?: 'none' | 'lz4' | 'zstd'
}

/** How a binary is written. */
export interface BinaryOptions extends ValueOptions {
  /**
   * Ends the call, which then rejects with the signal's reason: the key has what it had before, nothing is left behind, and
   * a stream is cancelled. Bytes at hand are written in one step, which is not interrupted.
   */
  signal?: AbortSignal
}

/** Bytes at hand; a text stands for its UTF-8. */
export type Binary = ArrayBufferView | ArrayBuffer | string
/** What a binary may be made of: bytes at hand, or what gives them one chunk after another. */
export type BinaryInput = Binary | Blob | ReadableStream<Binary> | AsyncIterable<Binary>

/** Which bytes are wanted, as `slice` has it: negative numbers count from the end, what lies beyond is left out. */
export interface Range {
  start?: number
  end?: number
}

/** A binary inside the function given to `bget`. Its bytes are there once, as those of a `Response`. */
export interface LentBinary {
  /** The bytes, piece by piece. */
  readonly stream: ReadableStream<Uint8Array>
  /** How many there are. */
  readonly size: number
  /** All of them. In IndexedDB the stored Blob, if it is one: of 1 MiB and more, and not compressed. */
  blob(): Promise<Blob>
}

/** What is known of a key without reading its value, your own entries included. */
export interface Meta<K = unknown> {
  key: K
  type: 'edn' | 'binary' | 'append-log'
  lastWrite: Date
  expires?: Date
  /** Bytes of the value, before compression. Unknown in konserve's layout. */
  size?: number
  /** BLAKE3 of the value as it is stored, 32 bytes. Unknown in konserve's layout. */
  digest?: Uint8Array
  [own: string]: unknown
}

/** What a listing may be narrowed to. */
export interface Query {
  /** Only keys of this type. */
  type?: 'edn' | 'binary' | 'append-log'
  /** Only keys that begin so: texts with this text, arrays with these elements. */
  prefix?: string | readonly Key[]
}

/** A listing, and what ends it. */
export interface ListOptions extends Query {
  /** Ends the iteration, which then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** What an update may say. */
export interface UpdateOptions extends ValueOptions {
  /**
   * Ends the call, which then rejects with the signal's reason, and nothing was changed. A function that waits meanwhile
   * is no longer waited for. Once there is a new value, and it is being written, the signal comes too late.
   */
  signal?: AbortSignal
}

/** How a call that takes long is watched. */
export interface WatchOptions {
  /** Called again and again with the number of entries so far. What it throws ends the call. */
  onProgress?: (entries: number) => void
  /** Ends the call, which then rejects with the signal's reason. What was written stays. */
  signal?: AbortSignal
}

/** How everything is checked. */
export interface VerifyOptions extends WatchOptions {
  /** Whether what is damaged is taken out of the way. Default: `false`. */
  repair?: boolean
}

/** Which keys a store has afterwards. */
export interface RekeyOptions extends WatchOptions {
  keys: Secret[]
}

/** What `verify` found. */
export interface Report {
  /** How many blobs were read. */
  checked: number
  /** Those that cannot be read: the name of the blob, why, and whether it was taken out of the way. */
  corrupt: { name: string; code: ErrorCode; quarantined: boolean }[]
  /** Elements of logs that have no head: harmless, and deleted by `sweep`. None are told where something is damaged. */
  orphans: string[]
}

/** How entries come into a store. */
export interface MoveOptions extends WatchOptions {
  /**
   * What becomes of keys that exist. `error` (default): the first is a `CONFLICT`, what came before stays. `keep`: they
   * are passed over. `replace`: they are replaced, also by what was written earlier.
   */
  existing?: 'error' | 'keep' | 'replace'
}

/** Where an import reads: the bytes, or anything that gives them piece by piece. */
export type ImportSource =
  Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** What came of an import: how many entries were put, and how many passed over. */
export interface Imported {
  imported: number
  skipped: number
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
  assoc<K extends KeyOf<Schema>>(key: K, value: ValueOf<Schema, K>, options?: ValueOptions): Promise<void>
  /** Sets the value at a path. Missing levels become plain objects; an array may grow by one. */
  assocIn<const P extends Path<Schema>>(
    path: readonly [...P] & Checked<Schema, P>,
    value: At<Schema, P>,
    options?: ValueOptions,
  ): Promise<void>

  /**
   * Makes the new value of a key of the old one, atomically. `fn` may be called more than once. Gives both values.
   */
  update<K extends KeyOf<Schema>, V extends ValueOf<Schema, K>>(
    key: K,
    fn: (old: ValueOf<Schema, K> | undefined) => V | PromiseLike<V>,
    options?: UpdateOptions,
  ): Promise<[old: ValueOf<Schema, K> | undefined, now: V]>
  /** The same of the value at a path. */
  updateIn<const P extends Path<Schema>, V extends At<Schema, P>>(
    path: readonly [...P] & Checked<Schema, P>,
    fn: (old: At<Schema, P> | undefined) => V | PromiseLike<V>,
    options?: UpdateOptions,
  ): Promise<[old: At<Schema, P> | undefined, now: V]>

  /** Removes a key. Gives whether it was there. */
  dissoc(key: KeyOf<Schema>): Promise<boolean>
  /** Removes what is at a path. Gives whether it was there. */
  dissocIn<const P extends Path<Schema>>(path: readonly [...P] & Checked<Schema, P>): Promise<boolean>

  /** Sets the bytes of a key, as they are: a binary. A text becomes UTF-8. */
  bassoc(key: KeyOf<Schema>, input: BinaryInput, options?: BinaryOptions): Promise<void>
  /** The bytes of a binary, or a part of them; `undefined` if there is none, `NOT_BINARY` where a value is stored. */
  bget(key: KeyOf<Schema>, range?: Range): Promise<Uint8Array | undefined>
  /**
   * Gives a binary to `use` and returns what that returns; `undefined`, without calling it, if there is none. All of it was
   * checked before. Until `use` is done the key is locked: waiting for a write to the same key inside waits for ever.
   * Once `signal` is aborted the call rejects with its reason, the key is free, and what reads the binary fails.
   */
  bget<T>(
    key: KeyOf<Schema>,
    use: (binary: LentBinary) => T | PromiseLike<T>,
    options?: { signal?: AbortSignal },
  ): Promise<T | undefined>

  /** The values of several keys, read together: of those that have one, in the order given. Keys are those you gave. */
  multiGet<K extends KeyOf<Schema>>(keys: Iterable<K> & object): Promise<Map<K, ValueOf<Schema, K>>>
  /**
   * Sets several values: all of them, or none. Gives for each key whether it was there before. Of a key that comes twice
   * the last value counts. `meta` and `expires` hold for all; those of an entry, its third member, are merged over them.
   */
  multiAssoc(entries: Batch<Schema>, options?: WriteOptions): Promise<Map<KeyOf<Schema>, boolean>>
  /** Removes several keys: all of them, or none. Gives for each whether it was there. */
  multiDissoc<K extends KeyOf<Schema>>(keys: Iterable<K> & object): Promise<Map<K, boolean>>

  /**
   * Calls `fn` after each write of this object that succeeded, in the order of the writes to a key, before the write's
   * promise resolves. What it throws is reported to the console. A hook of the same id is replaced.
   * With a hook, `assoc` and `dissoc` read what was there before.
   */
  addWriteHook(id: unknown, fn: (event: WriteEvent) => unknown): void
  /** Removes the hook of this id, if there is one. */
  removeWriteHook(id: unknown): void

  /**
   * The writes from now on: those of this object, and with IndexedDB those of everybody else who has the same store open,
   * in this tab, in others and in workers. The iteration ends with `signal`, or when the store is closed. When the reader
   * is so slow that more than 1024 changes wait, these are dropped, and `{ lost: true }` comes in their place.
   */
  changes(options?: { signal?: AbortSignal | undefined }): AsyncIterableIterator<Change>
  /** Calls the listener with each change. What it throws is reported to the console. */
  addEventListener(
    type: 'change',
    listener: ChangeListener,
    options?: { once?: boolean | undefined; signal?: AbortSignal | undefined },
  ): void
  removeEventListener(type: 'change', listener: ChangeListener): void
  /** What is known of every key, without reading the values. What cannot be read is reported after the rest. */
  keys(query?: ListOptions): AsyncListing<Meta<KeyOf<Schema>>>
  /** Every key with its value. */
  entries(query?: ListOptions): AsyncListing<EntryOf<Schema>>

  /**
   * Reads and checks everything. With `repair` what is damaged (`CORRUPT`) is taken out of the way: a file is renamed to
   * `<name>.ksv.damaged.new`, a row of a database to `konserve.damaged.<name>.ksv`. Its key then has no value.
   */
  verify(options?: VerifyOptions): Promise<Report>

  /**
   * Lets one key open the store in the place of another, which is no passphrase of it afterwards. Either may be bytes or a
   * passphrase. What is stored is not written anew, which `rekey` does. `WRONG_KEY` if `from` does not open the store.
   */
  changePassphrase(options: { from: Secret; to: Secret }): Promise<void>
  /** Lets one more key open the store, of at most 8 (`LIMIT_EXCEEDED`). */
  addKey(key: Secret): Promise<void>
  /** Lets a key open the store no more: `WRONG_KEY` if it does not, `INVALID_CONFIG` if it is the only one. */
  removeKey(key: Secret): Promise<void>
  /**
   * Writes everything anew under a new key of the data, and lets `keys`, and no others, open the store. Each value stays
   * readable meanwhile. What was interrupted is resumed by the next `rekey`. Gives how many blobs were written. Nobody else
   * may have the store open (`STORE_LOCKED`).
   */
  rekey(options: RekeyOptions): Promise<number>

  /**
   * All that the store holds, as a stream of bytes to keep or to import elsewhere. Each entry is checked as it is read;
   * one that is damaged ends the stream with an error that names it. What has expired is left out. No snapshot: what is
   * written meanwhile may be in it or not.
   */
  export(options?: WatchOptions): ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>
  /**
   * Takes in what this or another store exported. Each entry is checked before it is put. If the bytes are damaged or
   * end early, what came before stays, and the error says in which entry that was and how many were put. The same
   * may be imported again: what is there already is passed over.
   */
  import(source: ImportSource, options?: MoveOptions): Promise<Imported>
  /**
   * Copies every key, value and metadata into another store, whatever its backend and compressor. Gives how many were
   * copied.
   */
  copyTo(store: Store<any>, options?: MoveOptions): Promise<number>

  /**
   * Adds an element to the end of a log, which begins with its first one. It costs the same however long the log is.
   * `meta` and `expires` are the log's. `NOT_A_LOG` if the key holds something else.
   */
  append<K extends KeyOf<Schema>>(key: K, element: ElementOf<Schema, K>, options?: WriteOptions): Promise<void>
  /** The elements of a log in the order of their appends, as they are at the call; none if there is no log. */
  log<K extends KeyOf<Schema>>(key: K, options?: { signal?: AbortSignal }): AsyncLog<ElementOf<Schema, K>>
  /** What `fn` makes of `init` and the first element, of that and the second, and so on. A page is in memory at a time. */
  reduceLog<K extends KeyOf<Schema>, R>(
    key: K,
    fn: (all: R, element: ElementOf<Schema, K>) => R | PromiseLike<R>,
    init: R,
    options?: { signal?: AbortSignal },
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

  /**
   * Waits until all that was acknowledged is where it belongs: with `write-behind` in the back. Rejects with the error of a
   * write that is not there; the next `flush` tries again.
   */
  flush(): Promise<void>
  /** Finishes what is being written. Afterwards every method rejects with `CLOSED`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Several values and where they go: a Map, a plain object whose names are the keys, or an array of entries. */
export type Batch<Schema> = unknown extends Schema
  ? ReadonlyMap<Key, unknown> | { readonly [key: string]: unknown } | readonly BatchEntry<Schema>[]
  : ReadonlyMap<KeyOf<Schema>, ValueOf<Schema, KeyOf<Schema>>> | Partial<Schema> | readonly BatchEntry<Schema>[]
/** An entry of a batch, and what it alone says. */
export type BatchEntry<Schema> = unknown extends Schema
  ? readonly [key: Key, value: unknown, options?: WriteOptions]
  : {
      [K in keyof Schema & (string | number)]: readonly [key: K, value: Schema[K], options?: WriteOptions]
    }[keyof Schema & (string | number)]

/** What a write did. */
export type WriteOp =
  | 'assoc'
  | 'assoc-in'
  | 'update'
  | 'update-in'
  | 'dissoc'
  | 'dissoc-in'
  | 'bassoc'
  | 'multi-assoc'
  | 'multi-dissoc'
  | 'append'
  /** Keys were deleted by a sweep: one event for each of its batches, and one for each log. */
  | 'sweep'
  /** Keys came from elsewhere, by `import` or a `copyTo` into this store: one event for all that were put together. */
  | 'import'
  /** `verify` took what was damaged out of the way. No keys where its key could not be read. */
  | 'repair'

/** A write that succeeded. */
export interface WriteEvent {
  op: WriteOp
  /** Of a write to one key. */
  key?: unknown
  /** The key and the steps, of `assoc-in`, `update-in` and `dissoc-in`. */
  path?: unknown[]
  /** What is there now, at the path; of `append` the element. */
  value?: unknown
  /** What was there before, at the path; absent too where it could not be read. */
  oldValue?: unknown
  /** The keys and values of `multi-assoc`, in the order given. */
  kvs?: [key: unknown, value: unknown][]
  /** The keys of a batch, `sweep`, `import` or `repair`; of `multi-dissoc` those that were there. */
  keys?: unknown[]
  /** Your own entries of the metadata that the write gave. */
  meta?: { [name: string]: unknown }
}

/** A write, of this object or of somebody else; or that some were lost, and everything may have changed. */
export type Change =
  | { op: WriteOp; keys: unknown[]; origin: 'local' | 'remote'; lost?: undefined }
  | { lost: true; op?: undefined; keys?: undefined; origin?: undefined }

/** What a listener gets. */
export interface ChangeEvent {
  type: 'change'
  op: WriteOp
  keys: unknown[]
  origin: 'local' | 'remote'
}
export type ChangeListener = ((event: ChangeEvent) => unknown) | { handleEvent(event: ChangeEvent): unknown }

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

/** A list of Clojure and EDN, `(1 2)`: `List.of(1, 2)`. An array is a vector there, `[1 2]`; otherwise it is one. */
export class List<T = unknown> extends Array<T> {}

/** A CBOR tag that has no meaning in JavaScript, with its content: written back as it was read. */
export class Tagged {
  constructor(tag: number | bigint, value: unknown)
  readonly tag: number | bigint
  readonly value: unknown
}
