/** The list of sightings: a row for each, kept while its sighting lasts, so that focus and animations survive. */
import { byId, element, setText } from './dom.mjs'
import { hue, shortDate } from './format.mjs'

const ORDERS = {
  recent: (a, b) => b.seen - a.seen,
  species: (a, b) => a.species.localeCompare(b.species) || b.seen - a.seen,
  count: (a, b) => b.count - a.count || a.species.localeCompare(b.species),
}

/** The sightings that have all the words of `search` in a text of theirs, in the order `sort`. */
export function arrange(sightings, search, sort) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const text = ({ species, place, note }) => `${species} ${place} ${note}`.toLowerCase()
  return sightings
    .filter((sighting) => words.every((word) => text(sighting).includes(word)))
    .sort((a, b) => ORDERS[sort](a, b) || a.id.localeCompare(b.id))
}

export class List {
  #list = byId('list')
  #rows = new Map()
  #on

  /** @param {{ choose: (id: string) => void, count: (id: string, by: number) => void }} on */
  constructor(on) {
    this.#on = on
  }

  /** Shows these sightings, in this order. */
  render(sightings, chosen) {
    const rows = sightings.map((sighting) => this.#row(sighting, sighting.id === chosen))
    const gone = new Set(this.#rows.keys()).difference(new Set(sightings.map(({ id }) => id)))
    for (const id of gone) this.#drop(id)
    rows.forEach((row, index) => {
      if (this.#list.children[index] !== row) this.#list.insertBefore(row, this.#list.children[index] ?? null)
    })
  }

  #row(sighting, chosen) {
    const known = this.#rows.get(sighting.id) ?? this.#make(sighting.id)
    const name = sighting.species || 'Unnamed'
    known.row.style.setProperty('--hue', hue(sighting.species))
    setText(known.species, name)
    setText(known.place, [sighting.place, shortDate(sighting.seen)].filter(Boolean).join(' · '))
    setText(known.count, String(sighting.count))
    known.choose.setAttribute('aria-current', String(chosen))
    known.fewer.setAttribute('aria-label', `One fewer ${name}`)
    known.more.setAttribute('aria-label', `One more ${name}`)
    known.fewer.disabled = sighting.count === 0
    return known.row
  }

  #make(id) {
    const species = element('strong')
    const place = element('small')
    const count = element('output')
    const choose = element(
      'button',
      { type: 'button', class: 'choose', onclick: () => this.#on.choose(id) },
      species,
      place,
    )
    const fewer = element('button', { type: 'button', onclick: () => this.#on.count(id, -1) }, '−')
    const more = element('button', { type: 'button', onclick: () => this.#on.count(id, 1) }, '+')
    const stepper = element('div', { class: 'stepper' }, fewer, count, more)
    const row = element('li', { class: 'row', 'data-id': id }, choose, stepper)
    const made = { row, species, place, count, choose, fewer, more }
    this.#rows.set(id, made)
    return made
  }

  #drop(id) {
    this.#rows.get(id).row.remove()
    this.#rows.delete(id)
  }

  /** Moves the focus to the row of a sighting, if it is shown. */
  focus(id) {
    const known = this.#rows.get(id)
    known?.choose.focus()
    known?.row.scrollIntoView({ block: 'nearest' })
  }
}
