// Keys of the reading page, and the list of them behind `?`.
import { find, findAll, isMac, isTyping, make, toast } from './dom'
import { openPalette } from './palette'
import { toggleSidebar } from './sidebar'
import { turnTheme } from './theme'

const COMMAND = isMac ? '⌘' : 'Ctrl'

const KEYS: [string, string][] = [
  [`${COMMAND} K`, 'Quick search'], ['/', 'Quick search'], ['E', 'Edit this page'], ['N', 'New page'],
  ['M', 'Move this page'], ['H', 'History'], ['D', 'Home'], [`${COMMAND} .`, 'Show or hide the sidebar'],
  ['Ctrl Alt H', 'Contents'], [`${COMMAND} Shift L`, 'Theme'], ['C', 'Write a comment'], ['?', 'This list'],
]

function follow(key: string): boolean {
  const target = find(`[data-key="${key}"]`)
  target?.click()
  return target !== null
}

function showList(): void {
  let dialog = find<HTMLDialogElement>('#shortcuts')
  if (!dialog) {
    const rows = KEYS.map(([key, what]) => {
      const caps = key.split(' ').flatMap((part) => [make('kbd', {}, part), ' '])
      return make('div', {}, make('span', {}, what), make('span', {}, ...caps))
    })
    const close = make('button', { type: 'button', class: 'button', 'data-close': '' }, 'Close')
    const head = make('h2', { id: 'shortcuts-title' }, 'Keyboard shortcuts')
    const body = make('div', { class: 'dialog-body' }, head, make('div', { class: 'keys' }, ...rows), make('p', {}, close))
    dialog = make('dialog', { id: 'shortcuts', 'aria-labelledby': 'shortcuts-title' }, body)
    document.body.append(dialog)
  }
  if (!dialog.open) dialog.showModal()
}

function withCommand(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase()
  if (key === 'k' && !event.shiftKey) openPalette()
  else if (key === '.') toggleSidebar()
  else if (key === 'l' && event.shiftKey) toast(`Theme: ${turnTheme()}`)
  else if (key === 'h' && event.ctrlKey && event.altKey) find('.contents-fold > summary')?.click()
  else return false
  return true
}

function plain(event: KeyboardEvent): boolean {
  if (event.altKey) return false
  switch (event.key) {
    case '/': case 't': openPalette(); return true
    case '?': showList(); return true
    case 'c': {
      const box = find('.compose textarea')
      box?.focus()
      return box !== null
    }
    default: return /^[a-z]$/.test(event.key) && follow(event.key)
  }
}

export function watchShortcuts(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || find('wm-page[data-editing]')) return
    const command = event.ctrlKey || event.metaKey
    if (!command && isTyping(event.target)) return
    if (!command && findAll<HTMLDialogElement>('dialog[open]').length > 0) return
    if (command ? withCommand(event) : plain(event)) event.preventDefault()
  })
  for (const opener of findAll('[data-shortcuts]')) opener.addEventListener('click', showList)
}
