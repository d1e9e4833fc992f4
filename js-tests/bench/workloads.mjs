/**
 * What is measured, the same in Node and in browsers. A subject has `set(key, value)` and `get(key)`, both promised, and a
 * store of ours the same for binaries: `setBytes` and `getBytes`.
 */

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

/** A document of about 10 KiB as JSON. */
const largeDocumentOf = (n) => ({ id: n, people: Array.from({ length: 52 }, (_, at) => documentOf(n + at)) })
/** 10 MiB that no two blocks of are alike. */
const binary = () => new Uint8Array(10 << 20).map((_, at) => at ^ (at >> 8) ^ (at >> 16))
/** What encryption is measured by: the same sizes, each alone. */
export function encryptionWorkloads() {
  const bytes = binary()
  return [
    ['assoc, 200 bytes', inTurn, (subject) => (n) => subject.set(key(n), documentOf(n))],
    ['get, 200 bytes', inTurn, (subject) => (n) => subject.get(key(n))],
    ['assoc, 10 KiB', inTurn, (subject) => (n) => subject.set(key(n), largeDocumentOf(n)), 2],
    ['get, 10 KiB', inTurn, (subject) => (n) => subject.get(key(n)), 2],
    ['bassoc, 10 MiB', inTurn, (subject) => () => subject.setBytes('binary', bytes), 256],
    ['bget, 10 MiB', inTurn, (subject) => () => subject.getBytes('binary'), 256],
  ]
}

/** Each workload: its name, and what it does `count` times, or where it takes longer, a part of that. */
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
export async function measure(subjects, { rounds, count, warmUp = 1 }, measured = workloads) {
  const results = measured.map(([name]) => ({ name, rates: Object.fromEntries(subjects.map(([name]) => [name, []])) }))
  for (let round = -warmUp; round < rounds; round++) {
    const order = round % 2 === 0 ? subjects : [...subjects].reverse()
    for (const [at, [, run, act, part = 1]] of measured.entries()) {
      for (const [name, subject] of order) {
        const times = Math.max(1, Math.round(count / part))
        const began = performance.now()
        await run(times, act(subject))
        const rate = (times * 1000) / (performance.now() - began)
        if (round >= 0) results[at].rates[name].push(rate)
      }
    }
  }
  return results
}
