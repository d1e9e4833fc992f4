/** What a page loads until its first value: every file that it asks for, minified, as servers compress it. */
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
/** The page itself, and what says how long it takes, are the benchmark's. */
const OWN = ['/', '/start', '/start-worker', '/start.js', '/favicon.ico', '/empty.wasm']

/** The sizes of the subjects of a browser, as a world of its own. */
export async function sizes(world, takes) {
  const loaded = []
  for (const name of world.names.filter((name) => takes(name))) {
    const files = await world.loads(name, OWN)
    if (files) loaded.push(files)
  }
  return WAYS.map(([id, how, packed]) => ({
    id,
    title: `what is loaded until the first value, ${how}`,
    unit: 'KiB',
    better: 'less',
    baseline: 'konserve',
    rows: loaded.map(({ name, title, files }) => ({
      subject: name,
      title,
      samples: [files.reduce((sum, bytes) => sum + packed(bytes).length, 0) / 1024],
    })),
  }))
}
