/** What is said of a row of numbers. */

/** The value below which this part of the numbers is, between two of them where it falls so; `undefined` for none. */
export function quantile(numbers, part) {
  if (numbers.length === 0) return undefined
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = part * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (at - below) * (sorted[above] - sorted[below])
}

export const median = (numbers) => quantile(numbers, 0.5)

/** A row of numbers as its median and quartiles. */
export const spread = (numbers) => ({
  median: median(numbers),
  low: quantile(numbers, 0.25),
  high: quantile(numbers, 0.75),
})

/**
 * How many times better the samples are than those of a baseline: round by round where both have as many, since the
 * machine may have been slower in one round than in the next; else by the medians.
 */
export function ratios(samples, baseline, better = 'more') {
  const ratio = (ours, theirs) => (better === 'more' ? ours / theirs : theirs / ours)
  if (samples.length === baseline.length) return samples.map((sample, round) => ratio(sample, baseline[round]))
  return [ratio(median(samples), median(baseline))]
}
