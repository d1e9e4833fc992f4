import { startWorker } from './agent-page.mjs'

startWorker()
