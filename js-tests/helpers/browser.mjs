/** Real Chromium for tests, by playwright-core. */
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'

export { folder, serve } from './server.mjs'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
/** How long anything in a page may take, in ms: a machine that is short of processors is slow, not wrong. */
const PATIENCE = 120_000
/** Quiet without a network; no sandbox, because tests may run as root. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * Starts headless Chromium: `$CHROMIUM`, or where systems put it.
 *
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launch({ args = [] } = {}) {
  const executablePath = process.env.CHROMIUM ?? PLACES.find((place) => existsSync(place))
  if (!executablePath) {
    throw new Error(`Chromium was not found at ${PLACES.join(', ')}; install it, or set CHROMIUM to its path`)
  }
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [...FLAGS, ...args],
    timeout: PATIENCE,
  })
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(PATIENCE)
    return context
  }
  return browser
}

/**
 * Opens `url` in a new page of a browser (then in a context of its own: nothing stored is shared) or of a context.
 * `problems` collects the errors that the console reports, and what the page throws and nobody catches.
 *
 * @returns {Promise<{ page: import('playwright-core').Page, problems: string[] }>}
 */
export async function visit(browser, url) {
  const page = await browser.newPage()
  const problems = problemsOf(page)
  await page.goto(url)
  return { page, problems }
}

function problemsOf(page) {
  const problems = []
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => problems.push(String(error.stack ?? error)))
  return problems
}

/**
 * Visits `url` and waits until the page sets `globalThis.result`, which must have a JSON form.
 * A page that throws instead, or stays silent for `timeout` ms, rejects with what its console said.
 *
 * @returns {Promise<{ result: unknown, problems: string[] }>}
 */
export async function resultOf(browser, url, { timeout = PATIENCE } = {}) {
  const page = await browser.newPage()
  const problems = problemsOf(page)
  const thrown = new Promise((_, reject) => page.once('pageerror', reject))
  const answer = async () => {
    await page.goto(url)
    const handle = await page.waitForFunction(() => 'result' in globalThis, null, { timeout })
    await handle.dispose()
    return page.evaluate(() => globalThis.result)
  }
  try {
    return { result: await Promise.race([answer(), thrown]), problems }
  } catch (error) {
    throw new Error(`${url} gave no result: ${error.message}\n${problems.join('\n')}`, { cause: error })
  } finally {
    await page.close()
  }
}
