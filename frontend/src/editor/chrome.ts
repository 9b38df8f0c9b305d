// What stands around the text while it is edited: save state, people, Publish, Close, and the menu.
import type { Absence, Route } from '../sync/link'
import type { Person } from '../sync/presence'
import { type Status, statusText } from '../sync/session'
import { absenceText, accessText } from './messages'
import { icon, make, shownKey } from './ui/dom'
import { confirmed, MENU, Popover } from './ui/popup'
import { RouteButton } from './ui/route'
import { Strip } from './ui/strip'

export interface ChromeActions {
  publish(message: string, isMinor: boolean): Promise<void>
  close(): void
  discard(): Promise<void>
  /** Shows who wrote the selected passage, beside the element. */
  writers(beside: HTMLElement): void
  /** Opens the history of the draft. */
  travel(): void
  /** Asks for the right to write. */
  ask(): void
  /** Lets somebody else write. */
  letGo(): void
}

const FACES_MAX = 5
/** A connection that comes back sooner than this was never missed. */
const ABSENT_AFTER_MS = 1500

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
  private readonly route = new RouteButton()
  readonly element = make('div', { class: 'editor-actions' }, this.status, this.faces, this.route.element, this.publishButton, this.closeButton, this.menuButton)
  readonly strip = new Strip()
  private state: Status = { kind: 'loading' }
  private absence: Absence | null = null
  private absenceTimer: ReturnType<typeof setTimeout> | null = null
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
    this.state = status
    if (this.absence !== null) this.drawAbsence()
  }

  /** The way to the engine; null while there is none. */
  showRoute(route: Route | null): void {
    this.route.show(route)
    if (route) this.showAbsence(null)
  }

  showAbsence(absence: Absence | null): void {
    if (this.absenceTimer !== null) clearTimeout(this.absenceTimer)
    this.absenceTimer = null
    if (absence === 'connecting' && this.absence === null) this.absenceTimer = setTimeout(() => this.missed(absence), ABSENT_AFTER_MS)
    else this.missed(absence)
  }

  private missed(absence: Absence | null): void {
    this.absence = absence
    if (absence === null) this.strip.set('absence', null)
    else this.drawAbsence()
  }

  private drawAbsence(): void {
    const [text, more] = absenceText(this.absence ?? 'connecting', this.state)
    this.strip.set('absence', { text, more, tone: 'warn' })
  }

  /** Null: this person may write. `asked`: they have asked to; `writer`: who writes instead. */
  showAccess(access: { cause: number; reason: string } | null, asked = false, writer = ''): void {
    if (!access) return this.strip.set('access', null)
    const { text, ask } = accessText(access.cause, access.reason, writer)
    const actions = ask === '' || asked ? [] : [{ label: ask, run: () => this.actions.ask(), isMain: true }]
    this.strip.set('access', { text, more: asked && ask !== '' ? 'You have asked. You can write as soon as it is your turn.' : '', tone: 'info', actions })
  }

  /** Somebody waits for this person to let them write; null: nobody any more. */
  showAsked(name: string | null): void {
    if (name === null) return this.strip.set('asked', null)
    const letGo = () => {
      this.strip.set('asked', null)
      this.actions.letGo()
    }
    this.strip.set('asked', {
      text: `${name} asks to edit.`, tone: 'info',
      actions: [{ label: `Let ${name} edit`, run: letGo, isMain: true }, { label: 'Not now', run: () => this.strip.set('asked', null) }],
    })
  }

  /** The connection has ended for good. */
  showRefused(text: string, again: (() => void) | null = null): void {
    this.showAbsence(null)
    this.strip.set('refused', { text, tone: 'danger', actions: again ? [{ label: 'Try again', run: again, isMain: true }] : [] })
  }

  hideRefused(): void {
    this.strip.set('refused', null)
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
    const line = (label: string, run: () => void) => make('button', { type: 'button', role: 'menuitem', class: 'menu-line', onclick: () => {
      popover.close(true)
      run()
    } }, label)
    const lines = [line('Who wrote this', () => this.actions.writers(this.menuButton)), line('History of the draft', () => this.actions.travel()), discard]
    const popover = new Popover('More actions', MENU, lines, this.menuButton.getBoundingClientRect(), undefined, 'end')
  }

  private async askDiscard(): Promise<void> {
    const names = this.people.map((person) => person.name)
    const others = names.length === 0 ? [] : [make('p', { class: 'warn-line' }, `${new Intl.ListFormat('en').format(names)} ${names.length === 1 ? 'is' : 'are'} editing this page right now. Their unpublished words go too.`)]
    const text = make('p', {}, 'The page goes back to its last published version, for everybody. Everything that was written since then, by anyone, is gone. This cannot be undone.')
    if (await confirmed('Discard all unpublished changes?', [text, ...others], 'Discard changes', 'Keep editing')) await this.actions.discard()
  }
}
