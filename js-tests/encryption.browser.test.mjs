// Encrypted stores in Chromium: IndexedDB, with bytes and with a passphrase.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, resultOf, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

async function inPage(t, script) {
  const body = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
    const attempt = async () => { ${script} }
    globalThis.result = await attempt().catch((error) => ({ failed: String(error?.stack ?? error) }))
  </script>`
  const page = (path) => (path === '/' ? { headers: { 'content-type': 'text/html' }, body } : undefined)
  const server = await serve(page, folder)
  t.after(server.close)
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual(problems, [])
  return result
}

test('a database is encrypted, and opens with its key and no other', async (t) => {
  const result = await inPage(
    t,
    `
    const { openStore, deleteStore } = await import('./index.js')
    const found = {}
    for (const [kind, key] of [['bytes', new Uint8Array(32).fill(5)], ['passphrase', 'correct horse']]) {
      const name = 'secret ' + kind
      const open = (key) => openStore({ name, encryptor: key && { type: 'aes-blake3', key } })
      const store = await open(key)
      await Promise.all([store.assoc('needle', 'needle'), store.append('log', 'needle'), store.bassoc('b', new Blob(['needle'.repeat(400_000)]))])
      await store.update('needle', (text) => text + '!')
      await store.close()
      const code = (key) => open(key).then(() => 'opened', (error) => error.code)
      const codes = [await code(new Uint8Array(32)), await code('horse'), await code(undefined)]
      const again = await open(key)
      const log = []
      for await (const element of again.log('log')) log.push(element)
      const bytes = await again.bget('b', { start: 1_200_000, end: 1_200_006 })
      found[kind] = { codes, text: await again.get('needle'), log, bytes: new TextDecoder().decode(bytes), corrupt: (await again.verify()).corrupt }
      await again.close()
      const database = await new Promise((resolve) => { const asked = indexedDB.open(name); asked.onsuccess = () => resolve(asked.result) })
      const rows = (store) => new Promise((resolve) => { const asked = database.transaction(store).objectStore(store).getAll(); asked.onsuccess = () => resolve(asked.result) })
      const all = [...await rows('m'), ...await rows('v')]
      const texts = await Promise.all(all.map((row) => new Response(row instanceof Blob ? row : new Blob([row])).text()))
      found[kind].clear = texts.filter((text) => text.includes('needle')).length
      found[kind].rows = all.length
      database.close()
      await deleteStore({ name })
    }
    return found`,
  )
  const expected = {
    codes: ['WRONG_KEY', 'WRONG_KEY', 'WRONG_KEY'],
    text: 'needle!',
    log: ['needle'],
    bytes: 'needle',
    corrupt: [],
    clear: 0,
  }
  for (const kind of ['bytes', 'passphrase']) {
    const { rows, ...found } = result[kind] ?? assert.fail(result.failed)
    assert.deepEqual(found, expected)
    assert.ok(rows >= 6, `${rows} rows`)
  }
})
