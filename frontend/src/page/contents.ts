// The column of contents marks the heading one is reading; the toolbar gets its line once the page is scrolled.
import { find, findAll } from './dom'

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
  if (links.size === 0) return
  const shown = new Set<Element>()
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? shown.add(entry.target) : shown.delete(entry.target)
    const current = [...links.keys()].find((heading) => shown.has(heading))
    if (!current) return
    for (const [heading, link] of links) link.classList.toggle('active', heading === current)
  }, { rootMargin: '-96px 0px -60% 0px' })
  for (const heading of links.keys()) observer.observe(heading)
}
