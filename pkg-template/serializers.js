import { decode } from './decode.js'
import { encodeValue } from './encode.js'
import { KonserveError } from './error.js'

/**
 * The options `serializer` and `serializers` as the core wants them: serializers of CBOR, by which each value passes as
 * the application sees it, records included.
 */
export function ownSerializers({ serializer, serializers = [] }, records) {
  if (!Array.isArray(serializers)) throw invalid('serializers is an array of serializers of your own')
  const wrapped = (own) => new OwnSerializer(own, records)
  const writes = serializer !== null && typeof serializer === 'object'
  return {
    serializer: writes ? wrapped(serializer) : serializer,
    // One that is also written with is one, not two.
    serializers: [...new Set(serializers)].filter((own) => !writes || own !== serializer).map(wrapped),
  }
}

class OwnSerializer {
  #own
  #records

  constructor(own, records) {
    if (own === null || typeof own !== 'object') throw invalid('a serializer of your own is an object')
    const { id, name } = own
    if (typeof name !== 'string' || name === '') throw invalid('a serializer needs a name, for errors to call it')
    if (!Number.isInteger(id) || id < 128 || id > 255) {
      throw invalid(`the serializer ${name} needs an id, a whole number from 128 to 255`)
    }
    const missing = ['encode', 'decode'].find((method) => typeof own[method] !== 'function')
    if (missing) throw invalid(`the serializer ${name} has no method ${missing}`)
    this.id = id
    this.#own = own
    this.#records = records
  }

  encode(cbor) {
    const bytes = this.#attempt('INVALID_VALUE', 'write', () => this.#own.encode(decode(cbor, this.#records)))
    if (bytes instanceof Uint8Array) return bytes
    throw new KonserveError('INVALID_VALUE', `the serializer ${this.#own.name} gave no Uint8Array for a value`)
  }

  decode(bytes) {
    return this.#attempt('CORRUPT', 'read', () =>
      encodeValue(this.#own.decode(bytes), 'value', undefined, this.#records),
    )
  }

  #attempt(code, what, act) {
    try {
      return act()
    } catch (cause) {
      const message = `the serializer ${this.#own.name} could not ${what} a value: see the cause`
      throw new KonserveError(cause?.code === 'LIMIT_EXCEEDED' ? cause.code : code, message, { cause })
    }
  }
}

function invalid(message) {
  return new KonserveError('INVALID_CONFIG', message)
}
