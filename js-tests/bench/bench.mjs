/**
 * Measures konserve beside what it stands on, in one run, and writes docs/benchmarks.md.
 * `--quick` measures little and writes nothing; `--node` or `--browser` only one of the two.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { benchChromium } from './browser.mjs'
import { benchNode } from './node.mjs'

const given = new Set(process.argv.slice(2))
const quick = given.has('--quick')
const all = !given.has('--node') && !given.has('--browser')
const options = quick ? { rounds: 1, count: 128 } : { rounds: 14, count: 512, warmUp: 4 }

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]
const rate = (number) => Math.round(number).toLocaleString('en')

function tableOf({ title, results }) {
  const names = Object.keys(results[0].rates)
  const rows = results.map(({ name, rates }) => {
    const [raw, ours] = names.map((subject) => rates[subject])
    const ratios = ours.map((value, round) => value / raw[round])
    const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`
    return `| ${name} | ${rate(median(raw))} | ${rate(median(ours))} | **${median(ratios).toFixed(2)}** | ${spread} |`
  })
  return [
    `### ${title}`,
    '',
    `| per second | ${names.join(' | ')} | ratio | spread |`,
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

async function sizes() {
  const folder = join(dirname(createRequire(import.meta.url).resolve('konserve/package.json')), 'wasm')
  const rows = []
  for (const [file, where] of [
    ['lean_bg.wasm', 'browsers, lean'],
    ['web_bg.wasm', 'browsers, full'],
    ['clojure_bg.wasm', 'browsers, shared with Clojure'],
    ['node_bg.wasm', 'Node'],
  ]) {
    const bytes = await readFile(join(folder, file))
    const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
    const kib = [bytes, gzipSync(bytes, { level: 9 }), brotli].map(({ length }) => (length / 1024).toFixed(1))
    rows.push(`| ${where} | ${kib.join(' | ')} |`)
  }
  return [
    '### Size of the wasm module, KiB',
    '',
    '| for | raw | gzip | brotli |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

const sections = []
const machine = [`Node ${process.versions.node}`, `${cpus().length} cores of ${cpus()[0]?.model ?? 'unknown'}`]
if (all || given.has('--browser')) {
  const { version, tables } = await benchChromium(options)
  machine.unshift(`Chromium ${version}`)
  sections.push(...tables.map(tableOf))
}
if (all || given.has('--node')) sections.push(...(await benchNode(options)).map(tableOf))
sections.push(await sizes())

const measured = `${sections.join('\n')}\n${machine.join(', ')}; ${options.rounds} rounds of ${options.count} operations.\n`
console.log(measured)
if (all && !quick) {
  const file = new URL('../../docs/benchmarks.md', import.meta.url)
  const [before] = (await readFile(file, 'utf8')).split('<!-- measured -->')
  await writeFile(file, `${before}<!-- measured -->\n\n${measured}`)
}
