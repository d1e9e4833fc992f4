// What the benchmark says of its numbers: medians, ratios, goals, plots and pages. Nothing is measured here.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compare } from './bench/driver.mjs'
import { numbers, sizedDocument, zipf } from './bench/documents.mjs'
import { goals, judged } from './bench/goals.mjs'
import { options } from './bench/options.mjs'
import { families, grouped } from './bench/report/families.mjs'
import { goalsText, sectionText } from './bench/report/markdown.mjs'
import { chart } from './bench/report/svg.mjs'
import { quantile, ratios, spread } from './bench/stats.mjs'
import { workloads } from './bench/workloads.mjs'

const section = (better, samples) => ({
  id: 'set-200B-turn',
  title: 'set & <get>',
  unit: 'operations a second',
  better,
  baseline: 'raw-relaxed',
  rows: Object.entries(samples).map(([subject, samples]) => ({ subject, title: subject, samples })),
})

describe('statistics', () => {
  it('finds medians and quartiles between numbers', () => {
    assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, low: 1.75, high: 3.25 })
    assert.equal(quantile([10, 2, 9], 0.5), 9)
    assert.equal(quantile([], 0.5), undefined)
  })

  it('compares round by round, so that a slow round counts for both', () => {
    assert.deepEqual(ratios([200, 20, 2], [100, 10, 1]), [2, 2, 2])
    assert.deepEqual(ratios([5, 10], [10, 40], 'less'), [2, 4], 'less is better')
    assert.deepEqual(ratios([4, 4, 4], [1, 3]), [2], 'medians, where the rounds are not the same')
  })
})

describe('the driver', () => {
  const lane = (ms, calls) => ({ slice: async (count) => (calls.push(count), count * ms) })

  it('does the same in each lane, in an order that turns around, and counts what was done', async () => {
    const order = []
    const named = (name, ms) => ({
      slice: async (count) => (order.push(name), count * ms),
      many: name === 'b' ? 10 : 1,
    })
    const rates = await compare([named('a', 1), named('b', 1)], { rounds: 2, slice: 10 })
    assert.deepEqual(order.slice(-4), ['a', 'b', 'b', 'a'])
    assert.deepEqual(rates, [
      [1000, 1000],
      [10_000, 10_000],
    ])
  })

  it('gives what is slow a turn in every third round', async () => {
    const lanes = [lane(1, []), { per: 64, slice: async (count) => count * 100 }]
    const rates = await compare(lanes, { rounds: 7, slice: 10 })
    assert.deepEqual(
      rates.map(({ length }) => length),
      [7, 3],
    )
  })

  it('lets nobody take far longer or shorter than a slice', async () => {
    const [base, slow, fast] = [[], [], []]
    await compare([lane(1, base), lane(100, slow), lane(0.001, fast)], { rounds: 1, slice: 100 })
    assert.deepEqual([base.at(-1), slow.at(-1), fast.at(-1)], [100, 2, 25_000])
  })
})

describe('workloads', () => {
  it('have documents of the sizes that they say', () => {
    for (const [size, bytes] of [
      ['200B', 200],
      ['10K', 10_240],
      ['1M', 1 << 20],
    ]) {
      const { length } = JSON.stringify(sizedDocument(size, 1))
      assert.ok(length > bytes * 0.85 && length < bytes * 1.15, `${size} has ${length}`)
    }
  })

  it('choose few keys often and most seldom', () => {
    const chosen = zipf(100, 10_000)
    const times = (n) => chosen.filter((key) => key === n).length
    assert.ok(chosen.every((key) => key >= 0 && key < 100))
    assert.ok(times(0) > 1.5 * times(1) && times(1) > 5 * times(50), `${times(0)}, ${times(1)}, ${times(50)}`)
    assert.equal(numbers(1)(), numbers(1)(), 'the same for the same seed')
  })

  it('have ids of their own, and a place in the report', () => {
    assert.equal(new Set(workloads.map(({ id }) => id)).size, workloads.length)
    for (const { id } of workloads) {
      assert.equal(families.filter(({ has }) => has(id)).length, 1, `${id} is in one family`)
    }
  })

  it('do what is asked of them as often as they are told', async () => {
    const done = []
    const note = (verb) => (key) => (done.push(verb), key)
    const store = { set: note('set'), get: note('get'), update: note('update'), getIn: note('getIn') }
    for (const workload of workloads.filter(({ needs }) => needs.length === 0)) {
      const prepared = await workload.prepare(store)
      done.length = 0
      await workload.run(store, 128, prepared)
      assert.equal(done.length, 128, workload.id)
    }
  })
})

