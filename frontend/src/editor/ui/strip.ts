// The line over the whole width: one message at a time, the gravest first, spoken when it changes.
import { make } from './dom'

/** From the gravest to the least. */
const SLOTS = ['refused', 'absence', 'access', 'asked'] as const
export type Slot = (typeof SLOTS)[number]

export interface Message {
  text: string
  /** Changes while it stands and is not spoken each time. */
  more?: string
  tone: 'warn' | 'info' | 'danger'
  actions?: { label: string; run: () => void; isMain?: boolean }[]
}

export class Strip {
  private readonly text = make('span', {})
  // What is kept changes with every key; hearing it each time would drown everything else.
  private readonly more = make('span', { 'aria-live': 'off' })
  private readonly buttons = make('span', { class: 'strip-actions' })
  readonly element = make('div', { class: 'editor-strip', 'aria-live': 'polite', hidden: true }, make('span', {}, this.text, ' ', this.more), this.buttons)
  private readonly messages = new Map<Slot, Message>()
  private shown: Message | null = null

  set(slot: Slot, message: Message | null): void {
    if (message) this.messages.set(slot, message)
    else this.messages.delete(slot)
    this.draw()
  }

  private draw(): void {
    const slot = SLOTS.find((name) => this.messages.has(name))
    const message = slot ? this.messages.get(slot)! : null
    this.element.hidden = message === null
    const before = this.shown
    this.shown = message
    if (!message) return this.empty()
    if (before?.text !== message.text) this.text.textContent = message.text
    if (this.more.textContent !== (message.more ?? '')) this.more.textContent = message.more ?? ''
    this.element.dataset.tone = message.tone
    const labels = (m: Message | null) => (m?.actions ?? []).map(({ label }) => label).join('|')
    // Buttons that stay keep the focus.
    if (labels(before) !== labels(message)) this.buttons.replaceChildren(...(message.actions ?? []).map((action) => this.button(action.label, action.isMain ?? false)))
  }

  private button(label: string, isMain: boolean): HTMLElement {
    const run = () => this.shown?.actions?.find((action) => action.label === label)?.run()
    return make('button', { type: 'button', class: `button small${isMain ? ' primary' : ''}`, onclick: run }, label)
  }

  private empty(): void {
    this.text.textContent = ''
    this.more.textContent = ''
    this.buttons.replaceChildren()
  }
}
