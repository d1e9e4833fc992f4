// Node's own: a test that fakes the time fakes the global one, and some places have none.
import timers from 'node:timers'

/**
 * Calls of many at a time, handed to the threads of Node's pool in bursts. To hand over a call while the pool sleeps means to wake
 * a thread, which takes longer than a short call itself: it sleeps again before the next one comes.
 *
 * A call that is alone is handed over at once. While others are under way, calls wait for the end of this turn of the
 * event loop, so that those of all callbacks of the turn go together.
 */
export function bursts(fs, names) {
  let underWay = 0
  let waiting = []

  function flush() {
    const calls = waiting
    waiting = []
    calls.forEach(call)
  }

  function call([name, args, done]) {
    try {
      fs[name](...args, done)
    } catch (error) {
      // What Node refuses before it asks the system, a path that cannot be one for example.
      done(error)
    }
  }

  const inBursts =
    (name) =>
    (...args) => {
      const told = args.pop()
      const done = (error, value) => {
        underWay -= 1
        told(error, value)
      }
      underWay += 1
      if (underWay === 1) call([name, args, done])
      else if (waiting.push([name, args, done]) === 1) timers.setImmediate(flush)
    }

  return Object.fromEntries(names.map((name) => [name, inBursts(name)]))
}
