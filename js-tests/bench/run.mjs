/** A run: each world in turn, each kind of measurement in it, and the report. */
import { footprint } from './footprint.mjs'
import { operations } from './operations.mjs'
import { sectionText } from './report/markdown.mjs'
import { scale } from './scale.mjs'
import { startup } from './startup.mjs'
import { chromiumWorld } from './worlds/chromium.mjs'
import { firefoxWorld } from './worlds/firefox.mjs'
import { nodeWorld } from './worlds/node.mjs'

const WORLDS = { node: nodeWorld, chromium: chromiumWorld, firefox: firefoxWorld }

export async function run(options) {
  for (const id of options.worlds) {
    if (!WORLDS[id]) continue
    const world = await WORLDS[id]()
    try {
      await measureWorld(world, options)
    } finally {
      await world.close()
    }
  }
}

async function measureWorld(world, options) {
  console.log(`## ${world.title}, ${Object.entries(world.about).flat().join(' ')}\n`)
  const { wants } = options
  const agents = await checkedAgents(world, options)
  const names = agents.map(({ name }) => name)
  const sections = []
  for (const kind of [
    operations(agents, wants, options),
    startup(world, agents, wants, options),
    scale(agents, wants, options),
    footprint(world, names, wants, options),
  ])
    for await (const section of kind) {
      console.log(sectionText(section))
      sections.push(section)
    }
  for (const agent of agents) await agent.close()
  return sections
}

/** The baseline first, then the others that are wanted. Each has shown that it gives back what it was given. */
async function checkedAgents({ names, baseline, agent }, { takes }) {
  const wanted = [baseline, ...names.filter((name) => name !== baseline && takes(name))]
  const agents = []
  for (const name of wanted) {
    const one = await agent(name)
    if (!one.only || one.only.includes('list')) {
      await one.call('open', 'check')
      one.kept = await one.call('check', 'check')
      await one.call('close', 'check')
    }
    agents.push(one)
  }
  return agents
}
