/** Since when something is being written to which nothing points yet, by the id of the store. */
const writing = new Map()

/** The `before` of a sweep that spares what this program is writing without a pointer to it. */
export function cutoff(raw) {
  return Math.min(raw.stamp(), ...(writing.get(raw.id()) ?? []))
}

/** From now on, until what it gives is called, the cutoff stays. */
export function unreferenced(raw) {
  const [id, since] = [raw.id(), raw.stamp()]
  const all = writing.get(id) ?? []
  writing.set(id, [...all, since])
  return () => {
    const rest = writing.get(id)
    rest.splice(rest.indexOf(since), 1)
    if (rest.length === 0) writing.delete(id)
  }
}
