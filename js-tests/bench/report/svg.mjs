/** Bar charts of ratios as SVG: a bar from 1.0 to the ratio, on a logarithmic axis, for light and dark pages. */

const [WIDTH, LABELS, RIGHT, ROW, HEAD, AXIS] = [860, 330, 60, 18, 30, 26]
const STYLE = `
  .page { fill: #fff } text { font: 12px system-ui, sans-serif; fill: #1b1f24 } .head { font-weight: 600 }
  .grid { stroke: #d8dee4 } .one { stroke: #1b1f24; stroke-width: 1.5 } .peer { fill: #a8b1bb }
  .win { fill: #1f6feb } .loss { fill: #d9480f } .spread { stroke: #57606a }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .one { stroke: #e6edf3 }
    .peer { fill: #57606a } .win { fill: #58a6ff } .loss { fill: #ff8a4c } .spread { stroke: #c9d1d9 }
  }`

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const at = (number) => number.toFixed(1)
const written = (number) => Number(number.toPrecision(2)).toLocaleString('en')

/**
 * A chart of `panels`, each with a `title` and `bars`: `{ label, median, low, high, ours }`, ratios all. Ours are coloured, by
 * whether they are ahead of 1; the thin line is the quartiles.
 */
export function chart(title, panels) {
  const scale = scaleOf(panels.flatMap(({ bars }) => bars.flatMap(({ low, median, high }) => [low, median, high])))
  let top = 0
  const parts = panels.map((panel) => {
    const drawn = panelAt(panel, top, scale)
    top += HEAD + panel.bars.length * ROW + AXIS
    return drawn
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">
<title>${escaped(title)}</title><style>${STYLE}</style><rect class="page" width="${WIDTH}" height="${top}"/>
${parts.join('\n')}
</svg>
`
}

/** Where a ratio is drawn, and the ratios at which there are lines: 1, 2, 5, 10 and so on, both ways. */
function scaleOf(ratios) {
  const seen = ratios.filter((ratio) => Number.isFinite(ratio) && ratio > 0)
  const [low, high] = [Math.min(0.5, ...seen), Math.max(2, ...seen)].map(Math.log10)
  const ticks = []
  for (let power = Math.floor(low); power <= high; power++) {
    const few = high - low > 3 ? [1] : [1, 2, 5]
    ticks.push(...few.map((digit) => digit * 10 ** power))
  }
  const x = (ratio) => {
    const log = Math.min(Math.max(Math.log10(ratio), low), high)
    return LABELS + ((log - low) / (high - low)) * (WIDTH - LABELS - RIGHT)
  }
  return { x, ticks: ticks.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high) }
}

function panelAt({ title, bars }, top, { x, ticks }) {
  const [first, last] = [top + HEAD, top + HEAD + bars.length * ROW]
  const lines = ticks.map(
    (tick) =>
      `<line class="${tick === 1 ? 'one' : 'grid'}" x1="${at(x(tick))}" x2="${at(x(tick))}" y1="${first}" y2="${last}"/>` +
      `<text x="${at(x(tick))}" y="${last + 14}" text-anchor="middle">${written(tick)}</text>`,
  )
  const rows = bars.map((bar, row) => barAt(bar, first + row * ROW, x))
  return [`<text class="head" x="8" y="${top + 20}">${escaped(title)}</text>`, ...lines, ...rows].join('\n')
}

function barAt({ label, median, low, high, ours }, y, x) {
  const [from, to] = [Math.min(x(1), x(median)), Math.max(x(1), x(median))]
  const kind = !ours ? 'peer' : median >= 1 ? 'win' : 'loss'
  return (
    `<text x="${LABELS - 8}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>` +
    `<rect class="${kind}" x="${at(from)}" y="${y + 3}" width="${at(Math.max(1, to - from))}" height="${ROW - 6}"/>` +
    `<line class="spread" x1="${at(x(low))}" x2="${at(x(high))}" y1="${y + ROW / 2}" y2="${y + ROW / 2}"/>` +
    `<text x="${at(Math.max(to, x(high)) + 5)}" y="${y + 13}">${written(median)}</text>`
  )
}
