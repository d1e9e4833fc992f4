/** The page: opens the log, shows it, and turns what the user does into calls of the log. */
import { byId, element, setText } from './dom.mjs'
import { Editor } from './editor.mjs'
import { examples, speciesNames } from './examples.mjs'
import { plural } from './format.mjs'
import { arrange, List } from './list.mjs'
import { FieldLog, Gone } from './log.mjs'
import { workOffline } from './offline.mjs'
import { Stored } from './stored.mjs'

const state = { log: undefined, sightings: [], blobs: [], shown: [], search: '', sort: 'recent', chosen: undefined }

const list = new List({ choose, count: (id, by) => attempt(() => state.log.count(id, by)) })
const editor = new Editor({
  set: (id, field, value) => attempt(() => setField(id, field, value)),
  count: (id, by) => attempt(() => state.log.count(id, by)),
  remove,
  close: () => choose(undefined),
})
const stored = new Stored((text) => toast(text))

/** Runs something that may fail, says so if it does, and returns whether it was done. */
async function attempt(work) {
  try {
    await work()
    return true
  } catch (error) {
    toast(error instanceof Gone ? error.message : `Not saved: ${error.message}`)
    refresh()
    return false
  }
}

let refreshing
let again = false
/** Reads the log again and shows it. While that is under way, further calls add up to one more. */
function refresh() {
  again = true
  return (refreshing ??= readAndShow())
}

async function readAndShow() {
  while (again) {
    again = false
    try {
      await load()
      render()
      await stored.renderSpace()
    } catch (error) {
      toast(`The records could not be read: ${error.message}`)
    }
  }
  // In the same breath as the last look at `again`: a call in between would be forgotten.
  refreshing = undefined
}

async function load() {
  const [sightings, blobs, sort] = await Promise.all([state.log.sightings(), state.log.blobs(), state.log.sort()])
  Object.assign(state, { sightings, blobs, sort })
}

function render() {
  const { sightings, search, sort, blobs } = state
  state.shown = arrange(sightings, search, sort)
  const chosen = sightings.find(({ id }) => id === state.chosen)
  document.body.dataset.view = chosen ? 'editor' : 'list'
  byId('sort').value = sort
  byId('empty').hidden = sightings.length > 0
  byId('nothing-found').hidden = sightings.length === 0 || state.shown.length > 0
  list.render(state.shown, chosen?.id)
  editor.render(chosen)
  stored.render(blobs, titleOf)
  setText(byId('summary'), summaryOf(sightings))
}

/** The name of the sighting that a key belongs to. */
const titleOf = (key) => state.sightings.find(({ id }) => id === key[1])?.species

function summaryOf(sightings) {
  if (sightings.length === 0) return 'Birds, counted with or without a network'
  const birds = sightings.reduce((sum, { count }) => sum + count, 0)
  const species = new Set(sightings.map((sighting) => sighting.species.trim().toLowerCase()))
  return `${plural(birds, 'bird')} · ${plural(species.size, 'species', 'species')}`
}

function choose(id) {
  const before = state.chosen
  state.chosen = id
  render()
  if (!id) list.focus(before)
}

/** Ends when it is shown too: until then a read that began before may show the field as it was. */
async function setField(id, field, value) {
  await state.log.setField(id, field, value)
  await refresh()
}

async function add() {
  await attempt(async () => {
    state.search = byId('search').value = ''
    state.chosen = await state.log.add()
    await refresh()
    editor.focus()
  })
}

async function remove(id) {
  await editor.flush()
  const next = state.shown[state.shown.findIndex((shown) => shown.id === id) + 1]
  let sighting
  if (!(await attempt(async () => (sighting = await state.log.remove(id))))) return
  state.chosen = undefined
  await refresh()
  if (next) list.focus(next.id)
  toast(`Deleted ${sighting.species || 'the sighting'}.`, 'Undo', () => attempt(() => state.log.restore(sighting)))
}

let hiding
/** Says something for a while, with a button to answer, which takes longer to find. */
function toast(message, action, run) {
  const button =
    action && element('button', { type: 'button', onclick: () => (run(), (byId('toast').hidden = true)) }, action)
  byId('toast').replaceChildren(element('p', {}, message), ...(button ? [button] : []))
  byId('toast').hidden = false
  clearTimeout(hiding)
  hiding = setTimeout(() => (byId('toast').hidden = true), action ? 30_000 : 8_000)
}

/** Moves the choice up or down the list. */
function step(by) {
  const at = state.shown.findIndex(({ id }) => id === state.chosen)
  const next = state.shown[Math.min(Math.max(at + by, 0), state.shown.length - 1)]
  if (!next) return
  choose(next.id)
  list.focus(next.id)
}

const KEYS = {
  n: add,
  '/': () => byId('search').focus(),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  '+': () => state.chosen && attempt(() => state.log.count(state.chosen, 1)),
  '-': () => state.chosen && attempt(() => state.log.count(state.chosen, -1)),
  Escape: () => choose(undefined),
}

function onKey(event) {
  const typing = event.target.closest('input, textarea, select')
  if (typing && event.key === 'Escape') event.target.blur()
  const action = KEYS[event.key]
  if (!action || typing || event.ctrlKey || event.metaKey || event.altKey) return
  event.preventDefault()
  action()
}

function listen() {
  document.addEventListener('keydown', onKey)
  byId('new').addEventListener('click', add)
  byId('first').addEventListener('click', add)
  byId('examples').addEventListener('click', () =>
    attempt(() => Promise.all(examples().map((sighting) => state.log.add(sighting)))),
  )
  byId('search').addEventListener('input', ({ target }) => ((state.search = target.value), render()))
  byId('clear-search').addEventListener('click', () => ((state.search = byId('search').value = ''), render()))
  byId('sort').addEventListener('change', ({ target }) => attempt(() => state.log.setSort(target.value)))
  // Other tabs tell of their writes; one that slept may have missed some.
  document.addEventListener('visibilitychange', () => (document.hidden ? editor.flush() : refresh()))
  setInterval(() => stored.render(state.blobs, titleOf), 30_000)
}

/** The page cannot go on; says why. */
function fail(error) {
  document
    .querySelector('main')
    .replaceChildren(
      element(
        'section',
        { class: 'panel failure', role: 'alert' },
        element('h2', {}, 'The log could not be opened'),
        element('p', {}, error.message),
        element('p', {}, element('code', {}, error.code ?? error.name)),
      ),
    )
}

async function begin() {
  byId('species-names').append(...speciesNames.map((value) => element('option', { value })))
  try {
    state.log = await FieldLog.open('field-log', refresh)
  } catch (error) {
    fail(error)
    return
  }
  listen()
  await refresh()
  await workOffline()
}

begin()
