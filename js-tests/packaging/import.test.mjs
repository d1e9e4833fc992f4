/** Importing the package does nothing: no global is touched, no file is read, no module is compiled until the first call. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { exported, manifestOf, project, removeTemplate, runNode } from './project.mjs'

after(removeTemplate)

const TRIED = ['.', './sync', './inline', './testing']

describe('importing it', { concurrency: true }, () => {
  for (const [name, given] of [
    ['.', ['openStore', 'KonserveError']],
    ['./inline', ['openStore', 'KonserveError']],
    ['./testing', ['compliance', 'runCompliance']],
  ]) {
    it(`needs nothing but the language (the web's konserve${name.slice(1)})`, async (t) => {
      const folder = await project(t, { 'bare.mjs': 'fixture' })
      const file = `node_modules/konserve/${exported(manifestOf(folder), name, ['browser', 'import'])}`
      const { changed, names } = await runNode(folder, '--no-warnings', '--experimental-vm-modules', 'bare.mjs', file)
      assert.deepEqual(changed, [], 'no global is added or changed')
      assert.ok(
        given.every((name) => names.includes(name)),
        String(names),
      )
    })
  }

  for (const name of TRIED) {
    for (const [how, main] of [
      ['import', `import watch from './watched.cjs'\nwatch.start()\nawait import('konserve${name.slice(1)}')`],
      ['require', `const watch = require('./watched.cjs')\nwatch.start()\nrequire('konserve${name.slice(1)}')`],
    ]) {
      it(`does nothing in Node (${how} konserve${name.slice(1)})`, async (t) => {
        const file = how === 'import' ? 'main.mjs' : 'main.cjs'
        const folder = await project(t, {
          'watched.cjs': 'fixture',
          [file]: `${main}\nconsole.log(JSON.stringify(watch.stop()))`,
        })
        assert.deepEqual(await runNode(folder, file), [])
      })
    }
  }
})
