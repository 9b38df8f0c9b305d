// A word in the presence bar about the way to the engine, and what it means.
import type { Route } from '../../sync/link'
import { about, place, routeText, whyNotBetter } from '../messages'
import { make } from './dom'
import { Popover } from './popup'

/** How many bars of the sign are full, by transport. */
const BARS = { websocket: 3, 'event-stream': 2, 'long-poll': 1 } as const

export class RouteButton {
  private readonly word = make('span', { class: 'route-word' })
  readonly element = make('button', { type: 'button', class: 'route', hidden: true, 'aria-haspopup': 'dialog', onclick: () => this.open() }, make('span', { class: 'route-bars', 'aria-hidden': 'true' }, make('i'), make('i'), make('i')), this.word)
  private route: Route | null = null
  private popover: Popover | null = null

  show(route: Route | null): void {
    this.route = route
    this.element.hidden = route === null
    if (!route) return
    const text = routeText(route)
    if (this.word.textContent !== text) this.word.textContent = text
    this.element.dataset.bars = String(BARS[route.candidate.transport])
    this.element.title = `Connection: ${text}`
    this.element.setAttribute('aria-label', `Connection: ${text}`)
  }

  private open(): void {
    const { route } = this
    if (!route || this.popover?.element.isConnected) return
    const { candidate, rtt_ms } = route
    const reasons = whyNotBetter(route, location.host)
    const line = (name: string, value: string) => [make('dt', {}, name), make('dd', {}, value)]
    const close = make('button', { type: 'button', class: 'button small', onclick: () => this.popover?.close(true) }, 'Close')
    const content: HTMLElement[] = [
      make('h2', {}, routeText({ candidate, rtt_ms: 0 })),
      make('p', {}, about(candidate)),
      make('dl', {}, ...line('Round trip', rtt_ms > 0 ? `${rtt_ms} ms` : 'not measured yet'), ...line('Address', place(candidate.url, location.host))),
    ]
    if (reasons.length > 0) content.push(make('h3', {}, 'Why not faster'), make('ul', {}, ...reasons.map((reason) => make('li', {}, reason))))
    if (reasons.length > 0 && route.wanted.transport === '' && route.wanted.path === '') content.push(make('p', { class: 'meta' }, 'A better way is tried now and then, and taken as soon as it works.'))
    this.popover = new Popover('Connection', 'route-about', [...content, make('div', { class: 'buttons' }, close)], this.element.getBoundingClientRect(), undefined, 'end')
  }
}
