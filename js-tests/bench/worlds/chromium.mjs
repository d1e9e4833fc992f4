import { launch } from '../../helpers/browser.mjs'
import { browserWorld } from './browser.mjs'

export async function chromiumWorld() {
  const browser = await launch({ args: ['--enable-blink-features=ForceEagerMeasureMemory'] })
  const context = await browser.newContext()
  return browserWorld('chromium', 'Chromium', {
    version: browser.version(),
    async visit(url) {
      const page = await context.newPage()
      await page.goto(url)
      await page.waitForFunction(() => 'answered' in globalThis)
      return page
    },
    close: () => browser.close(),
  })
}
