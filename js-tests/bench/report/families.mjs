/** How the sections of a world are put together on its page: each family has one plot, and a heading in bounds.md. */
export const families = [
  ['set', 'Writing documents'],
  ['get', 'Reading documents', (id) => id.startsWith('get-') && id !== 'get-1M'],
  ['update', 'Updating documents'],
  ['mixed', 'Reading and writing'],
  ['getin', 'Parts of large documents', (id) => id === 'get-1M' || id === 'getin-1M'],
  ['batch', 'Batches'],
  ['append', 'Logs'],
  ['binary', 'Binaries'],
  ['boundary', 'Encoding and decoding', (id) => /^(en|de)code/.test(id)],
  ['start', 'Start-up'],
  ['open', 'Opening'],
  ['list', 'Listing keys'],
  ['flat', 'The cost with many keys'],
  ['memory', 'Memory'],
  ['disk', 'Disk'],
  ['size', 'Size'],
].map(([id, title, has = (section) => section.startsWith(id)]) => ({ id, title, has }))

/** The families that have sections, and these; what belongs to none is last. */
export function grouped(sections) {
  const groups = families.map((family) => ({ ...family, sections: sections.filter(({ id }) => family.has(id)) }))
  const rest = sections.filter(({ id }) => !families.some(({ has }) => has(id)))
  return [...groups, { id: 'more', title: 'More', sections: rest }].filter(({ sections }) => sections.length > 0)
}
