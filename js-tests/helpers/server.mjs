/** A static file server on a free port of the loopback interface, which browsers count as a secure origin. */
import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, resolve, sep } from 'node:path'

const MEDIA_TYPES = {
  '.cjs': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
}

/**
 * Serves the roots, asked in turn, on a free port. A root is a folder, or a function of the request's path that returns
 * `{ status?, headers?, body?, file? }` to answer and `undefined` to let the next root try.
 *
 * @param {...(string | ((path: string) => { status?: number, headers?: object, body?: string | Uint8Array, file?: string } | undefined))} roots
 * @returns {Promise<{ url: string, requests: string[], close: () => Promise<void> }>} `url` has no slash at its end;
 *   `requests` are the paths asked for so far.
 */
export const serve = (...roots) => serveOn(0, ...roots)

/** The same on a given port; 0 takes a free one. */
export async function serveOn(port, ...roots) {
  const requests = []
  const answers = roots.map((root) => (typeof root === 'function' ? root : folder(root)))
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname)
    requests.push(path)
    respond(response, answerOf(answers, path))
  })
  await new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${server.address().port}`, requests, close: () => stop(server) }
}

/** The root that serves the files of a folder, under `at`, which ends in a slash. */
export function folder(path, at = '/') {
  const inside = resolve(path) + sep
  return (requested) => {
    if (!requested.startsWith(at)) return undefined
    const name = requested.slice(at.length)
    const file = join(inside, name === '' || name.endsWith('/') ? `${name}index.html` : name)
    const found = file.startsWith(inside) && statSync(file, { throwIfNoEntry: false })?.isFile()
    return found
      ? { file, headers: { 'content-type': MEDIA_TYPES[extname(file)] ?? 'application/octet-stream' } }
      : undefined
  }
}

function respond(response, { status = 200, headers, body, file }) {
  response.writeHead(status, { 'cache-control': 'no-store', ...headers })
  if (file) createReadStream(file).pipe(response)
  else response.end(body)
}

function answerOf(answers, path) {
  for (const answer of answers) {
    const found = answer(path)
    if (found) return found
  }
  // Browsers ask for an icon unbidden; a 404 would be an error in the console of every test.
  return { status: path === '/favicon.ico' ? 204 : 404 }
}

/** Stops a server at once, open connections included. */
function stop(server) {
  server.closeAllConnections()
  return new Promise((done) => server.close(() => done()))
}
