// The few ways in which the islands touch the page.

/** First element that matches, or null. */
export function find<T extends HTMLElement>(selector: string, root: ParentNode = document): T | null {
  return root.querySelector<T>(selector)
}

/** All elements that match. */
export function findAll<T extends HTMLElement>(selector: string, root: ParentNode = document): T[] {
  return [...root.querySelectorAll<T>(selector)]
}

/** A new element with attributes and children; text is text, never markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.append(...children)
  return element
}

/** The token that every changing request carries. */
export function csrfToken(): string {
  return find<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? ''
}

/** Keeps a choice of the reader for a year; the server reads it and draws the next page with it. */
export function keepChoice(name: string, value: string): void {
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`
}

/** A short message at the lower edge, spoken by screen readers. */
export function toast(text: string): void {
  let box = find('.toasts')
  if (!box) {
    box = make('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' })
    document.body.append(box)
  }
  const message = make('div', { class: 'toast' }, text)
  box.append(message)
  setTimeout(() => message.remove(), 5000)
}

/** Whether keys typed here are text, not shortcuts. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
}

/** The name of the command key on this machine. */
export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)
