// The browser of the tests.

import { existsSync } from 'node:fs'
import { aptInstall } from './apt.mjs'
import { output, which } from './run.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const find = () => NAMES.map(which).find(Boolean)

/** The path of Chromium: `$CHROMIUM`, what PATH has, or what apt-get installs. */
export async function ensureChromium() {
  const named = process.env.CHROMIUM
  if (named && !existsSync(named)) throw new Error(`CHROMIUM is set to ${named}, and there is no such file`)
  if (!named && !find())
    await aptInstall(['chromium'], 'the tests need Chromium (CHROMIUM can be set to the path of one)')
  const path = named ?? find()
  const version = output(path, ['--version'])
  if (!version) throw new Error(`${path} --version fails: set CHROMIUM to the path of a Chromium that runs`)
  return { path, version }
}
