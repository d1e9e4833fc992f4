import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { run } from '../helpers/process.mjs'
import { expected } from './fixture/program.mjs'
import { nodeProject, removeTemplate, runtime } from './project.mjs'

after(removeTemplate)

const TRIED = [
  { name: 'bun', args: ['run', '--no-install', 'node.mjs'] },
  { name: 'bun', args: ['run', '--no-install', 'node.cjs'] },
  { name: 'deno', args: ['run', '--no-remote', '--cached-only', '--allow-all', 'node.mjs'] },
  { name: 'deno', args: ['run', '--no-remote', '--cached-only', '--allow-all', 'node.cjs'] },
]

describe('other runtimes', { concurrency: true }, () => {
  for (const { name, args } of TRIED) {
    const program = runtime(name)
    const skip = !program && `npm has no ${name} for ${process.platform} ${process.arch}, or it is not installed`
    it(`${name} ${args.at(-1)}`, { skip }, async (t) => {
      const folder = await nodeProject(t, { 'node.cjs': 'fixture' })
      const printed = await run(program, args, { cwd: folder, env: { DENO_DIR: `${folder}/.deno`, NO_COLOR: '1' } })
      assert.deepEqual(JSON.parse(printed), expected)
    })
  }
})
