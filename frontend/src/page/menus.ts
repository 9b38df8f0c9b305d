// Menus (`<details class="menu">`) close on Escape, on a click elsewhere, and when focus leaves; arrow keys move in them.
// Buttons with `data-dialog` open the dialog of that id.
import { find, findAll } from './dom'

function close(menu: HTMLDetailsElement, giveFocusBack: boolean): void {
  menu.open = false
  if (giveFocusBack) find('summary', menu)?.focus()
}

function onKey(event: KeyboardEvent, menu: HTMLDetailsElement): void {
  if (event.key === 'Escape' && menu.open) {
    event.stopPropagation()
    close(menu, true)
    return
  }
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
  if (step === 0) return
  event.preventDefault()
  menu.open = true
  const items = findAll('.menu-box a, .menu-box button, .menu-box input', menu)
  const at = items.indexOf(document.activeElement as HTMLElement)
  items[(at + step + items.length) % items.length]?.focus()
}

function watchMenu(menu: HTMLDetailsElement): void {
  menu.addEventListener('keydown', (event) => onKey(event, menu))
  menu.addEventListener('focusout', (event) => {
    const to = event.relatedTarget
    if (to instanceof Node && !menu.contains(to)) close(menu, false)
  })
}

function openDialog(id: string): void {
  const dialog = document.getElementById(id)
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal()
}

export function watchDialogsAndMenus(): void {
  const menus = findAll<HTMLDetailsElement>('details.menu')
  menus.forEach(watchMenu)
  document.addEventListener('click', (event) => {
    const target = event.target as HTMLElement
    for (const menu of menus) if (menu.open && !menu.contains(target)) close(menu, false)
    const opener = target.closest<HTMLElement>('[data-dialog]')
    if (opener?.dataset.dialog) {
      event.preventDefault()
      openDialog(opener.dataset.dialog)
    }
    if (target.closest('[data-close]')) target.closest('dialog')?.close()
    if (target instanceof HTMLDialogElement) target.close()
  })
}
