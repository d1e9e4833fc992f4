/** The compliance suite, as `konserve/testing` gives it. */
import { checkedConfig } from './api.js'
import { KonserveError } from './error.js'
import { forModule } from './tiers.js'

/** What the entry exports; `load` promises the wasm module that has the suite, `options` are those of the API. */
export function testing(load, options) {
  const compliance = (subject) => casesOf(load, options, subject)
  return { compliance, runCompliance: async (subject) => reportOf(await compliance(subject)) }
}

async function casesOf(load, options, { open, sync = false } = {}) {
  if (typeof open !== 'function') {
    const message = 'compliance needs { open }, a function that gives the backing of the place it is given the name of'
    throw new KonserveError('INVALID_CONFIG', message)
  }
  const bindings = await load()
  const inPlaces = async (act) => {
    const places = new Places(open, options)
    try {
      return await act((place) => places.config(place))
    } finally {
      await places.close()
    }
  }
  const suite = await inPlaces((config) => bindings.compliance(config, sync))
  const run = (name) => () => inPlaces((config) => suite.run(name, config))
  return suite.cases().map(({ name, skipped }) => ({ name, skipped, run: run(name) }))
}

/** The places of one case. */
class Places {
  #open
  #options
  #configs = new Map()
  #reopened = []

  constructor(open, options) {
    this.#open = open
    this.#options = options
  }

  config(place) {
    if (!this.#configs.has(place)) this.#configs.set(place, this.#made(place))
    return this.#configs.get(place)
  }

  #made(place) {
    const backing = (given) => {
      if (typeof given?.close !== 'function') return given
      const reopened = new Reopened(given, () => this.#open(place))
      this.#reopened.push(reopened)
      return reopened
    }
    const given = this.#open(place)
    const isConfig = given?.backend !== undefined && given.read === undefined
    const config = isConfig ? given : { backend: given }
    const checked = checkedConfig('compliance', { ...config, backend: backing(config.backend) }, this.#options)
    return forModule(
      checked,
      (store) => store,
      (given, next) => next(given),
    )
  }

  /** Closes what was only looked at or emptied. */
  async close() {
    for (const backing of this.#reopened) await backing.close()
  }
}

/** A place whose backing can be closed: who comes afterwards has another. */
class Reopened {
  #backing
  #open

  constructor(backing, open) {
    this.#backing = backing
    this.#open = open
    this.capability = backing.capability
    const methods = ['read', 'write', 'names'].filter((name) => typeof backing[name] === 'function')
    for (const name of methods) this[name] = (...given) => (this.#backing ??= this.#open())[name](...given)
  }

  close() {
    const backing = this.#backing
    this.#backing = undefined
    return backing?.close()
  }
}

async function reportOf(cases) {
  const report = new Report()
  for (const { name, skipped, run } of cases) {
    if (skipped !== undefined) report.skipped.push({ name, skipped })
    else
      await run().then(
        () => report.passed.push(name),
        (error) => report.failed.push({ name, error }),
      )
  }
  return report
}

class Report {
  passed = []
  skipped = []
  failed = []

  toString() {
    const capabilities = [...new Set(this.skipped.map(({ skipped }) => skipped))]
    const names = (capability) => this.skipped.filter(({ skipped }) => skipped === capability).map(({ name }) => name)
    return [
      `${this.passed.length} passed, ${this.skipped.length} skipped, ${this.failed.length} failed`,
      ...capabilities.map((capability) => `skipped, since it is not ${capability}: ${names(capability).join(', ')}`),
      ...this.failed.map(({ name, error }) => `failed: ${name}: ${error?.message ?? error}`),
    ].join('\n')
  }
}
