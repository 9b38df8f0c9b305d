// The editor: turns the page into a text that people write together, in place of its title and body.
import type { EditorView } from 'prosemirror-view'
import { browserClock } from './sync/clock'
import type { Socket } from './sync/link'
import { type ResetReason, Session } from './sync/session'
import { DeviceStore } from './sync/store'
import { api } from './editor/api'
import { openBody, readPending } from './editor/body'
import { Chrome } from './editor/chrome'
import { redrawCarets } from './editor/plugins/carets'
import { TitleBox } from './editor/title'
import { make, toast } from './editor/ui/dom'

/** How long Close waits for the last words to be acknowledged. */
const CLOSE_WAITS_MS = 3000

const REASONS: Record<ResetReason, string> = {
  discarded: 'The unpublished changes of this page were discarded.',
  rewritten: 'This page was replaced while you were away.',
  restored: 'An earlier version of this page was restored.',
  refused: 'The server did not accept your last changes.',
  'read only': 'You can no longer edit this page.',
}
const REFUSALS: Record<number, string> = {
  4401: 'You are signed out. Sign in again in another tab, then continue here. Your changes are kept on this device.',
  4403: 'You no longer have permission to edit this page. Your changes are kept on this device.',
  4404: 'This page does not exist any more.',
}

class Editor {
  private view: EditorView | null = null
  private readonly host = make('div', { class: 'editor-host' })
  private readonly title = new TitleBox(() => this.view?.focus())
  private readonly chrome: Chrome
  private readonly session: Session
  private readonly store: DeviceStore
  private readonly pageId: string
  private readonly parts: HTMLElement[]
  private isReplaced = false
  private frame = 0
  private wasEdited = false

