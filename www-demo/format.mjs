/** How values are written on the page. */

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const DATE = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const STEPS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** 'just now', '3 minutes ago', 'yesterday'. */
export function ago(date, now = Date.now()) {
  const seconds = (date.getTime() - now) / 1000
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return RELATIVE.format(Math.round(seconds / length), unit)
  }
  return 'just now'
}

/** '3 May, 07:40'. */
export const shortDate = (date) => DATE.format(date)

/** '812 B', '3.4 kB', '58 GB'. */
export function bytes(number) {
  let unit = 0
  while (number >= 1000 && unit < 4) {
    number /= 1000
    unit += 1
  }
  return `${unit && number < 100 ? number.toFixed(1) : Math.round(number)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`
}

export const plural = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`

/** The first bytes of a digest, in hexadecimal. */
export const hex = (digest, length) =>
  Array.from(digest.subarray(0, length), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** A key as one would write it in JavaScript. */
export const keyText = (key) => (Array.isArray(key) ? `[${key.map(keyText).join(', ')}]` : JSON.stringify(key))

/** The same, with long identifiers by their beginning. */
export const shortKey = (key) => keyText(key).replace(/([0-9a-f]{8})-[0-9a-f-]{27}/g, '$1…')

/** A hue, in degrees, that stays the same for the same text. */
export function hue(text) {
  let sum = 0
  for (const character of text.trim().toLowerCase()) sum = (sum * 31 + character.codePointAt(0)) % 3600
  return (sum * 137) % 360
}

/** A date as `<input type="datetime-local">` wants it: local time, to the minute. */
export const toLocalInput = (date) =>
  new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
