// Builds everything and runs every check and test: Rust, JavaScript, the packed package, and headless Chromium.

import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { build } from './build.mjs'
import { ensureChromium } from './lib/chromium.mjs'
import { checkDependencies } from './lib/dependencies.mjs'
import { check, main, step } from './lib/log.mjs'
import { npmPrograms, root, target } from './lib/paths.mjs'
import { run, transcript } from './lib/run.mjs'
import { ensureLinters } from './lib/rust.mjs'
import { ensureWasmLinter, TARGET } from './lib/wasm-target.mjs'
import { installNpmPackages, setup } from './setup.mjs'

const everything = ['--locked', '--all-features']
/** The native benchmark is a package of its own, and so are its dependencies. */
const BENCHMARK = ['--manifest-path', join('benches', 'native', 'Cargo.toml')]
const cargo = (command, args, env = {}) =>
  run('cargo', [command, '--quiet', ...args], { env: { ...process.env, ...env } })

await main('Everything passed.', async () => {
  const tools = await setup()
  await checkStyle()
  await checkRust(tools)
  await build(tools)
  await testRust()
  await testJavaScript()
})

async function checkStyle() {
  const npmProgram = (name, args) => run(join(npmPrograms, name), args)
  await check('JavaScript format', () => npmProgram('prettier', ['--check', '--log-level', 'warn', '.']))
  await check('JavaScript lints', () => npmProgram('eslint', ['--max-warnings', '0', '.']))
  await check('Rust format', async () => {
    await ensureLinters()
    await cargo('fmt', ['--check'])
    await cargo('fmt', ['--check', ...BENCHMARK])
  })
}

/** Lints, documentation and dependencies. What only the wasm modules are made of is linted too. */
async function checkRust({ settings, env }) {
  const denied = ['--', '-D', 'warnings']
  await check('Rust lints, native', () => cargo('clippy', ['--all-targets', ...everything, ...denied]))
  await check('Rust lints, no default features', () =>
    cargo('clippy', ['--lib', '--locked', '--no-default-features', ...denied]),
  )
  await check('Rust lints, native benchmark', () =>
    cargo('clippy', ['--all-targets', '--locked', ...BENCHMARK, ...denied], {
      CARGO_TARGET_DIR: join(target, 'bench'),
    }),
  )
  for (const { name, features } of settings.build)
    await check(`Rust lints, wasm module "${name}"`, async () => {
      await ensureWasmLinter(env)
      const args = ['clippy', '--quiet', '--lib', '--locked', '--target', TARGET, '--no-default-features']
      args.push('--features', features.join(','), ...denied)
      await run('cargo-clippy', args, { env: { ...env, CARGO_TARGET_DIR: join(target, 'wasm', 'lint') } })
    })
  await check('Rust documentation', () =>
    cargo('doc', ['--no-deps', '--lib', ...everything], { RUSTDOCFLAGS: '-D warnings' }),
  )
  await check('dependencies', () => checkDependencies(settings.tools['cargo-deny']))
}

async function testRust() {
  await check('Rust tests', async () => {
    // Each decoder is fuzzed for a minute, with the same inputs in each run, so that CI fails for what a change did.
    const env = process.env.CI ? { FUZZ_SECONDS: '60', FUZZ_SEED: '1', ...process.env } : process.env
    const printed = await transcript('cargo', ['test', '--quiet', ...everything], { env })
    const passed = [...printed.matchAll(/^test result: ok\. (\d+) passed/gm)].map((match) => Number(match[1]))
    return `${passed.reduce((sum, n) => sum + n, 0)} passed`
  })
}

/** Each folder of js-tests that holds test files is one step; it may have npm packages of its own. */
async function testJavaScript() {
  let chromium
  await step('Chromium', async () => {
    chromium = await ensureChromium()
    return chromium.version
  })
  const env = { ...process.env, CHROMIUM: chromium.path, KONSERVE_PROGRAM: join(target, 'debug', 'konserve') }
  for (const [folder, files] of await testFolders())
    await check(`${folder}: ${files.length} test files`, async () => {
      if (existsSync(join(root, folder, 'package-lock.json'))) await installNpmPackages(join(root, folder))
      const printed = await transcript('node', ['--test', '--test-reporter=spec', ...files], { env })
      const count = (word) => Number(new RegExp(`^. ${word} (\\d+)$`, 'm').exec(printed)?.[1] ?? 0)
      if (count('pass') === 0) throw new Error(`no test ran in ${folder}`)
      return `${count('pass')} passed, ${count('skipped')} skipped`
    })
}

async function testFolders() {
  const entries = await readdir(join(root, 'js-tests'), { recursive: true, withFileTypes: true })
  const folders = new Map()
  for (const entry of entries) {
    const folder = relative(root, entry.parentPath)
    if (!entry.name.endsWith('.test.mjs') || folder.includes('node_modules')) continue
    folders.set(folder, [...(folders.get(folder) ?? []), join(folder, entry.name)])
  }
  return [...folders].sort()
}
