import { ClojureDatabase, isClojures } from './clojure-database.js'
import { KonserveError } from './error.js'

export { isClojures }

/** The functions of the module for what is shared with Clojure, over databases as ClojureScript has them, too. */
export function withDatabases(bindings) {
  const over =
    (name) =>
    async (...given) =>
      bindings[name](...given.slice(0, -1), await placed(given.at(-1)))
  return { open: over('open'), storeExists: over('storeExists'), deleteStore: over('deleteStore') }
}

/** The config, with such a database as its backend where it names one, or is to make one. */
async function placed(config) {
  const { backend, name, durability, layout, ...rest } = config
  if (backend !== 'indexeddb' || (layout !== 'konserve' && !(await isClojures(name)))) return config
  if (layout === 'sealed') {
    const message = "the database is in konserve's layout, the config says sealed; leave the layout out"
    throw new KonserveError('INVALID_CONFIG', message)
  }
  return { ...rest, backend: new ClojureDatabase(name, durability), layout: 'konserve' }
}
