/** What is measured, the same in Node and in browsers. A subject has `set(key, value)` and `get(key)`, both promised. */

const AT_ONCE = 64

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

const key = (n) => `key ${n}`
const inTurn = async (count, act) => {
  for (let n = 0; n < count; n++) await act(n)
}
const atOnce = async (count, act) => {
  for (let n = 0; n < count; n += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - n) }, (_, i) => act(n + i)))
  }
}

/** Each workload: its name, and what it does `count` times. */
export const workloads = [
  ['assoc, one after another', inTurn, (subject) => (n) => subject.set(key(n), documentOf(n))],
  ['get, one after another', inTurn, (subject) => (n) => subject.get(key(n))],
  [`assoc, ${AT_ONCE} at once`, atOnce, (subject) => (n) => subject.set(key(n), documentOf(n + 1))],
  [`get, ${AT_ONCE} at once`, atOnce, (subject) => (n) => subject.get(key(n))],
]

/**
 * Runs every workload on every subject, in rounds whose order alternates. The first `warmUp` rounds do not count.
 * Gives the operations per second of each round, by workload and subject.
 */
export async function measure(subjects, { rounds, count, warmUp = 1 }) {
  const results = workloads.map(([name]) => ({ name, rates: Object.fromEntries(subjects.map(([name]) => [name, []])) }))
  for (let round = -warmUp; round < rounds; round++) {
    const order = round % 2 === 0 ? subjects : [...subjects].reverse()
    for (const [at, [, run, act]] of workloads.entries()) {
      for (const [name, subject] of order) {
        const began = performance.now()
        await run(count, act(subject))
        const rate = (count * 1000) / (performance.now() - began)
        if (round >= 0) results[at].rates[name].push(rate)
      }
    }
  }
  return results
}
