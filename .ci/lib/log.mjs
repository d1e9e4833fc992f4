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
  const note = await work().catch((error) => {
    throw new Error(`step "${name}" failed after ${seconds(since)}: ${error.message}`, { cause: error })
  })
  finished.push({ name, time: seconds(since), note: note ?? '' })
  console.log(`    ${note ? `${note} · ` : ''}${seconds(since)}`)
}

/** Prints a line that belongs to the current step. */
export const say = (line) => console.log(`    ${line}`)

/** Lists every step that ran, with its time. */
export function summary(title) {
  const width = Math.max(...finished.map((s) => s.name.length))
  console.log(`\n${title}`)
  for (const s of finished) console.log(`  ${s.name.padEnd(width)}  ${s.time.padStart(8)}  ${s.note}`)
  console.log(`  ${'in all'.padEnd(width)}  ${seconds(started).padStart(8)}`)
}

/** Runs a script's main function; an error becomes one message and exit code 1. */
export async function main(work) {
  try {
    await work()
  } catch (error) {
    console.error(`\nfailed: ${error.message}`)
    process.exitCode = 1
  }
}
