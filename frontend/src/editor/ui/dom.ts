// Making elements. Text is text, never markup.

type Attributes = Record<string, string | boolean | ((event: Event) => void)>

/** A new element; `on…` attributes are listeners, true is an empty attribute, false is none. */
export function make<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false) element.setAttribute(key, value)
  }
  element.append(...children)
  return element
}

/** Paths on a 20 px grid, drawn with a 1.6 px line. */
const ICONS: Record<string, string> = {
  bold: 'M6 4h5a3 3 0 010 6H6zm0 6h6a3 3 0 010 6H6z',
  italic: 'M8 4h6M6 16h6M11.500 4l-3 12',
  underline: 'M6 4v5a4 4 0 008 0V4M5 16.500h10',
  strike: 'M4 10h12M13.500 6.500C13 5 11.700 4.300 10 4.300c-2 0-3.400 1-3.400 2.600 0 1 .6 1.600 1.500 2M6.300 13.300c.5 1.600 1.900 2.400 3.800 2.400 2.200 0 3.600-1.100 3.600-2.700 0-.5-.1-.9-.3-1.200',
  code: 'M7 6l-4 4 4 4M13 6l4 4-4 4',
  link: 'M8.500 11.500a3 3 0 004.200 0l2.600-2.600a3 3 0 00-4.200-4.200L10 5.800M11.500 8.500a3 3 0 00-4.200 0L4.700 11a3 3 0 004.200 4.200l1.100-1.100',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  plus: 'M10 4.500v11M4.500 10h11',
  grip: 'M7.500 5h.01M12.500 5h.01M7.500 10h.01M12.500 10h.01M7.500 15h.01M12.500 15h.01',
  undo: 'M4 8h8a4 4 0 010 8H8M7 5L4 8l3 3',
  redo: 'M16 8H8a4 4 0 000 8h4M13 5l3 3-3 3',
  rowAfter: 'M3.500 4h13v5h-13zM10 12v5M7.500 14.500h5',
  rowBefore: 'M3.500 11h13v5h-13zM10 3v5M7.500 5.500h5',
  columnAfter: 'M4 3.500v13h5v-13zM12 10h5M14.500 7.500v5',
  columnBefore: 'M11 3.500v13h5v-13zM3 10h5M5.500 7.500v5',
  rowDelete: 'M3.500 4h13v5h-13zM7.500 14.500h5',
  columnDelete: 'M4 3.500v13h5v-13zM12 10h5',
  header: 'M3.500 4h13v12h-13zM3.500 8h13M4 6h12',
  headerColumn: 'M3.500 4h13v12h-13zM7.500 4v12M5.500 4v12',
  trash: 'M4 6h12M8 6V4h4v2M6 6l.7 10h6.600L14 6',
  text: 'M5 5h10M10 5v10.500',
  heading: 'M5 4v12M13 4v12M5 10h8',
  bullets: 'M8 5.500h9M8 10h9M8 14.500h9M4 5.500h.01M4 10h.01M4 14.500h.01',
  numbers: 'M8.500 5.500H17M8.500 10H17M8.500 14.500H17M3.500 4.500L4.500 4v3.500M3.500 12.500c1.500-1 2 .2 1.200 1l-1.200 1.500h1.700',
  task: 'M4 4h12v12H4zM7 10l2.300 2.300L13.500 8',
  quote: 'M4 6v8M8 6h9M8 10h9M8 14h6',
  rule: 'M3 10h14',
  table: 'M3.500 4.500h13v11h-13zM3.500 8.500h13M10 4.500v11',
  image: 'M3.500 4.500h13v11h-13zM3.500 13l3.500-3.500 3 3 2-2 4.500 4M12.500 8h.01',
  panel: 'M10 3.500a6.500 6.500 0 100 13 6.500 6.500 0 000-13zM10 9v4M10 6.800h.01',
  expand: 'M7 5l5 5-5 5',
  layout: 'M3.500 4.500h13v11h-13zM10 4.500v11',
  status: 'M3 7.500h14v5H3zM6 10h8',
  date: 'M4 5.500h12v11H4zM4 9h12M7.500 3.500v4M12.500 3.500v4',
  mention: 'M13 10a3 3 0 11-6 0 3 3 0 016 0zm0 0v1.200a1.800 1.800 0 003.500 0V10a6.500 6.500 0 10-2.700 5.300',
  emoji: 'M10 3.500a6.500 6.500 0 100 13 6.500 6.500 0 000-13zM7.500 8.200h.01M12.500 8.200h.01M7 11.500c1.500 2.200 4.500 2.200 6 0',
  toc: 'M4 5h12M7 10h9M7 15h9',
  up: 'M10 16V4M5 9l5-5 5 5',
  down: 'M10 4v12M5 11l5 5 5-5',
}

const SVG = 'http://www.w3.org/2000/svg'

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  const path = document.createElementNS(SVG, 'path')
  for (const [key, value] of Object.entries({ viewBox: '0 0 20 20', width: '18', height: '18', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.6', 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' })) svg.setAttribute(key, value)
  if (name === 'more' || name === 'grip') svg.setAttribute('stroke-width', '2.6')
  path.setAttribute('d', ICONS[name] ?? ICONS.panel!)
  svg.append(path)
  return svg
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

/** `Mod-Shift-7` as this machine's keyboard says it. */
export function shownKey(key: string): string {
  const words = isMac ? { Mod: '⌘', Shift: '⇧', Alt: '⌥', Ctrl: '⌃' } : { Mod: 'Ctrl', Shift: 'Shift', Alt: 'Alt', Ctrl: 'Ctrl' }
  return key.split('-').map((part) => words[part as keyof typeof words] ?? part.toUpperCase()).join(isMac ? '' : '+')
}

/** A button with an icon only; the label is its name. */
export function iconButton(name: string, label: string, action: () => void, key = ''): HTMLButtonElement {
  const button = make('button', { type: 'button', class: 'tool', 'aria-label': label, title: key ? `${label} (${shownKey(key)})` : label }, icon(name))
  // The editor keeps its selection and focus.
  button.addEventListener('mousedown', (event) => event.preventDefault())
  button.addEventListener('click', action)
  return button
}

/** Where floating bars and menus hang: inside the main landmark, so that people who jump by landmarks find them. */
export function stage(): HTMLElement {
  return document.querySelector<HTMLElement>('main') ?? document.body
}

let region: HTMLElement | null = null

/** Says something to screen readers only. */
export function announce(text: string): void {
  if (!region?.isConnected) {
    region = make('div', { class: 'spoken', 'aria-live': 'polite' })
    document.body.append(region)
  }
  region.textContent = text
}

/** A short message at the lower edge; `action` stays until it is used or closed. */
export function toast(text: string, action?: { label: string; run: () => void }): void {
  let box = document.querySelector('.toasts')
  if (!box) {
    box = make('div', { class: 'toasts', role: 'log', 'aria-live': 'polite' })
    document.body.append(box)
  }
  const message = make('div', { class: 'toast' }, text)
  box.append(message)
  const leave = () => message.remove()
  if (action) {
    const run = () => {
      action.run()
      leave()
    }
    message.append(make('button', { type: 'button', class: 'toast-action', onclick: run }, action.label), make('button', { type: 'button', class: 'toast-action', onclick: leave }, 'Dismiss'))
  } else setTimeout(leave, 6000)
}
