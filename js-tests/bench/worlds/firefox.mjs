/** Firefox, by puppeteer-core over WebDriver BiDi. */
import { existsSync } from 'node:fs'
import puppeteer from 'puppeteer-core'
import { browserWorld } from './browser.mjs'

const PLACES = ['/usr/bin/firefox', '/usr/bin/firefox-esr']
/**
 * Quiet without a network, and no page is slower because another one is in front. WebDriver BiDi has every promise keep the
 * stack it was made on, which no user's page does: it takes a third of the time of many small operations.
 */
const PREFERENCES = {
  'app.update.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'dom.ipc.processPriorityManager.enabled': false,
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'javascript.options.asyncstack': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
}

export async function firefoxWorld() {
  const executablePath = process.env.FIREFOX ?? PLACES.find((place) => existsSync(place))
  if (!executablePath) throw new Error(`Firefox was not found at ${PLACES.join(', ')}; set FIREFOX to its path`)
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    protocolTimeout: 600_000,
    extraPrefsFirefox: PREFERENCES,
  })
  return browserWorld('firefox', 'Firefox', {
    version: (await browser.version()).replace(/^firefox\//i, ''),
    async visit(url) {
      const page = await browser.newPage()
      await page.goto(url)
      await page.waitForFunction(() => 'answered' in globalThis)
      return page
    },
    close: () => browser.close(),
  })
}
