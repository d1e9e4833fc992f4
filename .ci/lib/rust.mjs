// The Rust that this machine has, for native code.

import { root } from './paths.mjs'
import { aptInstall } from './apt.mjs'
import { output, run, which } from './run.mjs'
import { say } from './log.mjs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const minor = (version) => Number(/ 1\.(\d+)\./.exec(version ?? '')?.[1] ?? 0)

/** Makes sure that there is a Rust as new as Cargo.toml asks for, and a linker. Returns its version. */
export async function ensureRust() {
  const wanted = Number(/^rust-version = "1\.(\d+)"/m.exec(await readFile(join(root, 'Cargo.toml'), 'utf8'))[1])
  if (!which('cc')) await aptInstall(['gcc', 'libc6-dev'], 'Rust needs a C linker')
  const version = output('rustc', ['-V'])
  if (minor(version) < wanted) {
    const reason = `Rust 1.${wanted} or newer is needed, here is ${version ?? 'none'}`
    if (which('rustup')) throw new Error(`${reason}: run "rustup update stable"`)
    await aptInstall(['rustc-web', 'cargo-web'], reason)
    if (minor(output('rustc', ['-V'])) < wanted) throw new Error(`${reason}: install Rust with rustup (rustup.rs)`)
  }
  return output('rustc', ['-V'])
}

/** Makes sure that `cargo fmt` and `cargo clippy` are there. */
export async function ensureLinters() {
  const missing = ['fmt', 'clippy'].filter((name) => !output('cargo', [name, '--version']))
  if (missing.length === 0) return
  if (which('rustup')) {
    const components = missing.map((name) => (name === 'fmt' ? 'rustfmt' : name))
    say(`rustup component add ${components.join(' ')}`)
    await run('rustup', ['component', 'add', ...components])
  } else {
    const packages = missing.map((name) => (name === 'fmt' ? 'rustfmt-web' : 'rust-web-clippy'))
    await aptInstall(packages, `cargo ${missing.join(' and cargo ')} are missing`)
  }
}
