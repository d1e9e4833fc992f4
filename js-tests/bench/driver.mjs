/**
 * Measures lanes side by side. A lane is what one subject does of one kind: `slice(count)` does it `count` times and gives
 * the milliseconds. In each round every lane has one slice, in an order that alternates; a machine that gets slower for a
 * while so makes all slower.
 */

/** No lane takes more or less than its share of a slice by these factors. */
const [LONGEST, SHORTEST] = [2, 1 / 4]

/**
 * Gives for each lane its operations per second, one number for each round. The first lane says how many operations a
 * slice of `slice` ms is; the others do as many, unless that takes far longer or shorter.
 */
export async function compare(lanes, { rounds, slice }) {
  for (const lane of lanes) lane.rate = await warmUp(lane, slice)
  const wanted = (lanes[0].rate * slice) / 1000
  for (const lane of lanes) lane.count = share(lane, wanted, slice / 1000)
  const rates = lanes.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const order = [...lanes.keys()].filter((at) => round % 3 === 0 || !isSlow(lanes[at], slice))
    for (const at of round % 2 === 0 ? order : order.reverse()) {
      const { count, many = 1 } = lanes[at]
      rates[at].push((count * many * 1000) / (await lanes[at].slice(count)))
    }
  }
  return rates
}

/** Whether the least that a lane can do takes many slices. It then has its turn in every third round only. */
const isSlow = ({ rate, per = 1 }, slice) => (per * 1000) / rate > 5 * slice

/** Runs a lane until its code is warm, twice as often each time. Its rate in the last slice. */
async function warmUp({ slice, per = 1 }, wanted) {
  for (let count = per, spent = 0; ; count *= 2) {
    const took = await slice(count)
    spent += took
    if (spent > 3 * wanted) return (count * 1000) / took
  }
}

function share({ rate, per = 1 }, wanted, seconds) {
  const count = Math.min(Math.max(wanted, rate * seconds * SHORTEST), rate * seconds * LONGEST)
  return Math.max(per, Math.round(count / per) * per)
}
