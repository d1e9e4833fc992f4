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
 * Serves the roots, asked in turn. A root is a folder, or a function of the request's path that returns
 * `{ status?, headers?, body? }` to answer by itself and `undefined` to let the next root try.
 *
 * @param {...(string | ((path: string) => { status?: number, headers?: object, body?: string | Uint8Array } | undefined))} roots
 * @returns {Promise<{ url: string, requests: string[], close: () => Promise<void> }>} `url` has no slash at its end;
 *   `requests` are the paths asked for so far.
 */
export async function serve(...roots) {
  const requests = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname)
    requests.push(path)
    const answer = answerOf(roots, path)
    response.writeHead(answer.status ?? 200, { 'cache-control': 'no-store', ...answer.headers })
    if (answer.file) createReadStream(answer.file).pipe(response)
    else response.end(answer.body)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${server.address().port}`, requests, close: () => stop(server) }
}

/** Stops a server at once, open connections included. */
function stop(server) {
  server.closeAllConnections()
  return new Promise((done) => server.close(() => done()))
}

function answerOf(roots, path) {
  for (const root of roots) {
    const answer = typeof root === 'function' ? root(path) : fileOf(root, path)
    if (answer) return answer
  }
  // Browsers ask for an icon unbidden; a 404 would be an error in the console of every test.
  return { status: path === '/favicon.ico' ? 204 : 404 }
}

function fileOf(root, path) {
  const file = join(resolve(root), path.endsWith('/') ? `${path}index.html` : path)
  const inside = file.startsWith(resolve(root) + sep)
  if (!inside || !statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
  return { file, headers: { 'content-type': MEDIA_TYPES[extname(file)] ?? 'application/octet-stream' } }
}
