/** The type declarations, found by TypeScript in every way of resolving modules that packages are used with. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { project, removeTemplate, runTool, tool } from './project.mjs'

after(removeTemplate)

const MODES = [
  { name: 'nodenext, ESM', module: 'nodenext', resolution: 'nodenext', file: 'types.mts' },
  { name: 'nodenext, CommonJS', module: 'nodenext', resolution: 'nodenext', file: 'types.cts' },
  { name: 'bundler', module: 'esnext', resolution: 'bundler', file: 'types.ts' },
]

describe('TypeScript', { concurrency: 2 }, () => {
  for (const release of ['typescript', 'typescript-5']) {
    for (const { name, module, resolution, file } of MODES) {
      it(`finds and checks the types (${release}, ${name})`, async (t) => {
        const source = readFileSync(new URL('./fixture/types.ts', import.meta.url), 'utf8')
        const folder = await project(t, { [file]: source })
        const strict = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--skipLibCheck', 'false']
        const target = ['--target', 'es2022', '--lib', 'es2022,dom', '--pretty', 'false']
        const printed = await runTool(
          tool(release, 'tsc'),
          [...strict, ...target, '--module', module, '--moduleResolution', resolution, file],
          folder,
        )
        assert.equal(printed, '')
      })
    }
  }
})
