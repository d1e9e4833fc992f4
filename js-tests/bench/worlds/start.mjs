/** How long it takes from the import of a subject to the value of a key, in ms: here, or in a worker that this page starts. */

export async function startUp() {
  const began = performance.now()
  try {
    const { open } = await import('./subject.js')
    const store = await open('start')
    const value = await store.get('first')
    const took = performance.now() - began
    await store.close()
    return value?.a === 1 ? { took } : { error: `gave ${JSON.stringify(value)}` }
  } catch (error) {
    return { error: String(error.stack ?? error) }
  }
}

export function startWorker() {
  const began = performance.now()
  const worker = new Worker('./start.js', { type: 'module' })
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data.error ? data : { took: performance.now() - began })
  })
}

if (globalThis.document === undefined) globalThis.postMessage(await startUp())
