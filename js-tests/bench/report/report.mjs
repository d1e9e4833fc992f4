/** The report in docs/benchmarks/: numbers.json, and of it alone the pages and plots. Hand-written text is left as it is. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { judged } from '../goals.mjs'
import { compared, digits, goalsText, sectionText, sign } from './markdown.mjs'
import { grouped } from './families.mjs'
import { chart } from './svg.mjs'

const FOLDER = new URL('../../../docs/benchmarks/', import.meta.url)
const NUMBERS = new URL('numbers.json', FOLDER)
const MARK = '<!-- measured: what follows is written by npm run bench -->'
/** The subject that stands for us in the summary of a page. */
const MAIN = { node: 'konserve-files', chromium: 'konserve', firefox: 'konserve', size: 'konserve' }

/** Puts what was measured beside or over what is there, and renders all of it. */
export async function keep(worlds) {
  const before = read(await readFile(NUMBERS, 'utf8').catch(() => '[]'))
  const all = worlds.reduce(merged, before)
  await mkdir(FOLDER, { recursive: true })
  await writeFile(NUMBERS, written(all))
  await render()
}

/** A section takes the place of the one of its id, whole: its ratios are of one run. */
function merged(worlds, world) {
  const old = worlds.find(({ id }) => id === world.id)
  const sections = (old?.sections ?? []).filter(({ id }) => !world.sections.some((section) => section.id === id))
  const now = { ...world, sections: [...sections, ...world.sections] }
  return old ? worlds.map((one) => (one === old ? now : one)) : [...worlds, now]
}

/** JSON with a line for each row, so that one sees what changed. */
function written(worlds) {
  const number = (_, value) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value)
  const row = (one) => `      ${JSON.stringify(one, number)}`
  const section = ({ rows, ...about }) =>
    `    {"about": ${JSON.stringify(about)}, "rows": [\n${rows.map(row).join(',\n')}\n    ]}`
  const world = ({ sections, ...about }) =>
    `  {"about": ${JSON.stringify(about)}, "sections": [\n${sections.map(section).join(',\n')}\n  ]}`
  return `[\n${worlds.map(world).join(',\n')}\n]\n`
}

/** The worlds of numbers.json. */
const read = (text) =>
  JSON.parse(text).map(({ about, sections }) => ({
    ...about,
    sections: sections.map(({ about, rows }) => ({ ...about, rows })),
  }))

export async function render() {
  const worlds = read(await readFile(NUMBERS, 'utf8'))
  await rm(new URL('plots/', FOLDER), { recursive: true, force: true })
  await mkdir(new URL('plots/', FOLDER))
  for (const world of worlds) {
    for (const group of grouped(world.sections)) {
      await writeFile(new URL(`plots/${world.id}-${group.id}.svg`, FOLDER), plot(world, group))
    }
    await writeFile(new URL(`${world.id}.md`, FOLDER), page(world))
  }
  const index = new URL('README.md', FOLDER)
  const [hand] = (await readFile(index, 'utf8').catch(() => '# Benchmarks\n\n')).split(MARK)
  await writeFile(index, `${hand}${MARK}\n\n${indexText(worlds)}`)
}

const plot = (world, { title, sections }) =>
  chart(
    `${world.title}: ${title}`,
    sections.map((section) => ({
      title: section.title,
      bars: compared(section).map((row) => ({ ...row, label: row.title })),
    })),
  )

function page(world) {
  const groups = grouped(world.sections)
  const parts = groups.map(({ id, title, sections }) =>
    [
      `## ${title}`,
      '',
      `![Ratios of the tables below](plots/${world.id}-${id}.svg)`,
      '',
      `[What bounds it, and what would be next](bounds.md#${id})`,
      '',
      ...sections.map(sectionText),
    ].join('\n'),
  )
  return [
    `# ${world.title}`,
    '',
    `${machineOf(world)}. [How to read this](README.md).`,
    '',
    summary(world),
    ...parts,
  ].join('\n')
}

const machineOf = ({ about, date, rounds, slice, quick, missing = [] }) => {
  const left = missing.length > 0 ? `; left out, since they did not run: ${missing.join(', ')}` : ''
  const how = quick ? '; a quick run, which shows nothing' : ''
  return `${Object.entries(about).flat().join(' ')}; ${date}; ${rounds} rounds of about ${slice} ms each${left}${how}`
}

/** Each section in a line: our main subject beside the baseline, and the best of the others. */
function summary(world) {
  const lines = world.sections.flatMap((section) => {
    const rows = compared(section)
    const ours = rows.find(({ subject }) => subject === MAIN[world.id] || subject === 'codec-konserve')
    if (!ours || section.id.startsWith('flat')) return []
    const [best] = rows.filter(({ ours }) => !ours).sort((a, b) => b.median - a.median)
    const against = ours.median / best.median
    const text = (ratio) => (ratio < 1 ? `**${digits(ratio)}**` : digits(ratio))
    return [`| ${section.title} | ${text(ours.median)} ${sign(ours)} | ${text(against)} | ${best.title} |`]
  })
  if (lines.length === 0) return ''
  return [
    '## In short',
    '',
    'How many times better konserve is: than the baseline of each table, and than the best of all others. Bold is behind.',
    '',
    '| | to the baseline | to the best | which is |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}

function indexText(worlds) {
  const pages = worlds.map((world) => `| [${world.title}](${world.id}.md) | ${machineOf(world)} |`)
  const byWorld = worlds.map((world) => {
    const goals = judged([world]).filter((goal) => goal.world === world.id)
    const met = goals.filter(({ met }) => met).length
    return goals.length === 0 ? '' : `### ${world.title}: ${met} of ${goals.length} met\n\n${goalsText(goals)}`
  })
  return ['## Pages', '', '| | measured |', '|---|---|', ...pages, '', '## Goals', '', ...byWorld].join('\n')
}
