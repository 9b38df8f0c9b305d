// What stands around the text while it is edited: save state, people, Publish, Close, and the menu.
import type { Person } from '../sync/presence'
import { type Status, statusText } from '../sync/session'
import { icon, make, shownKey } from './ui/dom'
import { confirmed, MENU, Popover } from './ui/popup'

export interface ChromeActions {
  publish(message: string, isMinor: boolean): Promise<void>
  close(): void
  discard(): Promise<void>
  retry(): void
}

const FACES_MAX = 5

function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  return ((words[0]?.[0] ?? '?') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase()
}

function face(person: Person): HTMLElement {
  return make('span', { class: 'avatar', style: `--hue:${person.hue}`, title: person.name, role: 'img', 'aria-label': person.name }, initials(person.name))
}

/** One face for each person, however many windows they have open. */
function persons(people: Person[]): Person[] {
  return [...new Map(people.map((person) => [person.user || String(person.connectionId), person])).values()]
}

export class Chrome {
  readonly status = make('span', { role: 'status', class: 'save-state', 'aria-live': 'polite' })
  private readonly faces = make('span', { class: 'facepile', role: 'group', 'aria-label': 'Editing with you' })
  private readonly publishButton = make('button', { type: 'button', class: 'button primary small', title: `Publish (${shownKey('Mod-Shift-P')})`, onclick: () => this.openPublish() }, 'Publish')
  private readonly closeButton = make('button', { type: 'button', class: 'button small', title: 'Stop editing; the draft stays', onclick: () => this.actions.close() }, 'Close')
  private readonly menuButton = make('button', { type: 'button', class: 'button quiet icon small', 'aria-label': 'More actions', title: 'More actions', 'aria-haspopup': 'menu', onclick: () => this.openMenu() }, icon('more'))
  readonly element = make('div', { class: 'editor-actions' }, this.status, this.faces, this.publishButton, this.closeButton, this.menuButton)
  readonly strip = make('div', { class: 'editor-strip', role: 'alert', hidden: true })
  private people: Person[] = []
  private shown = ''

  constructor(private readonly actions: ChromeActions) {}

  showStatus(status: Status): void {
    const text = statusText(status)
    if (text !== this.shown) {
      this.shown = text
      this.status.textContent = text
    }
    this.status.dataset.kind = status.kind
    if (status.kind === 'offline' && !status.kept) {
      this.showStrip('Offline, and this browser cannot keep changes on this device. Leave this page open until it is connected again.')
      this.strip.dataset.from = 'status'
    } else if (status.kind !== 'offline' && this.strip.dataset.from === 'status') this.hideStrip()
  }

  /** A line over the whole width; with a button when something can be done. */
  showStrip(text: string, label = '', run: () => void = () => undefined): void {
    if (this.strip.firstChild?.textContent === text && !this.strip.hidden) return
    this.strip.replaceChildren(text)
    this.strip.dataset.from = ''
    if (label !== '') this.strip.append(' ', make('button', { type: 'button', class: 'button small', onclick: run }, label))
    this.strip.hidden = false
  }

  hideStrip(): void {
    this.strip.hidden = true
  }

  showPeople(people: Person[]): void {
    this.people = persons(people)
    const shown = this.people.slice(0, FACES_MAX).map(face)
    const more = this.people.length - FACES_MAX
    if (more > 0) shown.push(make('span', { class: 'avatar more', title: this.people.slice(FACES_MAX).map((p) => p.name).join(', ') }, `+${more}`))
    this.faces.replaceChildren(...shown)
    this.faces.hidden = this.people.length === 0
  }

  setWritable(writable: boolean): void {
    this.publishButton.disabled = !writable
  }

  openPublish(): void {
    if (this.publishButton.disabled || document.querySelector('.publish')) return
    const message = make('textarea', { class: 'textarea', id: 'publish-message', rows: '2', maxlength: '1000', placeholder: 'What changed? (optional)', autofocus: true })
    const minor = make('input', { type: 'checkbox', id: 'publish-minor' })
    const wrong = make('p', { class: 'wrong', role: 'alert', hidden: true })
    const go = make('button', { type: 'submit', class: 'button primary' }, 'Publish')
    const cancel = make('button', { type: 'button', class: 'button', onclick: () => popover.close(true) }, 'Cancel')
    const form = make('form', { class: 'stack' },
      make('label', { for: 'publish-message' }, 'Version message'), message,
      make('label', { class: 'check', for: 'publish-minor' }, minor, 'Minor edit, tell nobody'),
      wrong, make('div', { class: 'buttons' }, go, cancel))
    form.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) form.requestSubmit()
    })
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      go.disabled = true
      go.setAttribute('aria-busy', 'true')
      wrong.hidden = true
      this.actions.publish(message.value.trim(), minor.checked).catch((error: unknown) => {
        wrong.textContent = (error as Error).message
        wrong.hidden = false
        go.disabled = false
        go.removeAttribute('aria-busy')
      })
    })
    // There is one button of this name at a time.
    this.publishButton.style.visibility = 'hidden'
    const at = this.publishButton.getBoundingClientRect()
    const popover = new Popover('Publish this page', 'publish', [form], at, () => {
      this.publishButton.style.visibility = ''
    }, 'end')
  }

  private openMenu(): void {
    const discard = make('button', { type: 'button', role: 'menuitem', class: 'menu-line danger', onclick: () => {
      popover.close(true)
      void this.askDiscard()
    } }, 'Discard unpublished changes…')
    const popover = new Popover('More actions', MENU, [discard], this.menuButton.getBoundingClientRect(), undefined, 'end')
  }

  private async askDiscard(): Promise<void> {
    const names = this.people.map((person) => person.name)
    const others = names.length === 0 ? [] : [make('p', { class: 'warn-line' }, `${new Intl.ListFormat('en').format(names)} ${names.length === 1 ? 'is' : 'are'} editing this page right now. Their unpublished words go too.`)]
    const text = make('p', {}, 'The page goes back to its last published version, for everybody. Everything that was written since then, by anyone, is gone. This cannot be undone.')
    if (await confirmed('Discard all unpublished changes?', [text, ...others], 'Discard changes', 'Keep editing')) await this.actions.discard()
  }
}
