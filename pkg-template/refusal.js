import { className } from './kinds.js'

const PLACE_SHOWN = 200
const entriesOf = Map.prototype.entries

/** What to do about values of these classes. */
const ADVICE = new Map([
  ['Promise', ': await it first'],
  ['SharedArrayBuffer', ': copy it into an ArrayBuffer first'],
  ['Number', ' object: store the plain number'],
  ['String', ' object: store the plain string'],
  ['Boolean', ' object: store the plain boolean'],
])

/** Why an object of an unknown class cannot be stored. */
export function refusalOf(object) {
  const name = className(object)
  const advice = ADVICE.get(name) ?? ', which cannot be stored: make it a plain object'
  return `is ${name === undefined ? 'an object with a prototype of its own' : `a ${name}`}${advice}`
}

/**
 * Where in a value something is: `value.users[3].name`.
 * @param {string} name what the value is called
 * @param {(object | null)[]} parents the containers around it, outermost first; `null` adds nothing
 * @param {(string | number | undefined)[]} steps the name or index in each; in a Map or Set, below 0
 * @param {number} depth how many of them count
 */
export function placeText(name, parents, steps, depth) {
  let place = name
  for (let level = 0; level < depth && place.length < PLACE_SHOWN; level++) {
    place += stepText(parents[level], steps[level])
  }
  return place.length < PLACE_SHOWN ? place : `${place.slice(0, PLACE_SHOWN)}…`
}

function stepText(parent, step) {
  if (step === undefined) return ''
  if (typeof step === 'string')
    return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  if (step >= 0) return `[${step}]`
  return parent instanceof Set ? `.values()[${-1 - step}]` : entryText(parent, -1 - step)
}

function entryText(map, step) {
  const at = step >> 1
  if (step % 2 === 0) return `.keys()[${at}]`
  const key = [...entriesOf.call(map)][at]?.[0]
  return ['string', 'number', 'boolean'].includes(typeof key) ? `.get(${JSON.stringify(key)})` : `.values()[${at}]`
}
