// Fetches the editor when it is likely to be needed, and opens it when it is asked for.
// Part of the reading page's script, so it must stay small: everything else is in editor.ts.

/** What editor.ts exports. */
interface EditorModule {
  openEditor(page: HTMLElement): void
  showKept(page: HTMLElement): Promise<void>
}

/** How near, in CSS pixels, the pointer comes to the button before the editor is fetched. */
const NEAR_PX = 120

const loaded = new WeakMap<HTMLElement, Promise<EditorModule>>()

function addStylesheet(href: string): Promise<void> {
  return new Promise((resolve) => {
    const link = document.createElement('link')
    link.rel = 'stylesheet'
    link.href = href
    link.onload = link.onerror = () => resolve()
    document.head.append(link)
  })
}

/** Loads script and style once; a failure may be tried again. */
export function loadEditor(page: HTMLElement): Promise<EditorModule> {
  let promise = loaded.get(page)
  if (!promise) {
    const script: Promise<EditorModule> = import(page.dataset.editorSrc ?? '')
    promise = Promise.all([script, addStylesheet(page.dataset.editorCss ?? '')]).then(([module]) => module)
    promise.catch(() => loaded.delete(page))
    loaded.set(page, promise)
  }
  return promise
}

/** Opens the editor in place of the page's title and body. */
export async function openEditor(page: HTMLElement): Promise<void> {
  if (page.dataset.editing) return
  page.dataset.editing = 'loading'
  try {
    const editor = await loadEditor(page)
    editor.openEditor(page)
  } catch {
    delete page.dataset.editing
    const button = page.querySelector<HTMLElement>('[data-action="edit"]')
    button?.setAttribute('title', 'The editor could not be loaded. Check the connection and try again.')
  }
}

function isNear(event: PointerEvent, button: HTMLElement): boolean {
  const box = button.getBoundingClientRect()
  const dx = Math.max(box.left - event.clientX, 0, event.clientX - box.right)
  const dy = Math.max(box.top - event.clientY, 0, event.clientY - box.bottom)
  return dx < NEAR_PX && dy < NEAR_PX
}

/** What of this page waits on this device: edits to be sent, texts that could not be. Never makes the store, which is the editor's to make. */
function unsent(scope: string): Promise<{ edits: number; texts: number }> {
  const found = { edits: 0, texts: 0 }
  return new Promise((resolve) => {
    const opening = indexedDB.open('watersmeet')
    opening.onupgradeneeded = () => opening.transaction?.abort()
    opening.onerror = () => resolve(found)
    opening.onsuccess = () => {
      const database = opening.result
      const reading = database.transaction(['edits', 'texts'])
      for (const name of ['edits', 'texts'] as const) {
        const counting = reading.objectStore(name).index('scope').count(scope)
        counting.onsuccess = () => {
          found[name] = counting.result
        }
      }
      reading.oncomplete = reading.onabort = () => {
        database.close()
        resolve(found)
      }
    }
  })
}

/** Who reads a page on which words of theirs never left this device is told so. */
async function tellUnsent(page: HTMLElement): Promise<void> {
  const { edits, texts } = await unsent(`${page.dataset.document}:${page.dataset.user ?? ''}`)
  if (page.dataset.editing) return
  const canEdit = page.dataset.canEdit === 'true'
  if (texts > 0 || (edits > 0 && !canEdit)) await loadEditor(page).then((editor) => editor.showKept(page))
  if (edits === 0 || !canEdit) return
  const words = document.createElement('div')
  words.className = 'grow'
  const open = document.createElement('a')
  open.href = '#'
  open.textContent = 'Open the editor to send them'
  const box = document.createElement('div')
  box.className = 'page-notices'
  open.addEventListener('click', (event) => {
    event.preventDefault()
    box.remove()
    void openEditor(page)
  })
  words.append('Changes of yours on this page are kept on this device only. ', open, '.')
  const notice = document.createElement('div')
  notice.className = 'notice warn'
  notice.append(words)
  box.append(notice)
  page.querySelector('[data-part="title"]')?.before(box)
}

/** Attaches to the one `<wm-page>` of the document. */
export function watchEditButton(): void {
  const page = document.querySelector<HTMLElement>('wm-page')
  if (!page) return
  const button = page.dataset.canEdit === 'true' ? page.querySelector<HTMLElement>('[data-action="edit"]') : null
  if (page.dataset.autoedit === 'true' && button) void openEditor(page)
  else if (page.dataset.user) void tellUnsent(page).catch(() => undefined)
  if (button) prepareOn(page, button)
}

/** Fetches the editor when the pointer comes near its button. */
function prepareOn(page: HTMLElement, button: HTMLElement): void {
  const prepare = () => {
    document.removeEventListener('pointermove', onMove)
    void loadEditor(page).catch(() => undefined)
  }
  const onMove = (event: PointerEvent) => {
    if (isNear(event, button)) prepare()
  }
  document.addEventListener('pointermove', onMove, { passive: true })
  button.addEventListener('focus', prepare, { once: true })
  button.addEventListener('pointerdown', prepare, { once: true })
  button.addEventListener('click', (event) => {
    event.preventDefault()
    void openEditor(page)
  })
}
