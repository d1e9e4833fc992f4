/** The page of one subject. `answered` does what the driver asks for, in a worker if the subject needs one. */
import * as subject from 'subject'
import { Agent } from '../agent.mjs'

const platform = {
  async memory() {
    if (!performance.measureUserAgentSpecificMemory) return {}
    const { bytes } = await performance.measureUserAgentSpecificMemory()
    return { heap: bytes }
  },
  async stored() {
    return (await navigator.storage.estimate()).usage
  },
}

/** Calls an agent, and gives its answer or error in a form that can be sent. */
const answering = (agent) => async (method, args) => {
  try {
    return { answer: await agent[method](...args) }
  } catch (error) {
    return { error: `${error?.name}: ${error?.message}\n${error?.stack}` }
  }
}

export function start() {
  globalThis.answered = subject.inWorker ? viaWorker() : answering(new Agent(subject, platform))
}

function viaWorker() {
  const worker = new Worker('./agent-worker.js', { type: 'module' })
  const waiting = new Map()
  let asked = 0
  worker.onmessage = ({ data: { id, answered } }) => {
    waiting.get(id)(answered)
    waiting.delete(id)
  }
  return (method, args) =>
    new Promise((resolve) => {
      waiting.set(asked, resolve)
      worker.postMessage({ id: asked++, method, args })
    })
}

export function startWorker() {
  const answered = answering(new Agent(subject, platform))
  globalThis.onmessage = async ({ data: { id, method, args } }) =>
    globalThis.postMessage({ id, answered: await answered(method, args) })
}
