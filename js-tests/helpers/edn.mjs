// A reader of the EDN in the manifests of stores that Clojure's konserve wrote: what the package is to give for it.

import { Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } from 'konserve'

const CHARACTERS = { newline: '\n', space: ' ', tab: '\t', return: '\r', backspace: '\b', formfeed: '\f' }
const ESCAPES = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '"': '"', '\\': '\\' }
const CLOSING = { '(': ')', '[': ']', '{': '}' }
const ARRAYS = { short: Int16Array, int: Int32Array, float: Float32Array, double: Float64Array }

class Reader {
  constructor(text, serializer) {
    this.text = text
    this.serializer = serializer
    this.at = 0
  }

  next(pattern) {
    const sticky = new RegExp(pattern, 'uy')
    sticky.lastIndex = this.at
    const found = sticky.exec(this.text)
    if (found) this.at = sticky.lastIndex
    return found
  }

  form() {
    this.next(/[\s,]*/)
    if (this.next(/"/)) return this.string()
    if (this.next(/\\/)) return this.character()
    if (this.next(/#\{/)) return new Set(this.until('}'))
    if (this.next(/##/)) return { NaN: Number.NaN, Inf: Infinity, '-Inf': -Infinity }[this.token()]
    if (this.next(/#/)) return this.tagged(this.token(), this.form())
    const opening = this.next(/[([{]/)?.[0]
    if (opening === undefined) return atom(this.token())
    const items = this.until(CLOSING[opening])
    if (opening === '{') return mapOf(items)
    return opening === '(' ? List.from(items) : items
  }

  until(closing) {
    const items = []
    for (;;) {
      this.next(/[\s,]*/)
      if (this.text[this.at] === closing) {
        this.at += 1
        return items
      }
      items.push(this.form())
    }
  }

  token() {
    const token = this.next(/[^\s,()[\]{}"\\]+/)
    if (!token) throw new Error(`no form at ${this.at} of ${this.text}`)
    return token[0]
  }

  string() {
    let text = ''
    for (;;) {
      const [part, escaped] = this.next(/[^"\\]+|"|\\u([0-9a-fA-F]{4})|\\./)
      if (part === '"') return text
      if (escaped) text += String.fromCharCode(Number.parseInt(escaped, 16))
      else text += part[0] === '\\' ? ESCAPES[part[1]] : part
    }
  }

  character() {
    const [name, code] = this.next(/u([0-9a-fA-F]{4})|[a-z]{2,}|[^]/)
    return new Char(code ? String.fromCharCode(Number.parseInt(code, 16)) : (CHARACTERS[name] ?? name))
  }

  tagged(name, content) {
    if (name === 'inst') return new Date(content.replace(/-00:00$/, 'Z'))
    if (name === 'uuid') return new Uuid(content)
    const kind = name.replace(/^konserve\//, '')
    if (kind === 'record' || kind === 'incognito') return named(kind, ...content, this.serializer)
    return host(kind, content)
  }
}

function atom(token) {
  if (token === 'nil') return null
  if (token === 'true' || token === 'false') return token === 'true'
  if (token[0] === ':') return Keyword.of(token.slice(1))
  if (/^[+-]?\d/.test(token)) return number(token)
  return Symbol_.of(token)
}

function number(token) {
  if (token.endsWith('N')) return BigInt(token.slice(0, -1))
  if (token.endsWith('M')) return Decimal.parse(token.slice(0, -1))
  if (token.includes('/')) return new Ratio(...token.split('/').map(BigInt))
  const number = Number(token)
  return /^[+-]?\d+$/.test(token) && Math.abs(number) > 2 ** 53 ? BigInt(token) : number
}

function mapOf(items) {
  const entries = []
  for (let at = 0; at < items.length; at += 2) entries.push([items[at], items[at + 1]])
  return entries.every(([key]) => typeof key === 'string') ? Object.fromEntries(entries) : new Map(entries)
}

/** A record: konserve's CBOR has the name of the namespace, Fressian that of the class. */
function named(kind, name, fields, serializer) {
  if (serializer === 'fressian') return new Tagged(27, [name.text ?? name, fields])
  if (kind === 'incognito') {
    const parts = [
      [Keyword.of('tag'), name],
      [Keyword.of('value'), fields],
    ]
    return new Tagged(27, ['incognito.base/IncognitoTaggedLiteral', new Map(parts)])
  }
  const [, namespace, type] = /^(.*)\.([^.]*)$/.exec(name)
  return new Tagged(27, [`${namespace.replaceAll('_', '-')}/${type}`, fields])
}

/** A value of a host type, by the tag that manifests have for it. */
function host(name, content) {
  const record = (name, content) => new Tagged(27, [name, content])
  switch (name) {
    case 'float':
    case 'int8':
    case 'int16':
    case 'int32':
      return content
    case 'bytes':
      return new Uint8Array(Buffer.from(content, 'hex'))
    case 'instant':
      return new Date(content)
    case 'uri':
      return new Tagged(32, content)
    case 'regex':
      return new RegExp(content)
    case 'local-date':
      return new Tagged(1004, content)
    case 'duration':
      return new Tagged(1002, duration(content))
    case 'queue':
    case 'sorted-map':
    case 'sorted-set':
    case 'with-meta':
      return record(`clojure/${name}`, content)
    case 'java-list':
      return record('java/list', content)
    case 'array-long':
      return BigInt64Array.from(content, BigInt)
    case 'array-boolean':
    case 'array-char':
    case 'array-Object':
    case 'array-String':
      return record(`java/${name.slice(6).toLowerCase()}-array`, content)
    default:
      return ARRAYS[name.slice(6)].from(content)
  }
}

/** `PT1H2M3.5S` as seconds and nanoseconds. */
function duration(text) {
  const [, hours = 0, minutes = 0, seconds = 0, fraction = ''] =
    /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?$/.exec(text)
  const entries = [[1, 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds)]]
  if (fraction !== '') entries.push([-9, Number(fraction.padEnd(9, '0'))])
  return new Map(entries)
}

/** The value that EDN says, as the package gives it of a store with this serializer: `cbor` or `fressian`. */
export function readEdn(text, serializer) {
  return new Reader(text, serializer).form()
}
