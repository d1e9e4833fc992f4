/** Bundles a subject for browsers: alone, and with the agent in a page and in a worker. */
import { build } from 'esbuild'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))

/** What a server answers, by path. */
export async function bundled(file) {
  const { outputFiles } = await build({
    entryPoints: {
      'agent-page': here('agent-page.mjs'),
      'agent-worker': here('agent-worker.mjs'),
      subject: file,
    },
    alias: { subject: file },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: '/',
    write: false,
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  })
  return new Map(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, contents]))
}
