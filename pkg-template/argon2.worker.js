/** What runs in the worker of argon2.js: one message with what is given, one answer with the bytes. */
import { derive } from './argon2-here.js'

addEventListener('message', async ({ data }) => {
  try {
    postMessage({ bytes: await derive(...data) })
  } catch {
    // Where it failed here, the page tries it itself, and tells the error.
    postMessage({})
  }
})
