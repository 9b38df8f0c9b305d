// Boxes beside a place in the text: menus, toolbars, small forms.
import { make, stage } from './dom'

export interface Box {
  left: number
  right: number
  top: number
  bottom: number
}

const GAP_PX = 6
const EDGE_PX = 8

/** Puts a fixed element under (or, without room, above) a place, inside the window. */
export function place(element: HTMLElement, at: Box, prefer: 'below' | 'above' = 'below', align: 'start' | 'center' | 'end' = 'start'): void {
  const view = window.visualViewport
  const width = view?.width ?? innerWidth
  const height = view?.height ?? innerHeight
  const { offsetWidth: w, offsetHeight: h } = element
  const below = at.bottom + GAP_PX
  const above = at.top - GAP_PX - h
  const fitsBelow = below + h <= height - EDGE_PX
  const fitsAbove = above >= EDGE_PX
  const top = prefer === 'below' ? (fitsBelow || !fitsAbove ? below : above) : fitsAbove || !fitsBelow ? above : below
  const left = align === 'start' ? at.left : align === 'end' ? at.right - w : (at.left + at.right - w) / 2
  element.style.top = `${Math.max(EDGE_PX, Math.min(top, height - h - EDGE_PX))}px`
  element.style.left = `${Math.max(EDGE_PX, Math.min(left, width - w - EDGE_PX))}px`
}

/** The class of a popover that is a menu: its lines have the role `menuitem`. */
export const MENU = 'menu-popover'

/** A small form or menu that closes by Escape, by a click beside it, and when it is done. */
export class Popover {
  readonly element: HTMLElement
  private readonly size: ResizeObserver
  private readonly before = document.activeElement as HTMLElement | null
  private readonly outside = (event: Event) => {
    if (!this.element.contains(event.target as Node)) this.close()
  }
  private readonly keys = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && this.element.getAttribute('role') === 'menu') {
      event.preventDefault()
      const lines = [...this.element.querySelectorAll<HTMLElement>('[role=menuitem]')]
      const next = lines.indexOf(document.activeElement as HTMLElement) + step
      lines[(next + lines.length) % lines.length]?.focus()
    }
    if (event.key !== 'Escape') return
    event.preventDefault()
    event.stopPropagation()
    this.close(true)
  }

  constructor(label: string, className: string, content: Node[], at: Box, private readonly onClose: () => void = () => undefined, align: 'start' | 'end' = 'start') {
    this.element = make('div', { class: `popup popover ${className}`, role: className === MENU ? 'menu' : 'dialog', 'aria-label': label }, ...content)
    this.element.addEventListener('keydown', this.keys)
    stage().append(this.element)
    place(this.element, at, 'below', align)
    // Results that come in make it taller; it stays inside the window.
    this.size = new ResizeObserver(() => place(this.element, at, 'below', align))
    this.size.observe(this.element)
    setTimeout(() => document.addEventListener('pointerdown', this.outside, true))
    this.element.querySelector<HTMLElement>('[autofocus], input, button')?.focus()
  }

  close(refocus = false): void {
    if (!this.element.isConnected) return
    document.removeEventListener('pointerdown', this.outside, true)
    this.size.disconnect()
    this.element.remove()
    if (refocus) this.before?.focus()
    this.onClose()
  }
}

/** Asks before something that cannot be undone; resolves to whether to go on. */
export function confirmed(title: string, text: (Node | string)[], yes: string, no: string): Promise<boolean> {
  return new Promise((resolve) => {
    const accept = make('button', { type: 'submit', value: 'yes', class: 'button danger' }, yes)
    const refuse = make('button', { type: 'submit', value: 'no', class: 'button', autofocus: true }, no)
    const form = make('form', { method: 'dialog', class: 'dialog-body' }, make('h2', { id: 'ask-title' }, title), ...text, make('div', { class: 'buttons' }, accept, refuse))
    const dialog = make('dialog', { class: 'editor-dialog', 'aria-labelledby': 'ask-title' }, form)
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue === 'yes')
      dialog.remove()
    })
    document.body.append(dialog)
    dialog.showModal()
  })
}
