/** A run: each world in turn, each kind of measurement in it, and the report. */
import { cpus } from 'node:os'
import { footprint } from './footprint.mjs'
import { judged } from './goals.mjs'
import { operations } from './operations.mjs'
import { goalsText, isOurs, sectionText } from './report/markdown.mjs'
import { keep } from './report/report.mjs'
import { scale } from './scale.mjs'
import { sizes } from './size.mjs'
import { startup } from './startup.mjs'
import { chromiumWorld } from './worlds/chromium.mjs'
import { firefoxWorld } from './worlds/firefox.mjs'
import { nodeWorld } from './worlds/node.mjs'

const WORLDS = {
  size: inWorld(chromiumWorld, sizeWorld),
  node: inWorld(nodeWorld, measureWorld),
  chromium: inWorld(chromiumWorld, measureWorld),
  firefox: inWorld(firefoxWorld, measureWorld),
  native: nativeWorld,
}

export async function run(options) {
  const measured = []
  for (const id of options.worlds) {
    const began = Date.now()
    const world = await WORLDS[id](options)
    if (!world) continue
    const machine = { ...world.about, processor: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}` }
    const { rounds, slice, quick } = options
    const date = new Date().toISOString().slice(0, 10)
    const { title, missing, sections } = world
    measured.push({ id, title, about: machine, date, rounds, slice, quick, missing, sections })
    tell(`${world.title}: ${Math.round((Date.now() - began) / 1000)} s`)
    if (options.writes) await keep([measured.at(-1)])
  }
  console.log(`## Goals\n\n${goalsText(judged(measured).filter(({ measured }) => measured !== undefined))}`)
}

/** Progress is not the result: it goes to standard error. */
const tell = (text) => console.error(text)

function inWorld(open, measure) {
  return async (options) => {
    const world = await open()
    try {
      return { title: world.title, about: world.about, ...(await measure(world, options)) }
    } finally {
      await world.close()
    }
  }
}

function show(section) {
  console.log(sectionText(section))
  return section
}

async function measureWorld(world, options) {
  const { wants } = options
  const { agents, missing } = await checkedAgents(world, options)
  const names = agents.map(({ name }) => name)
  const sections = []
  let before = Date.now()
  for (const kind of [
    operations(agents, wants, options),
    startup(world, agents, wants, options),
    scale(agents, wants, options),
    footprint(world, names, wants, options),
  ])
    for await (const section of kind) {
      sections.push(show(section))
      tell(`${world.title}, ${section.id}: ${((Date.now() - before) / 1000).toFixed(1)} s`)
      before = Date.now()
    }
  for (const agent of agents) await agent.close()
  return { sections, missing }
}

async function sizeWorld(world, { takes, wants }) {
  if (!wants('size')) return { title: 'Size', sections: [] }
  return { title: 'Size', sections: (await sizes(world, takes)).map(show) }
}

/**
 * The baseline first, then the others that are wanted. Each has shown that it gives back what it was given; a peer that does
 * not, or is not installed, is left out, and said to be.
 */
async function checkedAgents({ names, baseline, agent }, { takes }) {
  const wanted = [baseline, ...names.filter((name) => name !== baseline && takes(name))]
  const [agents, missing] = [[], []]
  for (const name of wanted) {
    try {
      agents.push(await checked(await agent(name)))
    } catch (error) {
      if (name === baseline || isOurs({ subject: name })) throw error
      tell(`${name} is left out: ${error.message}`)
      missing.push(name)
    }
  }
  return { agents, missing }
}

async function checked(agent) {
  if (agent.only && !agent.only.includes('list')) return agent
  await agent.call('open', 'check')
  agent.kept = await agent.call('check', 'check')
  await agent.call('close', 'check')
  return agent
}

/** What native code measures, if this tree has it: `benchNative(options)` gives `{ about, sections }`, or the sections. */
async function nativeWorld(options) {
  const found = await import('./native.mjs').catch((error) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  })
  if (!found) return void tell('native: nothing measures it in this tree')
  const answer = await found.benchNative(options)
  const { about = {}, sections } = Array.isArray(answer) ? { sections: answer } : answer
  return { title: 'Native', about, sections: sections.map(show) }
}
