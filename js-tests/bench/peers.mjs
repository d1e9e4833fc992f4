/** Installs what konserve is measured beside: the packages of package-lock.json in this folder. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { installNpmPackages } from '../../.ci/setup.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))

export async function prepare() {
  try {
    createRequire(import.meta.url).resolve('konserve/package.json')
  } catch {
    throw new Error('the package is not built: npm run build')
  }
  if (!existsSync(new URL('node_modules/.konserve-stamp', import.meta.url))) console.log('installing what is compared')
  await installNpmPackages(HERE)
}
