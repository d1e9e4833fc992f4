import { openStore } from 'konserve'
import { verbs } from '../konserve.mjs'

export const title = 'konserve, memory over files without fsync'
export const open = async (path) =>
  verbs(
    await openStore({
      backend: 'tiered',
      frontendConfig: { backend: 'memory' },
      backendConfig: { path, syncBlob: false },
    }),
  )
