// The column of contents marks the heading one is reading; the toolbar gets its line once the page is scrolled.
import { find, findAll } from './dom'

/** A heading above this line counts as reached. */
const READING_LINE_PX = 160

export function watchContents(): void {
  const bar = find('.toolbar')
  if (bar) {
    const mark = () => bar.classList.toggle('scrolled', scrollY > 4)
    addEventListener('scroll', mark, { passive: true })
    mark()
  }
  const links = new Map<Element, HTMLElement>()
  for (const link of findAll<HTMLAnchorElement>('.contents-side a')) {
    const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)))
    if (heading) links.set(heading, link)
  }
  if (links.size > 0) watchHeadings(links)
}

/** The heading one reads is the last one that has reached the upper part of the window. */
function watchHeadings(links: Map<Element, HTMLElement>): void {
  let waiting = false
  const mark = () => {
    waiting = false
    let current: Element | undefined
    for (const heading of links.keys()) if (heading.getBoundingClientRect().top < READING_LINE_PX) current = heading
    for (const [heading, link] of links) link.classList.toggle('active', heading === current)
  }
  const later = () => {
    if (!waiting) requestAnimationFrame(mark)
    waiting = true
  }
  addEventListener('scroll', later, { passive: true })
  later()
}
