// Inline things that are edited as one: images, emoticons, mentions, dates, statuses, links without a text.
import type { Node } from 'prosemirror-model'
import type { NodeView, NodeViewConstructor } from 'prosemirror-view'
import { param, resource, sourceAttribute } from '../params'
import type { NodeLook } from '../schema'

/** Emoticons of Confluence by name, and the character that shows them. */
export const EMOTICONS: Record<string, string> = {
  smile: '🙂', sad: '🙁', cheeky: '😛', laugh: '😁', wink: '😉', 'thumbs-up': '👍', 'thumbs-down': '👎', information: 'ℹ️', tick: '✅', cross: '❌',
  warning: '⚠️', plus: '➕', minus: '➖', question: '❓', 'light-on': '💡', 'light-off': '🔌', 'yellow-star': '⭐', 'red-star': '🔴', 'green-star': '🟢',
  'blue-star': '🔵', heart: '❤️', 'broken-heart': '💔',
}

export const STATUS_COLOURS = ['Grey', 'Blue', 'Green', 'Yellow', 'Red', 'Purple']

export const emoticon: NodeLook = {
  parseDOM: [{ tag: 'span[data-emoticon]', getAttrs: (dom) => ({ name: dom.dataset.emoticon ?? '' }) }],
  toDOM: (node) => {
    const name = String(node.attrs.name)
    const shown = EMOTICONS[name] ?? (sourceAttribute(node.attrs, 'ac:emoji-fallback') || `:${name}:`)
    return ['span', { class: 'emoticon', role: 'img', 'aria-label': name, 'data-emoticon': name }, shown]
  },
}

/** The name to show for a mentioned user. */
export function mentionName(node: Node): string {
  const user = resource(node.attrs)
  return String(user?.['display-name'] ?? user?.username ?? user?.userkey ?? user?.['account-id'] ?? 'someone')
}

export const mention: NodeLook = {
  parseDOM: [{ tag: 'span[data-mention]', getAttrs: (dom) => ({ resource: dom.dataset.mention ?? null }) }],
  toDOM: (node) => ['span', { class: 'mention', 'data-mention': String(node.attrs.resource ?? '') }, `@${mentionName(node)}`],
}

function escaped(value: unknown): string {
  return String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** Shows a person by the full name, which only the server knows; `preview` renders storage format. */
export const mentionView = (preview: (source: string) => Promise<string>): NodeViewConstructor => (node): NodeView => {
  const dom = document.createElement('span')
  dom.className = 'mention'
  dom.textContent = `@${mentionName(node)}`
  const { type: _type, container: _container, ...names } = resource(node.attrs) ?? { type: 'user' }
  const attrs = Object.entries(names).map(([key, value]) => `ri:${key}="${escaped(value)}"`).join(' ')
  const show = (html: string) => {
    const name = new DOMParser().parseFromString(html, 'text/html').body.textContent?.trim().replace(/^@/, '')
    if (name) dom.textContent = `@${name}`
  }
  preview(`<p><ac:link><ri:user ${attrs} /></ac:link></p>`).then(show, () => undefined)
  return {
    dom,
    update: (next) => next.type === node.type && next.attrs.resource === node.attrs.resource,
    ignoreMutation: () => true,
  }
}

function shownDate(iso: string): string {
  const date = new Date(`${iso}T00:00:00Z`)
  if (Number.isNaN(date.getTime())) return iso || 'date'
  return new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(date)
}

export const date: NodeLook = {
  parseDOM: [{ tag: 'time[datetime]', getAttrs: (dom) => ({ datetime: dom.getAttribute('datetime') ?? '' }) }],
  toDOM: (node) => ['time', { class: 'date', datetime: String(node.attrs.datetime) }, shownDate(String(node.attrs.datetime))],
}

export const status: NodeLook = {
  parseDOM: [{ tag: 'span[data-status]', getAttrs: (dom) => ({ params: dom.dataset.status ?? null }) }],
  toDOM: (node) => {
    const colour = STATUS_COLOURS.find((c) => c.toLowerCase() === param(node.attrs, 'colour').toLowerCase()) ?? 'Grey'
    const attrs = { class: `status status-${colour.toLowerCase()}`, 'data-status': String(node.attrs.params ?? '') }
    return ['span', attrs, param(node.attrs, 'title') || 'status']
  },
}

export const contentLink: NodeLook = {
  toDOM: (node) => {
    const target = resource(node.attrs)
    const text = target?.['content-title'] ?? target?.filename ?? target?.['space-key'] ?? node.attrs.anchor ?? 'link'
    return ['a', { class: 'resource-link' }, String(text)]
  },
}

export const image: NodeLook = {
  draggable: true,
  parseDOM: [{
    tag: 'img[data-resource]',
    getAttrs: (dom) => ({ resource: dom.dataset.resource ?? null, xml: dom.dataset.xml ?? null }),
  }, {
    tag: 'img[src^="http"]',
    getAttrs: (dom) => ({ resource: JSON.stringify({ type: 'url', value: dom.getAttribute('src') }) }),
  }],
  toDOM: (node) => {
    const attrs: Record<string, string> = { 'data-resource': String(node.attrs.resource ?? ''), alt: sourceAttribute(node.attrs, 'ac:alt') }
    if (node.attrs.xml !== null) attrs['data-xml'] = String(node.attrs.xml)
    return ['img', attrs]
  },
}

/** Where the bytes of an image are; empty when it cannot be known here. */
export function imageSource(node: Node, pageId: string): string {
  const target = resource(node.attrs)
  if (target?.type === 'attachment' && target.container === undefined) {
    return `/download/attachments/${encodeURIComponent(pageId)}/${encodeURIComponent(String(target.filename ?? ''))}`
  }
  const url = String(target?.value ?? '')
  return target?.type === 'url' && (url.startsWith('/') || url.startsWith(location.origin)) ? url : ''
}

/** An image; one that cannot be shown is a box with its name. */
export const imageView = (pageId: string): NodeViewConstructor => (initial): NodeView => {
  let node = initial
  const dom = document.createElement('span')
  const show = () => {
    const target = resource(node.attrs)
    const name = String(target?.filename ?? target?.value ?? 'image')
    const source = imageSource(node, pageId)
    const missing = () => {
      dom.className = 'image-box missing'
      dom.replaceChildren(`Image: ${name}`)
    }
    dom.className = 'image-box'
    if (source === '') return missing()
    const img = document.createElement('img')
    img.alt = sourceAttribute(node.attrs, 'ac:alt') || name
    for (const side of ['width', 'height'] as const) {
      const value = Number.parseInt(sourceAttribute(node.attrs, `ac:${side}`), 10)
      if (value > 0) img[side] = value
    }
    img.onerror = missing
    img.src = source
    dom.replaceChildren(img)
  }
  show()
  return {
    dom,
    update(next) {
      if (next.type !== node.type) return false
      const same = next.attrs.resource === node.attrs.resource && next.attrs.xml === node.attrs.xml
      node = next
      if (!same) show()
      return true
    },
    ignoreMutation: () => true,
  }
}
