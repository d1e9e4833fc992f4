import { Loader } from './load.js'

/** How a browser, a worker, or any place that has `fetch` loads the module. */
export const web = {
  bindings: () => import('./wasm/web.js'),
  module: () => fetch(new URL('./wasm/web_bg.wasm', import.meta.url)),
  copy: async () => (await import('./wasm/web-copy.js')).default,
  fetch: (url) => fetch(url),
  instantiate: (bindings, module) => bindings.default({ module_or_path: module }),
}

/** The one of all entries of the package. */
export const loader = new Loader(web)
