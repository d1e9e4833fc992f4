/** Whether text has no surrogate without its other half: UTF-8 cannot say those. */
export function isWellFormed(text) {
  return typeof text.isWellFormed === 'function' ? text.isWellFormed() : !/\p{Surrogate}/u.test(text)
}
