import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { expected } from './fixture/program.mjs'
import { nodeProject, project, removeTemplate, runNode } from './project.mjs'

after(removeTemplate)

const BOTH = `
import * as imported from 'konserve'
import { createRequire } from 'node:module'
const required = createRequire(import.meta.url)('konserve')
const config = { backend: 'memory', id: '0b8d6c1e-52f7-4a3b-8e91-7c6d5e4f3a2b' }
const store = await imported.createStore(config)
await store.assocIn(['greeting', 'text'], 'hello')
const same = await required.openStore(config)
const names = Object.keys(imported).filter((name) => name !== 'default' && name !== 'module.exports')
console.log(JSON.stringify({
  sameError: imported.KonserveError === required.KonserveError,
  caught: await same.getIn([]).catch((error) => error instanceof imported.KonserveError),
  text: await same.getIn(['greeting', 'text']),
  differing: names.filter((name) => imported[name] !== required[name]),
}))
`

const SYNC_PROGRAM = `
const codeOf = (call) => { try { return call(), 'no error' } catch (error) { return error instanceof KonserveError ? error.code : String(error) } }
const config = { path: './store' }
const store = createStore(config)
store.assocIn(['user', 'name'], 'Ada')
const name = store.getIn(['user', 'name'])
const [, visits] = store.updateIn(['user', 'visits'], (visits = 0) => visits + 1)
const refused = codeOf(() => store.getIn([]))
store.close()
console.log(JSON.stringify({ name, visits, refused, closed: codeOf(() => store.get('user')) }))
`
const SYNC_RESULT = { name: 'Ada', visits: 1, refused: 'INVALID_PATH', closed: 'CLOSED' }

describe('Node', { concurrency: true }, () => {
  it('imports it', async (t) => assert.deepEqual(await runNode(await nodeProject(t), 'node.mjs'), expected))

  it('requires it', async (t) =>
    assert.deepEqual(await runNode(await nodeProject(t, { 'node.cjs': 'fixture' }), 'node.cjs'), expected))

  it('shares the error class, the functions and the memory stores between import and require', async (t) => {
    const folder = await project(t, { 'both.mjs': BOTH })
    const result = { sameError: true, caught: true, text: 'hello', differing: [] }
    assert.deepEqual(await runNode(folder, 'both.mjs'), result)
  })

  it('imports konserve/sync', async (t) => {
    const main = `import { createStore, KonserveError } from 'konserve/sync'${SYNC_PROGRAM}`
    assert.deepEqual(await runNode(await project(t, { 'main.mjs': main }), 'main.mjs'), SYNC_RESULT)
  })

  it('requires konserve/sync', async (t) => {
    const main = `const { createStore, KonserveError } = require('konserve/sync')${SYNC_PROGRAM}`
    assert.deepEqual(await runNode(await project(t, { 'main.cjs': main }), 'main.cjs'), SYNC_RESULT)
  })

  it('reads through konserve/sync what konserve has written, and throws the same error class', async (t) => {
    const main = `
      import { createStore, KonserveError } from 'konserve'
      import { openStore, KonserveError as SyncError } from 'konserve/sync'
      const store = await createStore({ path: './store' })
      await store.assocIn(['a', 'b'], 7)
      await store.close()
      const sync = openStore({ path: './store' })
      console.log(JSON.stringify([sync.getIn(['a', 'b']), KonserveError === SyncError]))
      sync.close()`
    assert.deepEqual(await runNode(await project(t, { 'main.mjs': main }), 'main.mjs'), [7, true])
  })

  it('refuses a backend that Node does not have with an error of its own', async (t) => {
    const main = `
      import { openStore, KonserveError } from 'konserve'
      openStore({ backend: 'indexeddb', name: 'x' }).catch((error) =>
        console.log(JSON.stringify([error instanceof KonserveError, error.code, /IndexedDB/i.test(error.message)])))`
    const answer = await runNode(await project(t, { 'main.mjs': main }), 'main.mjs')
    assert.deepEqual(answer, [true, 'UNSUPPORTED', true])
  })
})
