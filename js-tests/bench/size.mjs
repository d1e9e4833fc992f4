/** What a page loads until its first value: every file that it asks for, minified, as servers compress it. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const WAYS = [
  [
    'size-brotli',
    'with brotli',
    (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  ],
  ['size-gzip', 'with gzip', (bytes) => gzipSync(bytes, { level: 9 })],
  ['size-raw', 'as it is', (bytes) => bytes],
]
const MODULES = [
  ['lean', 'browsers, lean'],
  ['encrypted', 'browsers, lean with encryption'],
  ['web', 'browsers, full'],
  ['clojure', 'browsers, shared with Clojure'],
  ['node', 'Node'],
  ['argon2', 'passphrases'],
]
/** The page itself, and what says how long it takes, are the benchmark's. */
const OWN = ['/', '/start', '/start-worker', '/start.js', '/favicon.ico', '/empty.wasm']

/** The sizes of the subjects of a browser, and of our modules: the sections of a world of its own. */
export async function sizes(world, takes) {
  const loaded = []
  for (const name of [world.baseline, ...world.names.filter((name) => name !== world.baseline && takes(name))]) {
    const files = await world.loads(name, OWN)
    if (files) loaded.push(files)
  }
  const what = 'what is loaded until the first value'
  return [
    ...WAYS.map((way) => section(way, what, loaded)),
    section(WAYS[0], 'our modules', await modules(), 'size-modules'),
  ]
}

/** `sized` are `{ name, title, files }`, the files their bytes. */
function section([id, how, packed], what, sized, as = id) {
  const size = (files) => files.reduce((sum, bytes) => sum + packed(bytes).length, 0) / 1024
  const rows = sized.map(({ name, title, files }) => ({ subject: name, title, samples: [size(files)] }))
  return { id: as, title: `${what}, ${how}`, unit: 'KiB', better: 'less', baseline: rows[0].subject, rows }
}

async function modules() {
  const folder = join(dirname(createRequire(import.meta.url).resolve('konserve/package.json')), 'wasm')
  const sized = MODULES.map(async ([name, title]) => ({
    name: `konserve-${name}`,
    title,
    files: [await readFile(join(folder, `${name}_bg.wasm`))],
  }))
  return Promise.all(sized)
}
