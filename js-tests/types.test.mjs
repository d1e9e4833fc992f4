// The types of the package: files that must compile, whose `@ts-expect-error` lines must not.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const require = createRequire(import.meta.url)
const sources = fileURLToPath(new URL('types/', import.meta.url))
const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
const strict = [
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--noEmit',
  '--pretty',
  'false',
]
const target = ['--skipLibCheck', 'false', '--target', 'es2022', '--lib', 'es2022,dom']

let project
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'konserve-types-'))
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  await mkdir(join(project, 'node_modules'))
  await symlink(
    dirname(require.resolve('konserve/package.json')),
    join(project, 'node_modules', 'konserve'),
    'junction',
  )
  for (const file of await readdir(sources)) {
    await cp(join(sources, file), join(project, file))
    await cp(join(sources, file), join(project, file.replace('.ts', '.cts')))
  }
})
after(() => rm(project, { recursive: true, force: true }))

for (const [name, module, resolution, kind] of [
  ['a bundler', 'esnext', 'bundler', '.ts'],
  ['an ES module in Node', 'nodenext', 'nodenext', '.ts'],
  ['a CommonJS module in Node', 'nodenext', 'nodenext', '.cts'],
]) {
  test(`keys, paths, values, errors and options are typed, for ${name}`, async () => {
    const files = (await readdir(project)).filter((file) => file.endsWith(kind))
    assert.ok(files.length >= 2)
    const how = ['--module', module, '--moduleResolution', resolution]
    let printed = ''
    try {
      execFileSync(process.execPath, [compiler, ...strict, ...target, ...how, ...files], { cwd: project })
    } catch (error) {
      printed = String(error.stdout)
    }
    assert.equal(printed, '')
  })
}
