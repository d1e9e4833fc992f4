// The settings in wasm-pack.toml and the manifests they must agree with.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './paths.mjs'

/** A TOML file of the source tree. The parser is an npm package: setup has installed it by then. */
export async function readToml(name) {
  const { parse } = await import('smol-toml')
  return parse(await readFile(join(root, name), 'utf8'))
}

/** wasm-pack.toml, after a check that the other lists of versions say the same. */
export async function readSettings() {
  const settings = await readToml('wasm-pack.toml')
  const lock = await readToml('Cargo.lock')
  const npm = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const crate = lock.package.find((p) => p.name === 'wasm-bindgen')?.version
  agree('wasm-bindgen-cli', settings.tools['wasm-bindgen-cli'], 'Cargo.lock', crate)
  agree('binaryen', settings.tools.binaryen, 'package.json', npm.devDependencies.binaryen)
  return settings
}

function agree(tool, here, file, there) {
  if (here !== there)
    throw new Error(`wasm-pack.toml pins ${tool} ${here}, but ${file} has ${there}: make them the same version`)
}