  constructor(private readonly page: HTMLElement) {
    const { pageId = '', document: name = '', user = '' } = page.dataset
    this.pageId = pageId
    this.store = new DeviceStore(`${name}:${user}`)
    this.chrome = new Chrome({
      publish: (message, isMinor) => this.publish(message, isMinor),
      close: () => void this.close(),
      discard: () => this.discard(),
      retry: () => this.session.retry(),
    })
    this.session = new Session({
      document: name,
      clock: browserClock,
      store: this.store,
      tab: crypto.randomUUID(),
      now_ms: Date.now,
      connect: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/synchrony/v1/live`) as unknown as Socket,
      events: {
        onDocument: (ydoc) => this.show(ydoc),
        beforeRemote: () => this.view && readPending(this.view),
        onStatus: (status) => this.chrome.showStatus(status),
        onPeople: (people) => {
          this.chrome.showPeople(people)
          this.redraw()
        },
        onRights: (canWrite, reason) => this.setWritable(canWrite, reason),
        onReset: (reason, text) => this.reset(reason, text),
        onEvent: (event) => this.tell(event),
        onRefused: (code) => this.chrome.showStrip(REFUSALS[code] ?? 'The server ended the connection.', code === 4401 ? 'Try again' : '', () => {
          this.chrome.hideStrip()
          this.session.retry()
        }),
      },
    })
    this.parts = [...page.querySelectorAll<HTMLElement>('[data-part]')]
  }

  open(): void {
    this.page.dataset.editing = 'opening'
    this.watch()
    void this.session.start()
    void this.offerKept()
  }

  /** Swaps the reading page for the text boxes once the document is there, so that nothing flickers. */
  private show(ydoc: import('yjs').Doc): void {
    if (!this.isReplaced) this.replace()
    this.title.bind(ydoc.getText('title'))
    ydoc.on('update', () => {
      this.wasEdited = true
    })
    this.view = openBody({
      host: this.host,
      ydoc,
      pageId: this.pageId,
      space: this.page.dataset.space ?? '',
      canWrite: () => this.session.canWrite,
      people: () => this.session.people,
      tell: (blob) => this.session.setPresence(blob),
      publish: () => this.chrome.openPublish(),
    })
    this.page.dataset.editing = 'open'
    // A page without a name gets its name first.
    if (ydoc.getText('title').length === 0) this.title.element.focus()
    else this.view.focus()
    performance.mark('editor-ready')
  }

  private replace(): void {
    this.isReplaced = true
    const title = this.page.querySelector<HTMLElement>('[data-part="title"]')
    const body = this.page.querySelector<HTMLElement>('[data-part="body"]')
    title?.after(this.title.element)
    body?.after(this.host)
    const toolbar = this.page.querySelector('.toolbar')
    if (toolbar) toolbar.append(this.chrome.element)
    else this.page.prepend(this.chrome.element)
    if (toolbar) toolbar.after(this.chrome.strip)
    else this.chrome.element.after(this.chrome.strip)
    // The heading stays for those who hear the page; its text box stands where it was.
    for (const part of this.parts) {
      if (part === title) part.classList.add('spoken')
      else part.hidden = true
    }
    this.title.fit()
  }

  private redraw(): void {
    if (this.frame !== 0) return
    this.frame = requestAnimationFrame(() => {
      this.frame = 0
      if (!this.view || this.view.isDestroyed) return
      readPending(this.view)
      redrawCarets(this.view)
    })
  }

  private setWritable(canWrite: boolean, reason: string): void {
    this.title.setEditable(canWrite)
    this.chrome.setWritable(canWrite)
    if (this.view && this.view.editable !== canWrite) this.view.setProps({ editable: () => canWrite })
    if (!canWrite) this.chrome.showStrip(`Read-only${reason ? `: ${reason}` : ''}`)
  }

  private reset(reason: ResetReason, text: string): void {
    this.view?.destroy()
    this.view = null
    this.host.replaceChildren()
    if (text === '') toast(REASONS[reason])
    else void this.offerKept(REASONS[reason])
  }

  /** Text that could not be sent is offered until its author has copied it. */
  private async offerKept(why = 'Text of yours from an earlier visit could not be sent.'): Promise<void> {
    const texts = await this.store.texts().catch(() => [])
    if (texts.length === 0) return
    const all = texts.map((kept) => kept.text).join('\n\n')
    const forget = () => texts.forEach((kept) => void this.store.forgetText(kept.key).catch(() => undefined))
    const area = make('textarea', { class: 'textarea', readonly: true, rows: '6', 'aria-label': 'Your text' })
    area.value = all
    const copy = make('button', { type: 'button', class: 'button primary', onclick: () => {
      area.select()
      void navigator.clipboard?.writeText(all)
      copy.textContent = 'Copied'
    } }, 'Copy')
    const done = make('button', { type: 'button', class: 'button', onclick: () => {
      forget()
      dialog.close()
    } }, 'I do not need it')
    const later = make('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Keep it for later')
    const dialog = make('dialog', { class: 'editor-dialog', 'aria-labelledby': 'kept-title' }, make('div', { class: 'dialog-body' }, make('h2', { id: 'kept-title' }, 'Your words are kept'), make('p', {}, `${why} What you wrote is here to copy.`), area, make('div', { class: 'buttons' }, copy, later, done)))
    dialog.addEventListener('close', () => dialog.remove())
    document.body.append(dialog)
    dialog.showModal()
  }

  private tell(event: Record<string, unknown>): void {
    const by = String(event.by ?? 'Somebody')
    if (event.event === 'published') toast(`${by} published version ${String(event.version)}.`)
    if (event.event === 'deleted') this.chrome.showStrip('This page was deleted. What is here can still be copied.')
  }

  private async publish(message: string, isMinor: boolean): Promise<void> {
    await this.saved('Some words have not reached the server yet. Publish when the state says Saved.')
    const { url } = await api.publish(this.pageId, message, isMinor)
    this.leave()
    location.assign(url)
  }

  private saved(otherwise: string): Promise<void> {
    return Promise.race([
      this.session.whenSaved(),
      new Promise<never>((_resolve, reject) => setTimeout(() => reject(new Error(otherwise)), CLOSE_WAITS_MS)),
    ])
  }

  private async discard(): Promise<void> {
    try {
      await api.discard(this.pageId)
      this.leave()
      location.assign(this.address())
    } catch (error) {
      toast((error as Error).message)
    }
  }

  /** Ends editing; the draft stays. Words that the server does not have yet stay on this device and go out later. */
  private async close(): Promise<void> {
    try {
      await this.saved('offline')
    } catch {
      toast('Not everything has reached the server. It is kept on this device and sent when you edit this page again.')
    }
    const { wasEdited } = this
    this.leave()
    if (wasEdited && navigator.onLine) location.assign(this.address())
    else this.restore()
  }

  /** The page's address without the wish to edit. */
  private address(): string {
    const url = new URL(location.href)
    url.searchParams.delete('edit')
    url.hash = ''
    return this.page.dataset.autoedit === 'true' ? `/pages/viewpage.action?pageId=${this.pageId}` : url.href
  }

  private leave(): void {
    this.session.stop()
    removeEventListener('online', this.wake)
    document.removeEventListener('visibilitychange', this.wake)
    removeEventListener('beforeunload', this.beforeUnload)
  }

  private restore(): void {
    this.view?.destroy()
    for (const element of [this.host, this.title.element, this.chrome.element, this.chrome.strip]) element.remove()
    for (const part of this.parts) {
      part.hidden = false
      part.classList.remove('spoken')
    }
    delete this.page.dataset.editing
    this.page.querySelector<HTMLElement>('[data-action="edit"]')?.focus()
  }

  private readonly wake = () => {
    if (document.visibilityState === 'visible') this.session.wake()
  }

  private readonly beforeUnload = (event: BeforeUnloadEvent) => {
    if (!this.session.isSafe) event.preventDefault()
  }

  private watch(): void {
    addEventListener('online', this.wake)
    document.addEventListener('visibilitychange', this.wake)
    addEventListener('beforeunload', this.beforeUnload)
  }
}

/** Opens the editor in place of title and body of a `<wm-page>`. */
export function openEditor(page: HTMLElement): void {
  new Editor(page).open()
}
