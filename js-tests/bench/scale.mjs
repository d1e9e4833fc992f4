/** Stores of many keys: what it costs to list and open them, and whether the cost of a get and a set stays the same. */
import { compare } from './driver.mjs'
import { large } from './workloads.mjs'

const [FULL, QUICK] = [
  [1000, 10_000, 100_000],
  [100, 1000],
]
/** So many keys have documents of 10 KiB in one of the listings. */
const [LARGE, LARGE_QUICK] = [10_000, 200]
/** How long a subject may take to be filled, in seconds, before it is left out. */
const PATIENCE = { 1000: 10, 10_000: 20, 100_000: 45 }

const written = (count) => count.toLocaleString('en')
const milliseconds = (rates) => rates.map((rate) => 1000 / rate)

export async function* scale(agents, wants, options) {
  const sizes = options.quick ? QUICK : FULL
  const kinds = ['list', 'open', 'flat-get', 'flat-set'].filter(wants)
  if (kinds.length === 0) return
  const taking = agents.filter(({ name, only }) => !name.endsWith('sync-view') && (!only || only.includes('list')))
  const timed = { rounds: Math.min(options.rounds, 5), slice: options.slice / 2 }
  const stores = []
  for (const size of sizes) stores.push(...(await filled(taking, size, '200B', options)))
  for (const size of sizes) {
    const there = stores.filter((store) => store.size === size)
    if (wants('list')) yield* listing(there, `list-${size}`, `list ${written(size)} keys`, timed)
    if (wants('open')) yield* opening(there, size, timed)
  }
  for (const id of ['flat-get', 'flat-set'].filter(wants)) yield* flat(id, stores, timed)
  for (const { agent, at } of stores) await agent.call('close', at)
  if (wants('list')) yield* listingLarge(taking, options, timed)
}

/** Stores of so many keys, one of each agent that can fill it in time. */
async function filled(agents, size, bytes, { quick }) {
  const at = `${size}-${bytes}`
  const stores = []
  for (const agent of agents) {
    const can = await agent.call('open', at)
    if (await agent.call('fill', at, size, bytes, quick ? 1 : PATIENCE[size])) stores.push({ agent, at, size, can })
    else await agent.call('close', at)
  }
  return stores
}

async function* listing(stores, id, title, options) {
  const able = stores.filter(({ can }) => can.includes('keys'))
  yield* inMilliseconds(able, id, title, options, ({ agent, at }) => agent.call.bind(agent, 'slice', at, 'list'))
}

async function* opening(stores, size, options) {
  const able = stores.filter(({ agent }) => !agent.volatile && !agent.only)
  const title = `open a store of ${written(size)} keys, until the first value`
  yield* inMilliseconds(able, `open-${size}`, title, options, ({ agent, at }) => agent.call.bind(agent, 'reopen', at))
}

async function* listingLarge(agents, options, timed) {
  const size = options.quick ? LARGE_QUICK : LARGE
  const stores = await filled(agents, size, '10K', options)
  yield* listing(stores, 'list-10K', `list ${written(size)} keys with values of 10 KiB`, timed)
  for (const { agent, at } of stores) await agent.call('close', at)
}

async function* inMilliseconds(stores, id, title, options, sliceOf) {
  if (stores.length === 0) return
  const rates = await compare(
    stores.map((store) => ({ slice: sliceOf(store) })),
    options,
  )
  const rows = stores.map(({ agent }, at) => ({
    subject: agent.name,
    title: agent.title,
    samples: milliseconds(rates[at]),
  }))
  yield { id, title, unit: 'ms', better: 'less', baseline: stores[0].agent.name, rows }
}

/** Each subject beside itself with the fewest keys. */
async function* flat(id, stores, options) {
  const { title } = large.find((workload) => workload.id === id)
  const sorted = [...stores].filter(({ agent }) => !agent.only).sort((a, b) => a.agent.name.localeCompare(b.agent.name))
  const lanes = []
  for (const { agent, at, size } of sorted) {
    await agent.call('prepare', at, id, size)
    lanes.push({ slice: (count) => agent.call('slice', at, id, count) })
  }
  const rates = await compare(lanes, options)
  const rows = sorted.map(({ agent, size }, at) => ({
    subject: `${agent.name}@${size}`,
    title: `${agent.title}: ${written(size)}`,
    against: `${agent.name}@${sorted.find((store) => store.agent === agent).size}`,
    samples: rates[at],
  }))
  yield { id, title, unit: 'operations a second', better: 'more', baseline: rows[0].subject, rows }
}
