/** What a store of many documents takes: memory of its process or page, and bytes on the disk. */

const [DOCUMENTS, QUICK_DOCUMENTS] = [10_000, 500]
const KINDS = {
  process: ['memory-process', 'memory of the process, with an open store'],
  heap: ['memory-heap', 'memory that JavaScript and wasm hold, with an open store'],
  stored: ['disk', 'on the disk, after closing: a store'],
}

export async function* footprint(world, names, wants, { quick }) {
  if (!wants('memory') && !wants('disk')) return
  const documents = quick ? QUICK_DOCUMENTS : DOCUMENTS
  const taken = []
  for (const name of names) {
    const found = await footprintOf(world, name, documents)
    if (found) taken.push(found)
  }
  for (const [kind, [id, title]] of Object.entries(KINDS)) {
    const rows = taken
      .filter((one) => one[kind] !== undefined)
      .map((one) => ({ ...one.about, samples: [one[kind] / 1024] }))
    const of = `of ${documents.toLocaleString('en')} documents of 200 bytes`
    if (rows.length > 0)
      yield { id, title: `${title} ${of}`, unit: 'KiB', better: 'less', baseline: rows[0].subject, rows }
  }
}

/** In a fresh process or page; `undefined` for those that are there for something else. */
async function footprintOf(world, name, documents) {
  const agent = await world.agent(name)
  try {
    if (agent.only || name.endsWith('sync-view')) return undefined
    await agent.call('open', 'footprint')
    const before = await agent.call('stored', 'footprint').catch(() => 0)
    if (!(await agent.call('fill', 'footprint', documents, '200B', 20))) return undefined
    const memory = await agent.call('memory')
    await agent.call('close', 'footprint')
    const stored = agent.volatile ? undefined : (await agent.call('stored', 'footprint')) - before
    return { about: { subject: name, title: agent.title }, ...memory, stored }
  } finally {
    await agent.close()
  }
}
