/** The little that a page without a framework needs. */

/** The element with this id. */
export const byId = (id) => document.getElementById(id)

/**
 * Makes an element. Properties that begin with `on` are listeners, the others attributes (`false` and `undefined` leave one out);
 * children that are no nodes become text.
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (value !== undefined && value !== false) made.setAttribute(name, value)
  }
  made.append(...children)
  return made
}

/** Sets an element's text if it differs, so that a reader of the screen is told only of changes. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text
}

/** Marks an element for a moment: something new is in it. */
export function flash(target) {
  target.animate({ backgroundColor: ['var(--flash)', 'transparent'] }, { duration: 900, easing: 'ease-out' })
}
