/**
 * Serves the demo on this machine: `node www-demo/serve.mjs [port]`. The package comes from `pkg/`, which the build fills.
 */
import { existsSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { folder, serveOn } from '../js-tests/helpers/server.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

if (!existsSync(here('../pkg/package.json'))) {
  throw new Error('There is no package in pkg/ yet. Build it first: npm run build')
}
const { url } = await serveOn(Number(process.argv[2] ?? 8080), folder(here('../pkg'), '/konserve/'), here('.'))
console.log(`The demo is at ${url}/ (stop it with Ctrl+C)`)
