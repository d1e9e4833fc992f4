/** Sections as Markdown. */
import { ratios, spread } from '../stats.mjs'

const digits = (number) =>
  number >= 100 ? Math.round(number).toLocaleString('en') : number.toPrecision(number >= 10 ? 3 : 2)

/** A section as a table: each row beside the baseline. A ratio above 1 is better than it. */
export function sectionText({ title, unit, better, baseline, rows }) {
  const lines = rows.map(({ title, samples, note, against = baseline }) => {
    const base = rows.find(({ subject }) => subject === against)
    const { median, low, high } = spread(ratios(samples, base.samples, better))
    const ratio = `${median.toFixed(2)} | ${low.toFixed(2)}–${high.toFixed(2)}`
    return `| ${title} | ${digits(spread(samples).median)} | ${ratio} | ${note ?? ''} |`
  })
  return [`### ${title}`, '', `| | ${unit} | ratio | quartiles | |`, '|---|---|---|---|---|', ...lines, ''].join('\n')
}
