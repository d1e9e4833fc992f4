/** How long it takes from the import to the first value of a store that is there, in fresh processes or pages. */

export async function* startup(world, agents, wants, { rounds }) {
  if (!wants('start')) return
  const taking = agents.filter(
    ({ name, only, volatile }) => !volatile && !name.endsWith('sync-view') && (!only || only.includes('start')),
  )
  for (const agent of taking) {
    await agent.call('open', 'start')
    await agent.call('set', 'start', 'first', { a: 1 })
    await agent.call('close', 'start')
  }
  const rows = taking.map(({ name, title }) => ({ subject: name, title, samples: [] }))
  for (let round = -1; round < rounds; round++) {
    const order = [...taking.keys()]
    for (const at of round % 2 === 0 ? order : order.reverse()) {
      const took = await world.startup(taking[at])
      if (round >= 0) rows[at].samples.push(took)
    }
  }
  const title = 'from the import to the first value'
  yield { id: 'start', title, unit: 'ms', better: 'less', baseline: rows[0].subject, rows }
}
