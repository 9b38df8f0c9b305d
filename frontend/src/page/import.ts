// The page of a running import renews its report without a reload of the whole page.
import { find } from './dom'

const WAIT_MS = 1000

async function renew(box: HTMLElement): Promise<boolean> {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  const parsed = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const fresh = parsed.querySelector<HTMLElement>('[data-import]')
  if (!fresh) {
    location.reload()
    return false
  }
  box.replaceChildren(...fresh.children)
  return fresh.dataset.import === 'running'
}

export function watchImport(): void {
  const box = find('[data-import="running"]')
  if (!box) return
  // The page renews itself by a header for browsers without script; with script it must not jump.
  const turn = () => {
    renew(box).then((goOn) => goOn && setTimeout(turn, WAIT_MS), () => setTimeout(turn, WAIT_MS * 5))
  }
  setTimeout(turn, WAIT_MS)
}
