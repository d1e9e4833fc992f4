// What a script says while it works: numbered steps with their seconds, and a summary at the end.

const started = performance.now()
const finished = []

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/**
 * Runs one step: its name is printed before, its time after, with the one line that `work` may resolve to.
 * A failed step ends the script.
 */
export async function step(name, work) {
  const since = performance.now()
  console.log(`\n[${finished.length + 1}] ${name}`)
  try {
    const note = (await work()) ?? ''
    finished.push({ name, time: seconds(since), note })
    say([note, seconds(since)].filter(Boolean).join(' · '))
  } catch (error) {
    finished.push({ name, time: seconds(since), note: 'FAILED', reason: error.message })
    throw new Error(`step "${name}" failed after ${seconds(since)}`, { cause: error })
  }
}

/** Runs one step; if it fails, the script says so, goes on, and fails at its end. */
export async function check(name, work) {
  await step(name, work).catch((error) => console.error(`\n${error.message}`))
}

/** Prints a line that belongs to the current step. */
export const say = (line) => console.log(`    ${line}`)

/** Runs a script's steps, lists all that ran with their times, and ends with `done`, or with what failed and why. */
export async function main(done, work) {
  const error = await work().then(
    () => undefined,
    (reason) => reason,
  )
  if (error) console.error(`\n${error.message}`)
  const width = Math.max(...finished.map((s) => s.name.length))
  console.log('')
  for (const s of finished) console.log(`${s.name.padEnd(width)}  ${s.time.padStart(8)}  ${s.note}`)
  console.log(`${'in all'.padEnd(width)}  ${seconds(started).padStart(8)}`)
  const failed = finished.filter((s) => s.reason)
  for (const { name, reason } of failed) console.log(`\n${name}: ${reason}`)
  const good = !error && failed.length === 0
  console.log(good ? `\n${done}` : `\nFAILED: ${failed.map((s) => s.name).join(', ') || error.message}`)
  process.exitCode = good ? 0 : 1
}
