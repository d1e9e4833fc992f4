import { decodeEntries } from './decode.js'
import { encodeKeys } from './encode.js'
import { KonserveError } from './error.js'
import { call } from './hooks.js'

const invalid = (message) => new KonserveError('INVALID_CONFIG', message)

/** What only a tiered store has. */
const TIERED = ['frontendConfig', 'backendConfig', 'writePolicy', 'readPolicy', 'sync', 'queue', 'onError']
export const TIER_OPTIONS = [...TIERED, 'cache']

/**
 * Checks the options of tiers and caches in a copy of a config; `checked(config)` checks that of a tier, `isStore(tier)`
 * says whether it is an open store instead.
 */
export function checkTiers(copy, checked, isStore) {
  if (copy.cache !== undefined) copy.cache = cacheOf(copy.cache)
  if (copy.backend !== 'tiered') {
    const option = TIERED.find((option) => copy[option] !== undefined)
    if (option) throw invalid(`${option} is no option of this backend, only of tiered; leave it out`)
    return
  }
  for (const tier of ['frontendConfig', 'backendConfig']) {
    if (copy[tier] !== undefined && !isStore(copy[tier])) copy[tier] = tierOf(tier, checked(copy[tier]), copy[tier])
  }
  if (copy.queue !== undefined) copy.queue = options('queue', copy.queue, ['entries']).entries
  if (copy.sync !== null && typeof copy.sync === 'object') copy.sync = walkOf(copy.sync)
  const { onError } = copy
  if (onError === undefined) return
  if (typeof onError !== 'function') throw invalid('onError is a function, which gets the error')
  copy.onError = (error) => call('onError', onError, error)
}

/** `true` is a cache of the usual size, `false` none. */
function cacheOf(cache) {
  if (typeof cache === 'boolean') return cache ? {} : undefined
  return options('cache', cache, ['entries', 'bytes'])
}

/** Said once for both tiers, since what they hold is the same. */
const COMMON = [
  'wasm',
  'signal',
  'layout',
  'serializer',
  'serializers',
  'records',
  'keywords',
  'compressor',
  'encryptor',
]

function tierOf(tier, config, given) {
  const option = COMMON.find((option) => given[option] !== undefined)
  if (option) throw invalid(`${option} is no option of ${tier}; say it in the config of the tiered store`)
  return config
}

function options(what, given, names) {
  const unknown = Object.keys(Object(given)).find((name) => !names.includes(name))
  if (given !== null && typeof given === 'object' && unknown === undefined) return { ...given }
  throw invalid(`${what} is an object with ${names.join(' and ')}, or left out`)
}

function walkOf(sync) {
  const { roots, walk } = options('sync', sync, ['roots', 'walk'])
  if (typeof walk !== 'function' || typeof roots !== 'object' || typeof roots?.[Symbol.iterator] !== 'function') {
    throw invalid(
      'sync by walking has roots, which are keys, and walk, a function of a value and its key that gives keys',
    )
  }
  return { roots: [...roots], walk }
}

/** The config as the module reads it: `asTier(store)` stands for an open store, or is a promise of what does. */
export function forModule(config, asTier, then) {
  const { sync, cache } = config
  const plain = { ...config, sync: typeof sync === 'object' ? undefined : sync }
  if (cache && databaseOf(config) !== undefined && typeof BroadcastChannel === 'function') plain.told = true
  if (config.backend !== 'tiered') return then(plain, (plain) => plain)
  const tier = (given) => (given?.backend === undefined ? given && asTier(given) : forModule(given, asTier, then))
  return then(tier(config.frontendConfig), (frontendConfig) =>
    then(tier(config.backendConfig), (backendConfig) => ({ ...plain, frontendConfig, backendConfig })),
  )
}

/** The name of the database that this config writes, if others may have it open: `of(store)` gives that of an open one. */
export function databaseOf({ backend, name, backendConfig, writePolicy }, of = () => undefined) {
  if (backend === 'indexeddb') return name
  if (backend !== 'tiered' || writePolicy === 'frontend-only' || !backendConfig) return undefined
  return backendConfig.backend === undefined ? of(backendConfig) : databaseOf(backendConfig, of)
}

/** Whether reads may be answered by copies. */
export const hasCopies = ({ backend, cache }) => backend === 'tiered' || cache !== undefined

/** Goes from key to key, as `sync: { roots, walk }` says. */
export async function walkLater(walking, walk, records) {
  try {
    for (let met = await walking.next(); met !== undefined; met = await walking.next()) {
      const [[key, value]] = decodeEntries(met, records)
      walking.found(keysOf(await walk(value, key)))
    }
  } finally {
    walking.free()
  }
}

/** The same at once. */
export function walkNow(walking, walk, records) {
  try {
    for (let met = walking.nextNow(); met !== undefined; met = walking.nextNow()) {
      const [[key, value]] = decodeEntries(met, records)
      walking.found(keysOf(walk(value, key)))
    }
  } finally {
    walking.free()
  }
}

function keysOf(keys = []) {
  if (typeof keys === 'object' && typeof keys?.[Symbol.iterator] === 'function') return encodeKeys([...keys])
  throw new KonserveError('INVALID_VALUE', 'walk gives keys: an array of them, or another iterable')
}
