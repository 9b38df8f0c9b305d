// The sidebar: closed and opened, peeked at, pulled wider; a sheet on small screens.
import { find, findAll, keepChoice } from './dom'

const WIDTH_MIN = 220
const WIDTH_MAX = 480
/** Widths are kept in steps, so that the server keeps few variants of a page. */
const WIDTH_STEP = 20

const isSheet = () => matchMedia('(max-width: 1024px)').matches
const root = document.documentElement

/** Opens or closes the sidebar, whichever form it has. */
export function toggleSidebar(): void {
  const sidebar = find('.sidebar')
  if (!sidebar) return
  if (isSheet()) {
    const open = sidebar.classList.toggle('open')
    if (open) find('a, button', sidebar)?.focus()
    return
  }
  const closed = root.dataset.sidebar !== 'closed'
  if (closed) root.dataset.sidebar = 'closed'
  else delete root.dataset.sidebar
  keepChoice('wm_sidebar', closed ? '0' : String(currentWidth()))
  sidebar.classList.remove('peek')
}

function currentWidth(): number {
  return parseInt(getComputedStyle(root).getPropertyValue('--sidebar'), 10) || 264
}

function setWidth(px: number): void {
  const width = Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, Math.round(px / WIDTH_STEP) * WIDTH_STEP))
  root.style.setProperty('--sidebar', `${width}px`)
  find('.sidebar-resize')?.setAttribute('aria-valuenow', String(width))
}

function watchResize(handle: HTMLElement): void {
  handle.addEventListener('pointerdown', (down) => {
    down.preventDefault()
    handle.setPointerCapture(down.pointerId)
    handle.classList.add('dragging')
    const move = (event: PointerEvent) => setWidth(event.clientX)
    handle.addEventListener('pointermove', move)
    handle.addEventListener('lostpointercapture', () => {
      handle.removeEventListener('pointermove', move)
      handle.classList.remove('dragging')
      keepChoice('wm_sidebar', String(currentWidth()))
    }, { once: true })
  })
  handle.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowRight' ? WIDTH_STEP : event.key === 'ArrowLeft' ? -WIDTH_STEP : 0
    if (step === 0) return
    event.preventDefault()
    setWidth(currentWidth() + step)
    keepChoice('wm_sidebar', String(currentWidth()))
  })
}

export function watchSidebar(): void {
  const sidebar = find('.sidebar')
  if (!sidebar) return
  for (const button of findAll('[data-toggle-sidebar]')) {
    button.addEventListener('click', (event) => {
      event.preventDefault()
      toggleSidebar()
    })
  }
  find('.sidebar-scrim')?.addEventListener('click', () => sidebar.classList.remove('open'))
  sidebar.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') sidebar.classList.remove('open')
  })
  const peek = find('.sidebar-peek')
  peek?.addEventListener('pointerenter', () => sidebar.classList.add('peek'))
  sidebar.addEventListener('pointerleave', () => sidebar.classList.remove('peek'))
  const handle = find('.sidebar-resize')
  if (handle) watchResize(handle)
  find('[aria-current="page"]', sidebar)?.scrollIntoView({ block: 'nearest' })
}
