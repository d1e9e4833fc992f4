/** Prints how many ms it takes from the import of a subject to the value of a key. Its arguments: file and folder. */
import { pathToFileURL } from 'node:url'

const [, , file, folder] = process.argv
const url = pathToFileURL(file)
const began = performance.now()
const { open } = await import(url)
const store = await open(folder)
const value = await store.get('first')
const took = performance.now() - began
if (value?.a !== 1) throw new Error(`${file} gave ${JSON.stringify(value)}`)
process.stdout.write(String(took))
process.exit()
