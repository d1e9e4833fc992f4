/** Makes the page work without a network: a service worker keeps a copy of all that the page has loaded. */
import { byId, setText } from './dom.mjs'

/** Files that a page does not report as loaded. */
const SHELL = ['./', './manifest.webmanifest', './icon.svg']

const show = (state, text) => {
  byId('offline').dataset.state = state
  setText(byId('offline'), text)
}

/** How long the worker may take to answer, and how long to wait after each try that failed, in ms. */
const PATIENCE = 20_000
const PAUSES = [1_000, 5_000, 30_000]

/** To be called when everything that is loaded lazily has been loaded. */
export async function workOffline() {
  if (!('serviceWorker' in navigator)) return show('never', 'Needs a network to start')
  for (const pause of [...PAUSES, Infinity])
    try {
      return await keepThisPage()
    } catch (error) {
      show('never', 'Needs a network to start')
      console.warn('The page could not be kept for offline use:', error)
      if (pause === Infinity) return
      await new Promise((done) => setTimeout(done, pause))
    }
}

async function keepThisPage() {
  await navigator.serviceWorker.register('./sw.js')
  const { active } = await navigator.serviceWorker.ready
  await keep(active, loadedFiles())
  const tell = () => (navigator.onLine ? show('ready', 'Works offline') : show('offline', 'Offline'))
  addEventListener('online', tell)
  addEventListener('offline', tell)
  tell()
}

/** The addresses of this page's own files. */
function loadedFiles() {
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name)
  const all = [...loaded, ...SHELL.map((file) => new URL(file, location.href).href)]
  return [...new Set(all)].filter((url) => new URL(url).origin === location.origin)
}

/** Has the worker keep these files; rejects when it could not, or is stopped before it answers. */
function keep(worker, urls) {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE, new Error('the worker does not answer'))
    port1.onmessage = ({ data }) => (data.failure ? reject(new Error(data.failure)) : resolve())
    worker.postMessage({ keep: urls }, [port2])
  })
}
