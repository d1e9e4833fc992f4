import { decode } from './decode.js'
import { KonserveError } from './error.js'

/** The smallest module there is: if not even this compiles, WebAssembly is forbidden here. */
const SMALLEST = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)

/**
 * Loads the wasm module when it is first needed. Calls that come meanwhile wait for the same; if it fails, the next call
 * tries again.
 *
 * The platform says how: `bindings()` imports what wasm-bindgen made, `module()` gets the wasm file in any form that
 * the option `wasm` may have, `copy()` the package's copy of it as `data:` URL, `fetch(url)` what is at a place,
 * `instantiate(bindings, module)` makes it run. All may be promises. `files()`, if any, is what a file store works with.
 */
export class Loader {
  #platform
  #running
  #starting

  constructor(platform) {
    this.#platform = platform
  }

  /** The bindings of the running module. `given`, the option `wasm`, is not looked at if there is one already. */
  load(given) {
    return this.#running ?? (this.#starting ??= this.#start(given).finally(() => (this.#starting = undefined)))
  }

  async #start(given) {
    const platform = this.#platform
    try {
      const [bindings, module] = await Promise.all([platform.bindings(), compiled(given, platform)])
      await platform.instantiate(bindings, ours(module))
      return this.run(bindings)
    } catch (error) {
      throw failure(error)
    }
  }

  /** Tells a fresh module, once, what it needs of JavaScript. */
  run(bindings) {
    if (!this.#running) bindings.start?.({ error: errorOf, ...this.#platform.files?.() })
    this.#running = bindings
    return bindings
  }

  /** The bindings, if the module is running. */
  get running() {
    return this.#running
  }
}

function errorOf(code, message, key, cause) {
  const about = key === undefined ? {} : { key: decode(key) }
  return new KonserveError(code, message, cause === undefined ? about : { ...about, cause })
}

/** What to throw when the module could not be loaded for this reason. */
export function failure(error) {
  if (error instanceof KonserveError) return error
  return (
    forbidden() ?? new KonserveError('BACKEND', 'the wasm module could not be loaded: see the cause', { cause: error })
  )
}

/** The error that says that WebAssembly is forbidden here, if it is. */
function forbidden() {
  try {
    new WebAssembly.Module(SMALLEST)
    return undefined
  } catch (cause) {
    const message =
      "WebAssembly is not allowed here: the page's Content-Security-Policy must have 'wasm-unsafe-eval' in script-src"
    return new KonserveError('UNSUPPORTED', message, { cause })
  }
}

async function compiled(given, platform) {
  if (given !== undefined) return moduleOf(await given, platform)
  try {
    return await moduleOf(await platform.module(), platform)
  } catch {
    // A bundler that leaves the file behind, a server that sends a page instead: the package has a copy inside.
    const error = forbidden()
    if (error) throw error
    return moduleOf(await platform.copy(), platform)
  }
}

async function moduleOf(source, platform) {
  if (isPlace(source)) {
    const bytes = inDataUrl(source)
    return bytes ? WebAssembly.compile(bytes) : moduleOf(await platform.fetch(source), platform)
  }
  if (!isResponse(source)) return compileIfBytes(source)
  if (!source.ok) throw new KonserveError('IO', `${source.url} answers ${source.status} ${source.statusText}`)
  const type = source.headers.get('content-type') ?? ''
  return /^application\/wasm\s*(;|$)/i.test(type)
    ? WebAssembly.compileStreaming(source)
    : WebAssembly.compile(await source.arrayBuffer())
}

function compileIfBytes(source) {
  if (isModule(source)) return source
  checkBytes(source)
  return WebAssembly.compile(source)
}

/** The module, if it is konserve's: bindings that were given another could not be used again. */
export function ours(module) {
  const start = WebAssembly.Module.exports(module).find(({ name }) => name === '__wbindgen_start')
  if (start) return module
  throw new KonserveError(
    'INVALID_CONFIG',
    "wasm is another module: give the file konserve/konserve.wasm of this package's version",
  )
}

const kindOf = (source) => Object.prototype.toString.call(source)

/** Whether this is a compiled module, also one of another realm. */
export function isModule(source) {
  return kindOf(source) === '[object WebAssembly.Module]'
}

/** The same for what `fetch` answers. To ask for the class would cost Node 20 ms: it loads all of `fetch` then. */
function isResponse(source) {
  return kindOf(source) === '[object Response]'
}

/** Whether this names a place. */
export function isPlace(source) {
  return typeof source === 'string' || source instanceof URL
}

/** Refuses what cannot be the bytes of a module. */
export function checkBytes(source) {
  const type = kindOf(source)
  if (ArrayBuffer.isView(source) || type === '[object ArrayBuffer]' || type === '[object SharedArrayBuffer]') return
  throw new KonserveError('INVALID_CONFIG', 'wasm must be a URL, a Response, bytes or a WebAssembly.Module')
}

/** The bytes that a `data:` URL holds; `undefined` for any other. */
export function inDataUrl(url) {
  const [head, base64] = String(url).split(',', 2)
  if (!head.startsWith('data:') || !head.endsWith(';base64')) return undefined
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}
