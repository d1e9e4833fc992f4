/** What is stored: documents of 200 bytes, 10 KiB and 1 MiB as JSON, and bytes. */

/** A document of about 200 bytes as JSON. */
export function documentOf(n) {
  return {
    id: n,
    name: `Ada Lovelace ${n % 97}`,
    email: `ada.${n}@example.org`,
    tags: ['mathematics', 'poetry', 'engines'],
    address: { city: 'London', postcode: 'W1', lat: 51.5074, lon: -0.1278 },
    active: n % 2 === 0,
  }
}

const crowd = (n, people) => ({ id: n, people: Array.from({ length: people }, (_, at) => documentOf(n + at)) })

/** A document of this size: `200B`, `10K` or `1M`. */
export function sizedDocument(size, n) {
  return size === '200B' ? documentOf(n) : crowd(n, size === '10K' ? 52 : 5200)
}

/** 10 MiB that no two blocks of are alike. */
export const binary = () => new Uint8Array(10 << 20).map((_, at) => at ^ (at >> 8) ^ (at >> 16))

/** Numbers below `below` by Zipf's law, the same each time: few of them often, most of them seldom. */
export function zipf(below, count) {
  const weights = Array.from({ length: below }, (_, at) => 1 / (at + 1))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const random = numbers(7)
  return Array.from({ length: count }, () => {
    let left = random() * total
    return Math.max(
      0,
      weights.findIndex((weight) => (left -= weight) < 0),
    )
  })
}

/** Numbers between 0 and 1 that look random, the same for the same seed. */
export function numbers(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
