/** The demo in real Chromium: what its page promises holds across reloads, tabs, and without a network. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { folder, launch, serve, visit } from './helpers/browser.mjs'
import { start } from './helpers/process.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const serveDemo = () => serve(folder(here('../pkg'), '/konserve/'), here('../www-demo'))

let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

/** A user with an empty browser, who can open tabs of the demo. All goes away with the test. */
async function user(t, options = {}) {
  const server = await serveDemo()
  const context = await browser.newContext(options)
  const problems = []
  t.after(async () => {
    await context.close()
    await server.close()
  })
  const tab = async () => {
    const opened = await visit(context, `${server.url}/`)
    problems.push(opened.problems)
    await ready(opened.page)
    return opened.page
  }
  return { server, context, tab, problems: () => problems.flat() }
}

/** Waits until the page has shown what is stored, and is kept for offline use. */
const ready = (page) => page.locator('#offline[data-state=ready]').waitFor()
const row = (page, species) => page.getByRole('listitem').filter({ hasText: species })
const field = (page, name) => page.getByLabel(name, { exact: true })

/** Logs a sighting by the form, and waits until it is saved. */
async function log(page, { species, place = '', note = '' }) {
  await page.getByRole('button', { name: 'New' }).click()
  await field(page, 'Species').fill(species)
  await field(page, 'Place').fill(place)
  await field(page, 'Note').fill(note)
  await page.getByText('Saved', { exact: true }).waitFor()
}

/** Presses a button of the page `times` times, as fast as it goes. */
const press = (page, id, times) =>
  page.locator(`#${id}`).evaluate((button, presses) => {
    for (let at = 0; at < presses; at++) button.click()
  }, times)

const textOf = (page, id, text) =>
  page
    .locator(`#${id}`)
    .filter({ hasText: new RegExp(`^${text}$`) })
    .waitFor()

/** What a tab shows: the species and places in its list, and the form. */
const shown = (page) =>
  page.evaluate(() => ({
    list: [...document.querySelectorAll('#list .choose')].map((row) => row.innerText.replace(/\n| · .*/g, ' ').trim()),
    count: document.getElementById('count').textContent,
    place: document.forms[0].elements.place.value,
    note: document.forms[0].elements.note.value,
    toast: document.getElementById('toast').innerText,
  }))

/** Asks a tab what it shows until that is so; for tabs in the background, which draw nothing. */
async function shows(page, wanted, timeout = 120_000) {
  const end = Date.now() + timeout
  for (;;) {
    const all = await shown(page)
    const found = Object.fromEntries(Object.keys(wanted).map((name) => [name, all[name]]))
    if (isDeepStrictEqual(found, wanted)) return
    if (Date.now() > end) assert.deepEqual(all, { ...all, ...wanted })
    await setTimeout(20)
  }
}

