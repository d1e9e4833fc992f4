/** What is in the tarball: everything its package.json promises, and nothing that runs by itself. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { manifestOf, project, removeTemplate, runNode } from './project.mjs'

/** Every file that a value of `exports` names. */
const targets = (value) => (typeof value === 'string' ? [value] : Object.values(value ?? {}).flatMap(targets))

async function unpacked(t) {
  const folder = await project(t, {})
  return { root: join(folder, 'node_modules/konserve'), manifest: manifestOf(folder) }
}

after(removeTemplate)

describe('the tarball', () => {
  it('holds every file that its exports name', async (t) => {
    const { root, manifest } = await unpacked(t)
    const missing = targets(manifest.exports).filter((file) => !existsSync(join(root, file)))
    assert.deepEqual(missing, [])
  })

  it('has no install scripts and depends on nothing', async (t) => {
    const { manifest } = await unpacked(t)
    assert.deepEqual(
      Object.keys(manifest.scripts ?? {}).filter((name) => /install|prepare/.test(name)),
      [],
    )
    assert.deepEqual({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }, {})
  })

  it('has a README, the licences, and the fields that a registry shows', async (t) => {
    const { root, manifest } = await unpacked(t)
    const files = readdirSync(root)
    assert.ok(files.includes('README.md'), String(files))
    assert.ok(
      files.some((name) => /^LICEN[CS]E/.test(name)),
      String(files),
    )
    for (const field of ['name', 'version', 'description', 'license', 'keywords', 'types']) {
      assert.ok(manifest[field], `package.json has "${field}"`)
    }
  })

  it('exports the wasm file itself', async (t) => {
    const main = `
      import { createRequire } from 'node:module'
      import { readFileSync } from 'node:fs'
      const file = createRequire(import.meta.url).resolve('konserve/konserve.wasm')
      const imported = import.meta.resolve('konserve/konserve.wasm')
      const module = new WebAssembly.Module(readFileSync(file))
      console.log(JSON.stringify([imported.endsWith('.wasm'), WebAssembly.Module.exports(module).length > 0]))`
    assert.deepEqual(await runNode(await project(t, { 'main.mjs': main }), 'main.mjs'), [true, true])
  })

  it('names no path of the machine that built it', async (t) => {
    const { root } = await unpacked(t)
    for (const file of readdirSync(root, { recursive: true })) {
      if (!/\.(js|cjs|mjs|json|ts|md|wasm)$/.test(file)) continue
      const found = readFileSync(join(root, file), 'latin1').match(/\/(root|home|Users|tmp)\/[\w./-]+/)
      assert.equal(found?.[0], undefined, file)
    }
  })
})