describe('goals', () => {
  const world = (ours, raw) => ({ id: 'chromium', sections: [section('more', { 'raw-relaxed': raw, konserve: ours })] })
  const first = (worlds) => judged(worlds, goals.slice(0, 1))[0]

  it('are met, not met, or not measured', () => {
    assert.deepEqual(
      [first([world([96], [100])]), first([world([94], [100])]), first([])].map(({ met }) => met),
      [true, false, undefined],
    )
    assert.equal(first([world([30, 50, 96], [10, 50, 100])]).measured, 1)
  })

  it('that are no more than a number', () => {
    const start = goals.filter(({ world, sign }) => world === 'node' && sign === '≤').slice(0, 1)
    const took = (ms) => ({
      id: 'node',
      sections: [
        { id: 'start', better: 'less', baseline: 'raw-fs', rows: [{ subject: 'konserve-files', samples: [ms] }] },
      ],
    })
    assert.deepEqual(
      [19, 21].map((ms) => judged([took(ms)], start)[0].met),
      [true, false],
    )
  })

  it('all say what they are of, and measure nothing where nothing was measured', () => {
    for (const { world, what, wanted, met } of judged([])) {
      assert.ok(['node', 'chromium', 'firefox', 'size', 'native'].includes(world), what)
      assert.ok(wanted > 0, what)
      assert.equal(met, undefined, what)
    }
  })

  it('that are not met are told', () => {
    const text = goalsText(judged([world([94], [100])], goals.slice(0, 1)))
    assert.match(text, /\| ≥ 0\.95 \| 0\.94 \| \*\*not met\*\* \|/)
  })
})

describe('the report', () => {
  const measured = section('more', { 'raw-relaxed': [100, 100, 100], konserve: [50, 51, 52], dexie: [200, 201, 202] })

  it('says what is behind as it says what is ahead', () => {
    const text = sectionText(measured)
    assert.match(text, /\| raw-relaxed \| 100 \| 1 \| {2}\|/)
    assert.match(text, /\| \*\*konserve\*\* \| 51\.0 \| \*\*0\.51\*\* ▼ \| 0\.51–0\.52 \|/)
    assert.match(text, /\| dexie \| 201 \| 2\.01 \| 2\.00–2\.01 \|/)
    assert.match(sectionText({ ...measured, better: 'less' }), /\| \*\*1\.96\*\* ▲ \|/)
  })

  it('compares a row with another one than the baseline where it says so', () => {
    const rows = measured.rows.map((row) => (row.subject === 'konserve' ? { ...row, against: 'dexie' } : row))
    assert.match(sectionText({ ...measured, rows }), /\*\*0\.25\*\* ▼/)
  })

  it('leaves no section out', () => {
    const sections = [measured, { ...measured, id: 'something-new' }]
    assert.deepEqual(
      grouped(sections).map(({ id, sections }) => [id, sections.length]),
      [
        ['set', 1],
        ['more', 1],
      ],
    )
  })

  it('draws plots that are well-formed, with every bar on them', () => {
    const bars = [
      { label: 'raw & <bare>', median: 1, low: 1, high: 1, ours: false },
      { label: 'ours', median: 0.004, low: 0.003, high: 0.005, ours: true },
      { label: 'fast', median: 700, low: 500, high: 900, ours: true },
    ]
    const svg = chart('a "plot"', [{ title: 'one', bars }])
    wellFormed(svg)
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/)
    assert.deepEqual(
      [...svg.matchAll(/<rect class="(peer|win|loss)" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(([, kind]) => kind),
      ['peer', 'loss', 'win'],
    )
    for (const [, x, width] of svg.matchAll(/<rect class="\w+" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)) {
      assert.ok(Number(x) >= 330 && Number(x) + Number(width) <= 860, 'inside the page')
    }
  })
})

/** Fails unless each element is closed in its order, and texts have no sign that is markup. */
function wellFormed(xml) {
  const open = []
  const rest = xml
    .replace(/<style>[^<]*<\/style>/, '')
    .replace(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g, (_, end, name, __, empty) => {
      if (end) assert.equal(open.pop(), name)
      else if (!empty) open.push(name)
      return ''
    })
  assert.deepEqual(open, [])
  assert.doesNotMatch(rest, /[<>"]|&(?!#\d+;)/)
}

describe('the command line', () => {
  it('measures all and writes it, or a part and does not', () => {
    const all = options([])
    assert.deepEqual(
      [all.writes, all.worlds.length, all.wants('get-200B-turn'), all.takes('dexie')],
      [true, 5, true, true],
    )
    const part = options(['--browser', '--only', 'konserve,dexie', '--workloads', 'set-200B'])
    assert.deepEqual([part.writes, part.worlds], [false, ['chromium', 'firefox']])
    assert.deepEqual(['set-200B-turn', 'set-10K-turn'].map(part.wants), [true, false])
    assert.deepEqual(['konserve-strict', 'idb-keyval'].map(part.takes), [true, false])
    assert.equal(options(['--quick']).writes, false)
    assert.throws(() => options(['--keep', '--only', 'dexie']))
  })
})