describe('the demo', { concurrency: 2 }, () => {
  it('is served by one command', async (t) => {
    const script = here('../www-demo/serve.mjs')
    const { match, stop } = await start(process.execPath, [script, '0'], /http:\/\/127\.0\.0\.1:\d+\//)
    t.after(stop)
    const { page, problems } = await visit(browser, match[0])
    await ready(page)
    await page.close()
    assert.deepEqual(problems, [])
  })

  it('shows a record again after a reload, with what was edited', async (t) => {
    const { tab, problems } = await user(t)
    const page = await tab()
    await log(page, { species: 'Grey heron', place: 'Reed bed', note: 'Two young' })
    await press(page, 'more', 2)
    await textOf(page, 'count', 3)

    await page.reload()
    await ready(page)
    await row(page, 'Grey heron').getByRole('button', { name: 'Grey heron Reed bed' }).click()
    assert.equal(await field(page, 'Place').inputValue(), 'Reed bed')
    assert.equal(await field(page, 'Note').inputValue(), 'Two young')
    assert.equal(await page.locator('#count').textContent(), '3')
    assert.deepEqual(problems(), [])
  })

  it('shows in a second tab what the first one adds, edits and deletes', async (t) => {
    const { tab, problems } = await user(t)
    const [first, second] = [await tab(), await tab()]
    await log(first, { species: 'Lapwing', place: 'Water meadow' })
    await shows(second, { list: ['Lapwing Water meadow'] })
    await field(first, 'Place').fill('North lake')
    await shows(second, { list: ['Lapwing North lake'] })
    await first.getByRole('button', { name: 'Delete' }).click()
    await shows(second, { list: [] })
    await first.getByRole('button', { name: 'Undo' }).click()
    await shows(second, { list: ['Lapwing North lake'] })
    assert.deepEqual(problems(), [])
  })

  it('loses nothing when two tabs edit one record at the same time', async (t) => {
    const { tab, problems } = await user(t)
    const first = await tab()
    await log(first, { species: 'Common swift' })
    const second = await tab()
    await row(second, 'Common swift').getByRole('button').first().click()

    await Promise.all([
      press(first, 'more', 100),
      press(second, 'more', 100),
      field(first, 'Place').fill('Church tower'),
      field(second, 'Note').fill('Screaming party'),
    ])
    const third = await tab()
    await row(third, 'Common swift').getByRole('button').first().click()
    const all = { list: ['Common swift Church tower'], count: '201', place: 'Church tower', note: 'Screaming party' }
    for (const page of [first, second, third]) await shows(page, { ...all, toast: '' })
    assert.deepEqual(problems(), [])
  })

  it('does not bring back what another tab has deleted', async (t) => {
    const { tab, problems } = await user(t)
    const first = await tab()
    await log(first, { species: 'White stork' })
    const second = await tab()
    await row(second, 'White stork').getByRole('button').first().click()
    // The second tab's clock stands, so that what is typed there still waits when the first tab deletes.
    await second.clock.install()
    await second.clock.pauseAt(Date.now() + 60_000)
    await field(second, 'Note').pressSequentially('Ringed')
    await first.getByRole('button', { name: 'Delete' }).click()
    await second.getByText('was deleted in another tab').waitFor()
    await second.getByText('Nothing logged yet').waitFor()
    assert.deepEqual(problems(), [])
  })

  it('says what could not be saved, and keeps it in its field until it can', async (t) => {
    const { tab } = await user(t)
    const page = await tab()
    await log(page, { species: 'Lapwing', note: 'A flock' })
    await page.evaluate(() => {
      const put = IDBObjectStore.prototype.put
      globalThis.makeRoom = () => (IDBObjectStore.prototype.put = put)
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('The disk is full', 'QuotaExceededError')
      }
    })
    await field(page, 'Note').fill('A flock of fifty')
    await page.getByText('Not saved', { exact: true }).waitFor()
    await page.getByText(/^Not saved: .+/).waitFor()
    assert.equal(await field(page, 'Note').inputValue(), 'A flock of fifty')

    await page.evaluate(() => globalThis.makeRoom())
    await field(page, 'Note').press('Tab')
    await page.getByText('Saved', { exact: true }).waitFor()
    await page.reload()
    await row(page, 'Lapwing').getByRole('button').first().click()
    assert.equal(await field(page, 'Note').inputValue(), 'A flock of fifty')
  })

  it('starts, shows and keeps records without a network', async (t) => {
    const { server, tab } = await user(t)
    const page = await tab()
    await log(page, { species: 'Tawny owl' })
    await server.close()

    await page.reload()
    await row(page, 'Tawny owl').waitFor()
    await log(page, { species: 'Barn swallow' })
    await page.reload()
    await row(page, 'Barn swallow').waitFor()
    assert.equal(await page.getByRole('listitem').count(), 2)
  })

  it('says when the network is gone', async (t) => {
    const { context, tab } = await user(t)
    const page = await tab()
    await context.setOffline(true)
    await textOf(page, 'offline', 'Offline')
    await context.setOffline(false)
    await textOf(page, 'offline', 'Works offline')
  })

  it('tries again to be kept for offline use', async (t) => {
    const { context, tab, problems } = await user(t)
    await context.addInitScript(() => {
      const worker = globalThis.ServiceWorkerContainer.prototype
      const { register } = worker
      worker.register = async function (...given) {
        worker.register = register
        throw new Error(`${given} is not to be had`)
      }
    })
    await tab()
    assert.deepEqual(problems(), [])
  })

  it('shows each stored record with key, size, last write and digest, and the space used', async (t) => {
    const { tab } = await user(t)
    const page = await tab()
    await page.getByText('No record yet').waitFor()
    await log(page, { species: 'European robin' })
    const stored = page.getByRole('row').filter({ hasText: 'European robin' })
    const cells = () => stored.getByRole('cell').allInnerTexts()
    const [key, size, written, digest] = await cells()
    assert.match(key, /^\["sighting", "[0-9a-f]{8}…"\]/)
    assert.match(size, /^\d+ B$/)
    assert.equal(written, 'just now')
    assert.match(digest, /^[0-9a-f]{8}$/)
    await textOf(page, 'totals', `1 record, ${size}`)
    assert.match(await page.locator('#quota-text').innerText(), /^[\d.]+ k?B of [\d.]+ [MGT]B used/)

    await press(page, 'more', 1)
    await textOf(page, 'count', 2)
    assert.notEqual((await cells())[3], digest, 'another value has another digest')
  })

  it('is worked by keyboard alone', async (t) => {
    const { tab } = await user(t)
    const page = await tab()
    await page.getByRole('button', { name: 'Add ten examples' }).click()
    await page.getByRole('listitem').nth(9).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('lapwing')
    await page.waitForFunction(() => document.querySelectorAll('#list > li').length === 1)
    await page.keyboard.press('Escape')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('+')
    await textOf(page, 'count', 49)
    await page.keyboard.press('n')
    await page.waitForFunction(() => document.activeElement.name === 'species')
    await page.keyboard.type('Dunnock')
    await row(page, 'Dunnock').waitFor()
  })

  it('leaves the cursor with who types in a new sighting already', async (t) => {
    const { tab, problems } = await user(t)
    const page = await tab()
    await page.evaluate(() => {
      const estimate = navigator.storage.estimate.bind(navigator.storage)
      navigator.storage.estimate = () => new Promise((done) => setTimeout(done, 300)).then(estimate)
    })
    await page.getByRole('button', { name: 'New' }).click()
    await field(page, 'Place').waitFor()
    await field(page, 'Place').pressSequentially('Water meadow', { delay: 60 })
    assert.equal(await field(page, 'Place').inputValue(), 'Water meadow')
    assert.equal(await field(page, 'Species').inputValue(), '')
    assert.deepEqual(problems(), [])
  })

  it('never puts back into a field what it has read before the field was saved', async (t) => {
    const { tab, problems } = await user(t)
    const page = await tab()
    await page.getByRole('button', { name: 'New' }).click()
    const place = field(page, 'Place')
    await place.waitFor()
    await place.focus()
    await place.evaluate(async (input) => {
      const { FieldLog } = await import('./log.mjs')
      const { sort } = FieldLog.prototype
      FieldLog.prototype.sort = async function () {
        const order = await sort.call(this)
        await new Promise((done) => setTimeout(done, 1000))
        return order
      }
      globalThis.seen = []
      setInterval(() => globalThis.seen.at(-1) === input.value || globalThis.seen.push(input.value), 10)
    })
    await page.keyboard.type('Water')
    // The first save begins a long read; the second one ends before that does.
    await setTimeout(500)
    await page.keyboard.type(' meadow')
    await page.getByText('Saved', { exact: true }).waitFor()
    await setTimeout(1500)
    const seen = await page.evaluate(() => globalThis.seen)
    assert.equal(seen.at(-1), 'Water meadow')
    assert.deepEqual(seen, seen.toSorted(), 'it only grew')
    assert.deepEqual(problems(), [])
  })

  it('remembers the order, and finds by words', async (t) => {
    const { tab } = await user(t)
    const page = await tab()
    await page.getByRole('button', { name: 'Add ten examples' }).click()
    await page.getByRole('listitem').nth(9).waitFor()
    await page.getByLabel('Order').selectOption('By species')
    await page.waitForFunction(() => document.querySelector('#list strong').textContent === 'Barn swallow')
    await page.reload()
    await ready(page)
    assert.equal(await page.locator('#list strong').first().textContent(), 'Barn swallow')
    await page.getByLabel('Search').fill('meadow ringed')
    assert.deepEqual(await page.locator('#list strong').allTextContents(), ['White stork'])
  })

  for (const colorScheme of ['light', 'dark']) {
    it(`is readable and fits a small screen (${colorScheme})`, async (t) => {
      const { tab } = await user(t, { colorScheme, viewport: { width: 320, height: 640 } })
      const page = await tab()
      await page.getByRole('button', { name: 'Add ten examples' }).click()
      await page.getByRole('listitem').nth(9).waitFor()
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
      await row(page, 'Lapwing').getByRole('button').first().click()
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320)
      await page.getByRole('button', { name: 'All sightings' }).click()
      await row(page, 'Lapwing').waitFor()
      assert.deepEqual(await page.evaluate(faintTexts), [], 'texts with less contrast than 4.5')
    })
  }
})

/** In the page: the texts that stand out too little from what is behind them (WCAG 2, contrast 4.5 to 1). */
function faintTexts() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const luminance = (color) => {
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b] = Array.from(canvas.getImageData(0, 0, 1, 1).data, (byte) => byte / 255).map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (node) => {
    const color = getComputedStyle(node).backgroundColor
    return color === 'rgba(0, 0, 0, 0)' && node.parentElement ? behind(node.parentElement) : color
  }
  const faint = ({ node, text }) => {
    const [light, dark] = [luminance(getComputedStyle(node).color), luminance(behind(node))].sort((a, b) => b - a)
    const contrast = (light + 0.05) / (dark + 0.05)
    return contrast < 4.5 ? [`${text} ${contrast.toFixed(2)}`] : []
  }
  return [...document.querySelectorAll('body *')]
    .filter((node) => node.checkVisibility() && !node.disabled)
    .map((node) => ({
      node,
      text: [...node.childNodes]
        .filter(({ nodeType }) => nodeType === 3)
        .map(({ data }) => data.trim())
        .join(''),
    }))
    .filter(({ text }) => text !== '')
    .flatMap(faint)
}
