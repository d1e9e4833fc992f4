/**
 * Answers for the page's files: from the network while there is one, so that no two versions mix, and else from the copies.
 * The records are not here: they lie in IndexedDB.
 */
const CACHE = 'field-log'

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))

self.addEventListener('message', (event) => {
  const [port] = event.ports
  const kept = keep(event.data.keep).then(
    () => port.postMessage({}),
    (error) => port.postMessage({ failure: String(error) }),
  )
  event.waitUntil(kept)
})

self.addEventListener('fetch', (event) => {
  const own = new URL(event.request.url).origin === self.location.origin
  if (own && event.request.method === 'GET') event.respondWith(answer(event))
})

/** Keeps a copy of each file that has none; a visit keeps the others fresh. */
async function keep(urls) {
  const cache = await caches.open(CACHE)
  const missing = await Promise.all(urls.map(async (url) => ((await cache.match(url)) ? [] : [url])))
  await cache.addAll(missing.flat())
}

async function answer(event) {
  const cache = await caches.open(CACHE)
  try {
    const response = await fetch(event.request)
    if (response.ok) event.waitUntil(cache.put(event.request, response.clone()))
    return response
  } catch (error) {
    const copy = await cache.match(event.request, { ignoreSearch: event.request.mode === 'navigate' })
    if (copy) return copy
    throw error
  }
}
