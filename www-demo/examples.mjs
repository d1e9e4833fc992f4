/** Ten sightings to begin with: species, place, count, note, and how many hours ago. */
const EXAMPLES = [
  ['Common kingfisher', 'Mill weir', 1, 'Low over the water, upstream. Perched on the sluice for a minute.', 2],
  ['Barn swallow', 'Old stables', 14, 'Two nests in the rafters, feeding.', 5],
  ['Grey heron', 'Reed bed', 3, 'One adult, two young.', 7],
  ['European robin', 'Back garden', 2, 'Singing from the hawthorn before dawn.', 20],
  ['Great crested grebe', 'North lake', 6, 'Carrying young on the back.', 26],
  ['Common swift', 'Church tower', 31, 'Screaming party at dusk.', 30],
  ['Lapwing', 'Water meadow', 48, 'Flock, wheeling. Counted twice.', 50],
  ['Tawny owl', 'Beech wood', 1, 'Heard only: female calling, male answering.', 60],
  ['Long-tailed tit', 'Hedge by the lane', 9, '', 75],
  ['White stork', 'Water meadow', 1, 'Ringed, left leg: black, white letters.', 98],
]

/** The examples as sightings, the dates counted back from now. */
export const examples = () =>
  EXAMPLES.map(([species, place, count, note, hours]) => {
    const seen = new Date(Date.now() - hours * 3_600_000)
    return { species, place, count, note, seen }
  })

export const speciesNames = EXAMPLES.map(([species]) => species).toSorted()
