// The editor: turns the page into a text that people write together, in place of its title and body.
import { Selection } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import { browserClock } from './sync/clock'
import { type ResetReason, Session } from './sync/session'
import { DeviceStore } from './sync/store'
import { textOf } from './sync/unsent'
import { BrowserNetwork, prepareConnection } from './sync/transports/browser'
import { api, crumbsAt, mergeOld } from './editor/api'
import { openBody, readPending } from './editor/body'
import { Chrome } from './editor/chrome'
import { node } from './editor/commands'
import { REFUSALS, RESETS } from './editor/messages'
import { redrawCarets } from './editor/plugins/carets'
import { openWriters } from './editor/plugins/writers'
import { TitleBox } from './editor/title'
import { announce, make, toast } from './editor/ui/dom'
import { KeptNotice } from './editor/ui/kept'

/** How long Close waits for the last words to be acknowledged. */
const CLOSE_WAITS_MS = 3000

class Editor {
  private view: EditorView | null = null
  private readonly host = make('div', { class: 'editor-host' })
  private readonly title = new TitleBox(() => this.view?.focus())
  private readonly chrome: Chrome
  private readonly session: Session
  private readonly store: DeviceStore
  private readonly pageId: string
  private readonly parts: HTMLElement[]
  private readonly kept: KeptNotice
  /** Why this person may not write just now. */
  private access: { cause: number; reason: string } | null = null
  private hasAsked = false
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
      writers: (beside) => this.view && void openWriters(this.view, this.pageId, beside),
      travel: () => void open(`/content/${this.pageId}/draft`, '_blank'),
      ask: () => this.ask(),
      letGo: () => this.session.ask(2),
    })
    this.kept = new KeptNotice(this.store, { canPutBack: () => this.view !== null && this.session.canWrite, putBack: (text) => this.putBack(text) })
    this.session = new Session({
      document: name,
      clock: browserClock,
      store: this.store,
      tab: crypto.randomUUID(),
      now_ms: Date.now,
      network: new BrowserNetwork(this.pageId),
      mergeOld: (edits) => mergeOld(this.pageId, edits),
      events: {
        onDocument: (ydoc) => this.show(ydoc),
        beforeRemote: () => this.view && readPending(this.view),
        onStatus: (status) => this.chrome.showStatus(status),
        onPeople: (people) => {
          this.chrome.showPeople(people)
          if (this.access) this.showAccess()
          this.redraw()
        },
        onRights: (canWrite, cause, reason) => this.setWritable(canWrite, cause, reason),
        onReset: (reason, text) => this.reset(reason, text),
        onKept: () => this.showKept(),
        onMerged: () => toast('What you wrote before the page was replaced is part of it again.'),
        onEvent: (event) => this.tell(event),
        onRefused: (code) => this.refused(code),
        onRoute: (route) => this.chrome.showRoute(route),
        onAbsence: (absence) => this.chrome.showAbsence(absence),
      },
    })
    this.parts = [...page.querySelectorAll<HTMLElement>('[data-part]')]
  }

  open(): void {
    this.page.dataset.editing = 'opening'
    const toolbar = this.page.querySelector('.toolbar')
    if (toolbar) toolbar.after(this.chrome.strip.element)
    else this.page.prepend(this.chrome.strip.element)
    // The reading page may have shown it already.
    for (const shown of this.page.querySelectorAll('.kept')) shown.remove()
    this.page.querySelector('[data-part="title"]')?.before(this.kept.element)
    this.watch()
    void this.session.start()
    void this.kept.refresh()
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
    this.kept.allow()
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

  private setWritable(canWrite: boolean, cause: number, reason: string): void {
    const could = this.access === null
    this.title.setEditable(canWrite)
    this.chrome.setWritable(canWrite)
    if (this.view && this.view.editable !== canWrite) this.view.setProps({ editable: () => canWrite })
    this.access = canWrite ? null : { cause, reason }
    if (canWrite && !could) announce('You can write now.')
    if (canWrite) this.hasAsked = false
    else this.chrome.showAsked(null)
    this.showAccess()
    this.kept.allow()
  }

  private showAccess(): void {
    this.chrome.showAccess(this.access, this.hasAsked, this.session.writer?.name)
  }

  private ask(): void {
    this.hasAsked = true
    this.session.ask(1)
    this.showAccess()
  }

  private refused(code: number): void {
    // What is on the screen stays, to be read and copied.
    this.title.setEditable(false)
    this.chrome.setWritable(false)
    this.view?.setProps({ editable: () => false })
    const again = () => {
      this.chrome.hideRefused()
      this.view?.setProps({ editable: () => this.session.canWrite })
      this.session.retry()
    }
    this.chrome.showRefused(REFUSALS[code] ?? 'The server ended the connection.', code === 4401 ? again : null)
  }

  private reset(reason: ResetReason, text: string): void {
    this.view?.destroy()
    this.view = null
    this.host.replaceChildren()
    toast(text === '' ? RESETS[reason] : `${RESETS[reason]} Your text is kept on this device.`)
    if (text !== '') this.showKept()
  }

  private showKept(): void {
    void this.kept.refresh()
  }

  /** The text becomes paragraphs behind the block in which the caret is. */
  private putBack(text: string): void {
    const { view } = this
    if (!view || !this.session.canWrite) return
    const { $head } = view.state.selection
    const at = $head.depth === 0 ? view.state.doc.content.size : $head.after(1)
    const paragraphs = text.split('\n').filter((line) => line !== '').map((line) => node('paragraph').create(null, view.state.schema.text(line)))
    const tr = view.state.tr.insert(at, paragraphs)
    const end = at + paragraphs.reduce((sum, paragraph) => sum + paragraph.nodeSize, 0)
    view.dispatch(tr.setSelection(Selection.near(tr.doc.resolve(end), -1)).scrollIntoView())
    view.focus()
  }

  private tell(event: Record<string, unknown>): void {
    const by = String(event.by ?? 'Somebody')
    if (event.event === 'published') toast(`${by} published version ${String(event.version)}.`)
    if (event.event === 'written') toast(`${by}’s change by the API was merged.`)
    if (event.event === 'deleted') this.chrome.showRefused(`This page was deleted. What is here can still be copied.`)
    if (event.event === 'asked') this.chrome.showAsked(String(event.name ?? 'Somebody'))
    if (event.event === 'mode') this.tellMode(String(event.mode))
    if (event.event === 'moved') void this.moved(String(event.url ?? ''), String(event.title ?? ''))
  }

  /** Read-only needs no word here: the strip stands as long as it lasts. */
  private tellMode(mode: string): void {
    this.chrome.showAsked(null)
    if (mode === 'on') toast('Editing together is on.')
    if (mode === 'off') toast('Editing together is off: one person writes at a time.')
  }

  /** The address bar and the way to the page follow it. */
  private async moved(url: string, title: string): Promise<void> {
    // Only an address of this site may stand in the address bar.
    if (!url.startsWith('/') || url.startsWith('//')) return
    toast(title === '' ? 'This page was moved or renamed.' : `This page was moved or renamed: ${title}.`)
    const { search } = location
    if (this.page.dataset.autoedit !== 'true') history.replaceState(history.state, '', url + (url.includes('?') ? '' : search))
    const crumbs = await crumbsAt(url)
    if (crumbs) this.page.querySelector('.toolbar .crumbs')?.replaceWith(crumbs)
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
    removeEventListener('offline', this.lost)
    document.removeEventListener('visibilitychange', this.wake)
    removeEventListener('beforeunload', this.beforeUnload)
    removeEventListener('pagehide', this.gone)
  }

  private restore(): void {
    this.view?.destroy()
    for (const element of [this.host, this.title.element, this.chrome.element, this.chrome.strip.element, this.kept.element]) element.remove()
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

  private readonly lost = () => this.session.networkLost()

  /** The page goes and does not come back: others should not have to wait until it is missed. */
  private readonly gone = (event: PageTransitionEvent) => {
    if (!event.persisted) this.session.stop()
  }

  private readonly beforeUnload = (event: BeforeUnloadEvent) => {
    if (!this.session.isSafe) event.preventDefault()
  }

  private watch(): void {
    addEventListener('online', this.wake)
    addEventListener('offline', this.lost)
    document.addEventListener('visibilitychange', this.wake)
    addEventListener('beforeunload', this.beforeUnload)
    addEventListener('pagehide', this.gone)
  }
}

/** Opens the editor in place of title and body of a `<wm-page>`. */
export function openEditor(page: HTMLElement): void {
  new Editor(page).open()
}

/** Shows, on a page that is only read, what its reader wrote and could not send. */
export async function showKept(page: HTMLElement): Promise<void> {
  const { document: name = '', user = '', canEdit } = page.dataset
  const store = new DeviceStore(`${name}:${user}`)
  // Whoever may write no more cannot send them either: they become text.
  if (canEdit !== 'true') await keepAsText(store)
  const notice = new KeptNotice(store, null)
  await notice.refresh()
  if (page.dataset.editing) return
  page.querySelector('[data-part="title"]')?.before(notice.element)
}

async function keepAsText(store: DeviceStore): Promise<void> {
  const edits = (await store.edits()).sort((a, b) => a.order - b.order)
  const [first] = edits
  if (!first) return
  const text = textOf(edits.map(({ update }) => update))
  if (text !== '') await store.keepText({ key: first.key, text, at_ms: Date.now() })
  await store.forget(edits.map(({ key }) => key))
}

// The editor is fetched when it is likely to be opened soon: so is the way to its engine.
const found = document.querySelector<HTMLElement>('wm-page[data-can-edit="true"]')
if (found?.dataset.pageId) prepareConnection(found.dataset.pageId)
