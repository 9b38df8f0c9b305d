// Text of this person that could not be sent: kept on this device until they have decided what becomes of it. [CLIENT-12]
import type { EditStore, KeptText } from '../../sync/store'
import { make, toast } from './dom'

export interface KeptActions {
  /** Whether the page can be written now. */
  canPutBack(): boolean
  putBack(text: string): void
}

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export class KeptNotice {
  private readonly list = make('ul', { class: 'kept-list', id: 'kept-list', hidden: true })
  private readonly head = make('strong')
  private readonly toggle = make('button', { type: 'button', class: 'button small', 'aria-controls': 'kept-list', 'aria-expanded': 'false', onclick: () => this.setOpen(this.list.hidden !== false) }, 'View')
  readonly element = make('section', { class: 'kept', 'aria-label': 'Unsent text', hidden: true }, make('div', { class: 'kept-head' }, make('p', {}, this.head), this.toggle), this.list)
  private texts: KeptText[] = []

  constructor(private readonly store: Pick<EditStore, 'texts' | 'forgetText'>, private readonly actions: KeptActions | null) {}

  /** Reads what is kept and shows it, or nothing. */
  async refresh(): Promise<void> {
    this.texts = (await this.store.texts().catch(() => [])).sort((a, b) => b.at_ms - a.at_ms)
    this.element.hidden = this.texts.length === 0
    this.head.textContent = this.texts.length === 1 ? 'Your unsent text is kept on this device.' : `${this.texts.length} unsent texts of yours are kept on this device.`
    this.list.replaceChildren(...this.texts.map((text) => this.item(text)))
    this.allow()
  }

  /** Writing became possible, or is no more. */
  allow(): void {
    const may = this.actions?.canPutBack() ?? false
    for (const button of this.list.querySelectorAll<HTMLButtonElement>('[data-put-back]')) button.hidden = !may
  }

  private setOpen(open: boolean): void {
    this.list.hidden = !open
    this.toggle.setAttribute('aria-expanded', String(open))
    this.toggle.textContent = open ? 'Hide' : 'View'
  }

  private item(kept: KeptText): HTMLElement {
    const button = (label: string, run: () => void) => make('button', { type: 'button', class: 'button small', onclick: run }, label)
    const putBack = button('Put back', () => {
      this.actions?.putBack(kept.text)
      void this.forget(kept)
    })
    putBack.dataset.putBack = ''
    const text = make('pre', { tabindex: '0', 'aria-label': 'Your text' }, kept.text)
    const remove = button('Delete', () => {
      if (remove.dataset.sure) return void this.forget(kept)
      remove.dataset.sure = 'true'
      remove.classList.add('danger')
      remove.textContent = 'Delete for good'
    })
    return make('li', {}, make('p', { class: 'meta' }, `Kept ${WHEN.format(kept.at_ms)}`), text, make('div', { class: 'buttons' }, putBack, button('Copy', () => this.copy(kept, text)), button('Download', () => this.download(kept)), remove))
  }

  private copy(kept: KeptText, shown: HTMLElement): void {
    // Selected as well, for browsers that do not let the page write the clipboard.
    getSelection()?.selectAllChildren(shown)
    navigator.clipboard?.writeText(kept.text).then(() => toast('Copied.'), () => undefined)
  }

  private download(kept: KeptText): void {
    const address = URL.createObjectURL(new Blob([kept.text], { type: 'text/plain' }))
    make('a', { href: address, download: `unsent-${new Date(kept.at_ms).toISOString().slice(0, 10)}.txt` }).click()
    setTimeout(() => URL.revokeObjectURL(address), 1000)
  }

  private async forget(kept: KeptText): Promise<void> {
    await this.store.forgetText(kept.key).catch(() => undefined)
    await this.refresh()
  }
}
