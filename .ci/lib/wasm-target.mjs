// The standard library for wasm32-unknown-unknown: from rustup, or built from Debian's Rust sources.
//
// WASM_TARGET_FROM=auto    what is there; else rustup; else Debian (the default)
// WASM_TARGET_FROM=debian  Debian's compiler and sources; rustup is never asked for a download

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { basename, delimiter, join } from 'node:path'
import { aptInstall } from './apt.mjs'
import { makeInCache } from './cache.mjs'
import { say } from './log.mjs'
import { cache } from './paths.mjs'
import { output, runQuietly, which } from './run.mjs'

export const TARGET = 'wasm32-unknown-unknown'

/** The environment in which `cargo` builds for wasm. Installs what is missing. */
export async function ensureWasmTarget() {
  const source = process.env.WASM_TARGET_FROM || 'auto'
  if (source !== 'auto' && source !== 'debian')
    throw new Error(`WASM_TARGET_FROM is "${source}"; it can be "auto" or "debian"`)
  if (source === 'auto' && ((await hasTarget()) || (await addWithRustup()))) {
    say(`${TARGET}: ${output('rustc', ['-V'])}`)
    return process.env
  }
  return debianToolchain()
}

/** Makes sure that `cargo clippy` is there for the compiler that builds for wasm. */
export async function ensureWasmLinter(env) {
  if (env.RUSTC && !existsSync('/usr/bin/cargo-clippy'))
    await aptInstall(['rust-web-clippy'], 'the lints of the wasm build need Debian’s clippy')
}

async function hasTarget() {
  const folder = output('rustc', ['--print', 'target-libdir', '--target', TARGET])
  const files = folder && existsSync(folder) ? await readdir(folder) : []
  return files.some((name) => /^libstd-.*\.rlib$/.test(name))
}

async function addWithRustup() {
  if (!which('rustup')) return false
  say(`rustup target add ${TARGET}`)
  const added = output('rustup', ['target', 'add', TARGET], { timeout: 300_000 })
  if (added === undefined) say('rustup could not download it')
  return added !== undefined && hasTarget()
}

/**
 * A toolchain in the cache: Debian's compiler with a sysroot that holds the wasm library as well.
 * Nothing under /usr is changed; the folder's name is made of what it was built from.
 */
async function debianToolchain() {
  const missing = ['/usr/bin/rustc', '/usr/bin/cargo', '/usr/lib/rustlib/src/rust/library/std'].filter(
    (file) => !existsSync(file),
  )
  if (missing.length > 0) await aptInstall(['rustc-web', 'cargo-web', 'rust-web-src'], 'Debian’s Rust is needed')
  const version = output('/usr/bin/rustc', ['-vV'])
  const llvm = /^LLVM version: (\d+)/m.exec(version)[1]
  const host = /^host: (.*)$/m.exec(version)[1]
  const lld = `/usr/lib/llvm-${llvm}/bin/lld`
  if (!existsSync(lld)) await aptInstall([`lld-${llvm}`], 'the linker for wasm is missing')

  const stamp = createHash('sha256').update(version).digest('hex').slice(0, 12)
  const toolchain = join(cache, `debian-rust-${stamp}`)
  if (!existsSync(toolchain)) await makeInCache(toolchain, (work) => buildToolchain(work, host, lld))
  say(`${TARGET}: ${toolchain} (${version.split('\n')[0]})`)
  return {
    ...process.env,
    PATH: join(toolchain, 'bin') + delimiter + process.env.PATH,
    RUSTC: join(toolchain, 'bin', 'rustc'),
    SYSROOT: join(toolchain, 'sysroot'), // clippy-driver asks for it
  }
}

async function buildToolchain(work, host, lld) {
  say('building the standard library from Debian’s Rust sources')
  const libraries = await buildStd(join(work, 'std'))
  const made = join(work, 'toolchain')
  const rustlib = join(made, 'sysroot', 'lib', 'rustlib')
  await mkdir(join(rustlib, TARGET, 'lib'), { recursive: true })
  await mkdir(join(rustlib, host, 'bin'), { recursive: true })
  await mkdir(join(made, 'bin'))
  for (const file of libraries) await copyFile(file, join(rustlib, TARGET, 'lib', basename(file)))
  await symlink(`/usr/lib/rustlib/${host}/lib`, join(rustlib, host, 'lib'))
  await symlink(lld, join(rustlib, host, 'bin', 'rust-lld'))
  for (const name of ['cargo', 'rustdoc', 'cargo-clippy', 'clippy-driver'])
    await symlink(`/usr/bin/${name}`, join(made, 'bin', name))
  const wrapper = join(made, 'bin', 'rustc')
  await writeFile(wrapper, '#!/bin/sh\nexec /usr/bin/rustc --sysroot "${0%/bin/rustc}/sysroot" "$@"\n')
  await chmod(wrapper, 0o755)
  return made
}

/** Builds std for wasm and returns its .rlib files. rust-web-src brings std's dependencies: no network is needed. */
async function buildStd(folder) {
  await mkdir(join(folder, 'src'), { recursive: true })
  const manifest = ['[package]', 'name = "std-builder"', 'edition = "2021"', '[profile.release]', 'panic = "abort"']
  await writeFile(join(folder, 'Cargo.toml'), manifest.join('\n'))
  await writeFile(join(folder, 'src', 'lib.rs'), '#![no_std]\n') // an rlib: nothing is linked
  const env = {
    HOME: process.env.HOME,
    PATH: '/usr/bin:/bin',
    RUSTC: '/usr/bin/rustc',
    RUSTC_BOOTSTRAP: '1', // -Zbuild-std
    RUSTFLAGS: '-Cembed-bitcode=yes', // what LTO of the module reads
    CARGO_HOME: join(folder, 'cargo-home'),
    CARGO_TARGET_DIR: join(folder, 'target'),
    CARGO_NET_OFFLINE: 'true',
  }
  const vendored = '/usr/lib/rustlib/src/rust/library/vendor'
  const args = ['build', '--release', '--target', TARGET, '-Zbuild-std=std,panic_abort,test']
  args.push('--config', 'source.crates-io.replace-with="vendored"')
  args.push('--config', `source.vendored.directory="${vendored}"`)
  await runQuietly('/usr/bin/cargo', args, { cwd: folder, env })
  const built = join(folder, 'target', TARGET, 'release', 'deps')
  const names = await readdir(built)
  return names.filter((name) => /^lib(?!std_builder).*\.rlib$/.test(name)).map((name) => join(built, name))
}
