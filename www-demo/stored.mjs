/** What lies in the browser: every blob of the store, without its value, and what the browser says of the space. */
import { byId, element, flash, setText } from './dom.mjs'
import { ago, bytes, hex, keyText, plural, shortKey } from './format.mjs'

/** Shows the blobs, newest first, and marks those that are new or changed since they were last shown. */
export class Stored {
  #body = byId('blobs')
  #seen

  /** @param {(text: string) => void} say tells the user something */
  constructor(say) {
    byId('persist').addEventListener('click', async () => {
      const kept = await navigator.storage.persist()
      say(
        kept
          ? 'The browser keeps the log until you remove it.'
          : 'The browser does not promise it. Installing the page may help.',
      )
      await this.renderSpace()
    })
  }

  /** @param {{ key: unknown, size: number, lastWrite: Date, digest: Uint8Array }[]} blobs */
  render(blobs, titleOf) {
    const sorted = blobs.toSorted((a, b) => b.lastWrite - a.lastWrite)
    const total = blobs.reduce((sum, { size }) => sum + size, 0)
    setText(byId('totals'), `${plural(blobs.length, 'record')}, ${bytes(total)}`)
    byId('table').hidden = blobs.length === 0
    byId('nothing-stored').hidden = blobs.length > 0
    this.#body.replaceChildren(...sorted.map((blob) => this.#row(blob, titleOf(blob.key))))
    this.#seen = new Map(blobs.map(({ key, digest }) => [keyText(key), hex(digest, 32)]))
  }

  #row({ key, size, lastWrite, digest }, title) {
    const row = element(
      'tr',
      {},
      element('td', {}, element('code', { title: keyText(key) }, shortKey(key)), title && element('small', {}, title)),
      element('td', { class: 'number' }, bytes(size)),
      element(
        'td',
        {},
        element('time', { datetime: lastWrite.toISOString(), title: lastWrite.toString() }, ago(lastWrite)),
      ),
      element('td', {}, fingerprint(digest)),
    )
    if (this.#seen && this.#seen.get(keyText(key)) !== hex(digest, 32)) flash(row)
    return row
  }

  /** Asks the browser how much it keeps for this site, and whether it may throw it away. */
  async renderSpace() {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate()
    const persisted = await navigator.storage.persisted()
    byId('quota').value = quota ? usage / quota : 0
    const promise = persisted ? 'kept until you remove it' : 'may be cleared when space runs out'
    setText(byId('quota-text'), `${bytes(usage)} of ${bytes(quota)} used, ${promise}`)
    byId('persist').hidden = persisted
  }
}

/** The beginning of a digest: as colours, which the eye compares quickly, and as text. */
function fingerprint(digest) {
  const cells = Array.from(digest.subarray(0, 6), (byte) =>
    element('i', { style: `--hue: ${Math.round(byte * 1.41)}` }),
  )
  return element(
    'span',
    { class: 'digest', title: hex(digest, 32) },
    element('span', { 'aria-hidden': 'true' }, ...cells),
    element('code', {}, hex(digest, 4)),
  )
}
