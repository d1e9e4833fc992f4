/** The field log: sightings kept in a konserve store, one record each, and told to the other tabs of this browser. */
import { openStore } from 'konserve'

/** Sightings have the keys `['sighting', id]`; the page's own settings are one record. */
const KIND = 'sighting'
const SETTINGS = 'settings'

/** What an edit meets when another tab has deleted the record. */
export class Gone extends Error {
  constructor() {
    super('This sighting was deleted in another tab.')
  }
}

export class FieldLog {
  #store
  #channel
  #onChange

  /**
   * @param {string} name of the IndexedDB store
   * @param {() => void} onChange called after every write of this tab and of the others
   */
  static async open(name, onChange) {
    const store = await openStore({ backend: 'indexeddb', name })
    return new FieldLog(store, new BroadcastChannel(name), onChange)
  }

  constructor(store, channel, onChange) {
    this.#store = store
    this.#channel = channel
    this.#onChange = onChange
    channel.onmessage = onChange
  }

  /** All sightings, each with its `id`. */
  async sightings() {
    const entries = await this.#store.entries({ prefix: [KIND] }).toArray()
    return entries.map(([[, id], sighting]) => ({ id, ...sighting }))
  }

  /** What the store knows of each record without reading its value: key, size, last write, digest. */
  blobs() {
    return this.#store.keys().toArray()
  }

  /** Returns the id of the new sighting. */
  async add({ species = '', place = '', note = '', count = 1, seen = new Date() } = {}) {
    const id = crypto.randomUUID()
    await this.restore({ id, species, place, note, count, seen })
    return id
  }

  /** Writes a whole sighting, as one that was deleted. */
  async restore({ id, ...sighting }) {
    await this.#store.assoc([KIND, id], sighting)
    this.#changed()
  }

  /** Sets one field. What other tabs write to the other fields at the same time stays. */
  setField(id, field, value) {
    return this.#edit(id, (sighting) => ({ ...sighting, [field]: value }))
  }

  /** Counts `by` more, or fewer, down to none. No count is lost, however many tabs count at once. */
  count(id, by) {
    return this.#edit(id, (sighting) => ({ ...sighting, count: Math.max(0, sighting.count + by) }))
  }

  /** Deletes a sighting; resolves with what it was last, for `restore`. */
  async remove(id) {
    const sighting = await this.#store.get([KIND, id])
    if (!sighting) throw new Gone()
    await this.#store.dissoc([KIND, id])
    this.#changed()
    return { id, ...sighting }
  }

  /** The order of the list that was chosen last. */
  sort() {
    return this.#store.getIn([SETTINGS, 'sort'], 'recent')
  }

  async setSort(sort) {
    await this.#store.assocIn([SETTINGS, 'sort'], sort)
    this.#changed()
  }

  /** Changes a sighting inside the store's transaction. Throwing there leaves the store as it was. */
  async #edit(id, change) {
    await this.#store.update([KIND, id], (sighting) => {
      if (!sighting) throw new Gone()
      return change(sighting)
    })
    this.#changed()
  }

  #changed() {
    this.#channel.postMessage('changed')
    this.#onChange()
  }
}
