// A progress bar of one line; where the output is no terminal, a line for every fifth of the work.

const WIDTH = 40

/** Returns a function to call after each of `total` things. */
export function progressBar(total) {
  const terminal = process.stdout.isTTY
  const steps = terminal ? 200 : 5
  let done = 0
  return () => {
    const before = Math.floor((done / total) * steps)
    done += 1
    if (Math.floor((done / total) * steps) === before) return
    const full = Math.floor((done / total) * WIDTH)
    const bar = `  [${'█'.repeat(full)}${'·'.repeat(WIDTH - full)}] ${done} of ${total}`
    process.stdout.write(terminal ? `\r${bar}${done === total ? '\n' : ''}` : `${bar}\n`)
  }
}
