/** The form for one sighting. Each field is saved by itself, shortly after it was changed. */
import { byId, flash, setText } from './dom.mjs'
import { shortKey, toLocalInput } from './format.mjs'

/** How long a field rests before it is saved, in ms. */
const REST = 250

const FIELDS = {
  species: { show: (text) => text, read: (text) => text },
  place: { show: (text) => text, read: (text) => text },
  note: { show: (text) => text, read: (text) => text },
  // An incomplete date reads as invalid and is not saved.
  seen: { show: toLocalInput, read: (text) => new Date(text) },
}

export class Editor {
  #form = byId('form')
  #id
  #waiting = new Map()
  #on

  /** @param {{ set: (id: string, field: string, value: unknown) => Promise<boolean>, count: Function, remove: Function, close: Function }} on
   *   `set` resolves with whether it was done */
  constructor(on) {
    this.#on = on
    this.#form.addEventListener('submit', (event) => event.preventDefault())
    this.#form.addEventListener('input', ({ target }) => this.#changed(target))
    this.#form.addEventListener('change', () => this.flush())
    byId('fewer').addEventListener('click', () => on.count(this.#id, -1))
    byId('more').addEventListener('click', () => on.count(this.#id, 1))
    byId('remove').addEventListener('click', () => on.remove(this.#id))
    byId('back').addEventListener('click', () => on.close())
  }

  /** Shows a sighting, or that none is chosen. A field that is being edited keeps what was typed. */
  render(sighting) {
    const switched = sighting?.id !== this.#id
    if (switched) this.#leave()
    this.#id = sighting?.id
    this.#form.hidden = !sighting
    byId('nothing-chosen').hidden = Boolean(sighting)
    if (!sighting) return
    if (switched) setText(byId('saved'), '')
    for (const [name, { show }] of Object.entries(FIELDS)) this.#show(name, show(sighting[name]), switched)
    setText(byId('key'), shortKey(['sighting', sighting.id]))
    setText(byId('count'), String(sighting.count))
    byId('fewer').disabled = sighting.count === 0
  }

  #show(name, text, switched) {
    const input = this.#form.elements[name]
    if (this.#waiting.has(name) || input.value === text) return
    input.value = text
    if (!switched) flash(input)
  }

  #changed({ name, value }) {
    clearTimeout(this.#waiting.get(name)?.timer)
    setText(byId('saved'), 'Saving')
    const timer = setTimeout(() => this.#save(name), REST)
    this.#waiting.set(name, { id: this.#id, value, timer })
  }

  /** Saves what waits, and forgets it: it belongs to the sighting that was shown until now. */
  #leave() {
    this.flush()
    this.#waiting.clear()
  }

  /** Saves what waits, now. */
  flush() {
    return Promise.all([...this.#waiting.keys()].map((name) => this.#save(name)))
  }

  async #save(name) {
    const change = this.#waiting.get(name)
    clearTimeout(change.timer)
    const value = FIELDS[name].read(change.value)
    if (value instanceof Date && Number.isNaN(value.getTime()))
      return setText(byId('saved'), 'The date is not complete')
    const done = await this.#on.set(change.id, name, value)
    if (change.id !== this.#id) return
    // What was typed meanwhile waits for its own turn, and what could not be saved stays in its field.
    if (done && this.#waiting.get(name) === change) this.#waiting.delete(name)
    if (!done) setText(byId('saved'), 'Not saved')
    else if (this.#waiting.size === 0) setText(byId('saved'), 'Saved')
  }

  /** Puts the cursor where a new sighting begins, unless the user is typing in another field already. */
  focus() {
    const { activeElement } = document
    const typing = this.#form.contains(activeElement) && activeElement.matches('input, textarea')
    if (!typing) this.#form.elements.species.focus()
  }
}
