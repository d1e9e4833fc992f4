// Moving data in Chromium: between databases and memory, and repair in IndexedDB.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { after, before, test } from 'node:test'
import { createStore } from 'konserve'
import { launch, resultOf, serve } from './helpers/browser.mjs'

const folder = dirname(createRequire(import.meta.url).resolve('konserve/package.json'))
let browser
before(async () => (browser = await launch()))
after(() => browser?.close())

/** What `script`, an async function body, returns in a page beside the package's files and `/export`. */
async function inPage(t, script, exported = Buffer.alloc(0)) {
  const page = `<!doctype html><title>konserve</title><link rel="icon" href="data:,"><script type="module">
    const attempt = async () => { ${script} }
    globalThis.result = await attempt().catch((error) => ({ failed: String(error?.stack ?? error) }))
  </script>`
  const pages = {
    '/': { headers: { 'content-type': 'text/html' }, body: page },
    '/export': { headers: { 'content-type': 'application/octet-stream' }, body: exported },
  }
  const server = await serve((path) => pages[path], folder)
  t.after(server.close)
  const { result, problems } = await resultOf(browser, `${server.url}/`)
  assert.deepEqual(problems, [])
  return result
}

test('what Node exported, a page imports as it is fetched, exports again to the same bytes, and copies', async (t) => {
  const store = await createStore({ backend: 'memory' })
  for (let n = 0; n < 1000; n++) await store.assoc(n, { text: 'x'.repeat(n) })
  await store.assoc('large', new Uint8Array(3_000_000).fill(7))
  const chunks = []
  for await (const chunk of store.export()) chunks.push(chunk)
  await store.close()
  const exported = Buffer.concat(chunks)
  const result = await inPage(
    t,
    `
    const { openStore } = await import('./index.js')
    const store = await openStore({ name: 'imported' })
    const { body } = await fetch('/export')
    const done = await store.import(body)
    const again = await store.import(await (await fetch('/export')).blob())
    const bytes = new Uint8Array(await new Response(store.export()).arrayBuffer())
    let entries = 0
    for await (const chunk of store.export({ onProgress: (n) => (entries = n) })) if (!(chunk instanceof Uint8Array)) throw chunk
    const memory = await openStore({ backend: 'memory' })
    const copied = await store.copyTo(memory)
    const back = await memory.copyTo(store)
    const text = (await memory.get(999)).text.length
    const { checked, corrupt } = await store.verify()
    // Without its record: that is the store's own.
    const length = 20 + new DataView(bytes.buffer).getUint32(16)
    const digest = await crypto.subtle.digest('SHA-256', bytes.subarray(length, -32))
    await Promise.all([store.close(), memory.close()])
    return { done, again, entries, copied, back, text, checked, corrupt, rest: Array.from(new Uint8Array(digest)) }
  `,
    exported,
  )
  const { rest, ...others } = result
  const entries = exported.subarray(20 + exported.readUInt32BE(16), -32)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', entries))
  assert.deepEqual(others, {
    done: { imported: 1001, skipped: 0 },
    again: { imported: 0, skipped: 1001 },
    entries: 1001,
    copied: 1001,
    back: 0,
    text: 999,
    checked: 1001,
    corrupt: [],
  })
  assert.deepEqual(rest, Array.from(digest))
})

test('repair moves damaged rows of a database, small and large, and nothing else', async (t) => {
  const result = await inPage(
    t,
    `
    const { openStore } = await import('./index.js')
    const asked = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const database = async (mode, use) => {
      const opened = await asked(indexedDB.open('broken'))
      const transaction = opened.transaction(['m', 'v'], mode)
      const result = await use(transaction.objectStore('m'), transaction.objectStore('v'))
      opened.close()
      return result
    }
    let store = await openStore({ name: 'broken' })
    for (const key of ['small', 'good']) await store.assoc(key, key)
    for (const key of ['large', 'well']) await store.assoc(key, new Uint8Array(10_000))
    await store.close()
    const damaged = await database('readwrite', async (m, v) => {
      const names = []
      for (const [rows, wanted] of [[m, 'small'], [v, undefined]]) {
        const found = (await asked(rows.getAllKeys())).filter((key) => key.endsWith('.ksv'))
        for (const key of found) {
          const row = await asked(rows.get(key))
          if (wanted && !new TextDecoder().decode(row).includes(wanted)) continue
          row[row.length - 1] ^= 1
          await asked(rows.put(row, key))
          names.push(key)
          break
        }
      }
      return names
    })
    store = await openStore({ name: 'broken' })
    const before = await store.verify()
    const { checked, corrupt } = await store.verify({ repair: true })
    const after = await store.verify()
    const keys = (await store.keys().toArray()).length
    await store.assoc('small', 'again')
    const small = await store.get('small')
    await store.close()
    const rows = await database('readonly', async (m, v) => [await asked(m.getAllKeys()), await asked(v.getAllKeys())])
    const aside = rows.map((keys) => keys.filter((key) => key.startsWith('konserve.damaged.')))
    return {
      before: [before.checked, before.corrupt.length, before.corrupt.some(({ quarantined }) => quarantined)],
      repaired: [checked, corrupt.map(({ name, code, quarantined }) => [name + '.ksv', code, quarantined])],
      after, keys, small, damaged, aside,
    }
  `,
  )
  const { damaged, aside, repaired, ...others } = result
  assert.deepEqual(others, {
    before: [4, 2, false],
    after: { checked: 2, corrupt: [], orphans: [] },
    keys: 2,
    small: 'again',
  })
  const sorted = damaged.toSorted()
  assert.deepEqual(repaired, [4, sorted.map((name) => [name, 'CORRUPT', true])])
  assert.deepEqual(aside, [sorted.map((name) => `konserve.damaged.${name}`), [`konserve.damaged.${damaged[1]}`]])
})
