/** The workloads of a world, each a section of the report. */
import { compare } from './driver.mjs'
import { workloads } from './workloads.mjs'

/** Measures the workloads that `wants` says, and gives their sections one by one. */
export async function* operations(agents, wants, options) {
  for (const agent of agents) agent.can = await agent.call('open', 'work')
  for (const workload of workloads.filter(({ id }) => wants(id))) {
    const able = agents.filter((agent) => takesPart(agent, workload)).sort(first(workload.baseline))
    if (able.length > 0) yield section(workload, able, await measured(workload, able, options))
  }
  for (const agent of agents) await agent.call('close', 'work')
}

/** Puts the subject of this name before the others. */
const first = (name) => (a, b) => Number(b.name === name) - Number(a.name === name)

const takesPart = ({ name, can, only }, { id, needs, waits }) =>
  (only === undefined || only.some((some) => id.startsWith(some))) &&
  needs.every((verb) => can.includes(verb)) &&
  !(waits && name.endsWith('sync-view'))

async function measured({ id, per, many }, agents, options) {
  for (const agent of agents) await agent.call('prepare', 'work', id)
  const lanes = agents.map((agent) => ({ per, many, slice: (count) => agent.call('slice', 'work', id, count) }))
  const rates = await compare(lanes, options)
  for (const agent of agents) await agent.call('forget', 'work', id)
  return rates
}

function section({ id, title }, agents, rates) {
  const isUpdate = id.startsWith('update')
  const rows = agents.map(({ name, title, can, kept }, at) => ({
    subject: name,
    title,
    samples: rates[at],
    ...(isUpdate && { note: noteOf(can, kept) }),
  }))
  return { id, title, unit: 'operations a second', better: 'more', baseline: agents[0].name, rows }
}

function noteOf(can, kept) {
  if (can.includes('update') && kept === 64) return undefined
  return `not atomic: of 64 increments at once ${kept} stayed`
}
