/** Sections as Markdown. */
import { median, ratios, spread } from '../stats.mjs'

/** A number of three digits or so. */
export const digits = (number) =>
  number >= 100 ? Math.round(number).toLocaleString('en') : number.toPrecision(number >= 10 ? 3 : 2)

const short = (ratio) => (ratio >= 10 ? digits(ratio) : ratio < 0.1 ? ratio.toPrecision(2) : ratio.toFixed(2))

export const isOurs = ({ subject }) => /^(konserve|codec-konserve)/.test(subject)

/** The rows of a section with their ratios: `median`, `low` and `high`. The baseline's own are 1. */
export function compared({ better, baseline, rows }) {
  return rows.map((row) => {
    const base = rows.find(({ subject }) => subject === (row.against ?? baseline))
    return { ...row, ours: isOurs(row), isBase: base === row, ...spread(ratios(row.samples, base.samples, better)) }
  })
}

/** Ahead or behind, where the quartiles say so. */
export const sign = ({ low, high }) => (low > 1 ? '▲' : high < 1 ? '▼' : '≈')

const ratio = (row) => {
  if (row.isBase) return '1 | '
  const text = short(row.median)
  const quartiles = row.low === row.high ? '' : `${short(row.low)}–${short(row.high)}`
  return `${row.ours ? `**${text}** ${sign(row)}` : text} | ${quartiles}`
}

/** A section as a table, ours in bold. A ratio above 1 is better than the baseline, whose own is 1. */
export function sectionText(section) {
  const rows = compared(section)
  const notes = [...new Set(rows.map(({ note }) => note).filter(Boolean))]
  const lines = rows.map((row) => {
    const mark = row.note ? ` <sup>${notes.indexOf(row.note) + 1}</sup>` : ''
    const name = row.ours ? `**${row.title}**` : row.title
    return `| ${name}${mark} | ${digits(median(row.samples))} | ${ratio(row)} |`
  })
  const foot = notes.map((note, at) => `<sup>${at + 1}</sup> ${note}  `)
  return [
    `#### ${section.title}`,
    '',
    `| | ${section.unit} | ratio | quartiles |`,
    '|---|---|---|---|',
    ...lines,
    '',
    ...foot,
    ...(foot.length > 0 ? [''] : []),
  ].join('\n')
}

/** Goals as a table, those that are not met in bold. */
export function goalsText(judged) {
  const lines = judged.map(({ what, sign, wanted, measured, met }) => {
    const verdict = met === undefined ? 'not measured' : met ? 'met' : '**not met**'
    return `| ${what} | ${sign} ${digits(wanted)} | ${measured === undefined ? '' : digits(measured)} | ${verdict} |`
  })
  return ['| goal | wanted | measured | |', '|---|---|---|---|', ...lines, ''].join('\n')
}
