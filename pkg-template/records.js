import { KonserveError } from './error.js'
import { isStoredAsItIs } from './kinds.js'
import { isWellFormed } from './text.js'

/** Names to which the format gives a meaning. */
const RESERVED = /^(konserve|js)\/|^clojure\/(char|list)$/
const HANDLERS = ['class', 'write', 'read']

/**
 * How a store's values look to the application: objects of its own classes, by the names in the option `records`, and
 * names of plain objects, which are keywords if the option `keywords` is `'strings'`.
 */
export class Records {
  #byPrototype = new Map()
  #byName = new Map()

  constructor(records = {}, keywords = undefined) {
    if (keywords !== undefined && keywords !== 'strings') {
      throw invalid("keywords is 'strings', for plain objects instead of Maps with keywords as keys, or left out")
    }
    /** Whether names of plain objects are keywords. */
    this.keywords = keywords === 'strings'
    if (records === null || typeof records !== 'object' || Array.isArray(records)) {
      throw invalid("records is an object of classes or handlers by their names, such as { 'geo/Point': Point }")
    }
    for (const [name, given] of Object.entries(records)) this.#add(name, given)
  }

  #add(name, given) {
    if (name === '' || !isWellFormed(name) || RESERVED.test(name)) {
      throw invalid(
        `${JSON.stringify(name)} is no name of a record: those that begin with konserve/ or js/ have a meaning already`,
      )
    }
    const { class: Class, write, read } = checked(name, typeof given === 'function' ? { class: given } : given)
    this.#byName.set(name, read ?? ((fields) => made(Class, fields)))
    if (Class === undefined) return
    if (this.#byPrototype.has(Class.prototype)) {
      throw invalid(`the class of the record ${name} has another name already: give the old one only a read`)
    }
    this.#byPrototype.set(Class.prototype, { name, write: write ?? ((object) => ({ ...object })) })
  }

  /** The name and the function that writes an object, if its class has one. */
  writerOf(object) {
    return this.#byPrototype.get(Object.getPrototypeOf(object))
  }

  /** The function that reads what has this name, if there is one. */
  readerOf(name) {
    return this.#byName.get(name)
  }
}

function checked(name, given) {
  if (given === null || typeof given !== 'object') {
    throw invalid(`the record ${name} needs a class, or { class, write, read }`)
  }
  const { class: Class, write, read } = given
  const unknown = Object.keys(given).find((option) => !HANDLERS.includes(option))
  if (unknown !== undefined) throw invalid(`the record ${name} has no ${unknown}; it has ${HANDLERS.join(', ')}`)
  for (const [option, value] of Object.entries({ write, read })) {
    if (value !== undefined && typeof value !== 'function')
      throw invalid(`${option} of the record ${name} is a function`)
  }
  if (Class === undefined && (read === undefined || write !== undefined)) {
    throw invalid(`the record ${name} has no class; without one it can only have a read`)
  }
  if (Class !== undefined) checkClass(name, Class)
  return given
}

function checkClass(name, Class) {
  const { prototype } = typeof Class === 'function' ? Class : {}
  if (prototype === null || typeof prototype !== 'object') throw invalid(`the class of the record ${name} is none`)
  if (isStoredAsItIs(prototype)) throw invalid(`the class of the record ${name} is stored as it is: leave it out`)
}

/** An object of the class with these as its own properties, whatever the class has under their names. */
function made(Class, fields) {
  if (Object.getPrototypeOf(Object(fields)) !== Object.prototype) {
    throw new TypeError("its fields are not named: it needs a read of its own, or the store keywords: 'strings'")
  }
  return Object.create(Class.prototype, Object.getOwnPropertyDescriptors(fields))
}

function invalid(message) {
  return new KonserveError('INVALID_CONFIG', message)
}
