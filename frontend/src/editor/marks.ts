// How marks look, and what pasted HTML becomes them.
import type { MarkSpec } from 'prosemirror-model'
import { resource, sourceAttribute } from './params'

type MarkLook = Pick<MarkSpec, 'parseDOM' | 'toDOM' | 'inclusive'>

/** Only addresses that a reader may safely follow; anything else is not made a link. */
export function isSafeHref(href: string): boolean {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(href)
  return !scheme || ['http', 'https', 'mailto', 'tel', 'ftp', 'sftp', 'file', 'sip', 'callto', 'xmpp'].includes(scheme[1]!.toLowerCase())
}

function style(declaration: string): string {
  return sourceStyleAllowed.test(declaration) ? declaration : ''
}
/** Colours, sizes and weights; nothing that positions, fetches or covers. */
const sourceStyleAllowed = /^(\s*(color|background-color|font-weight|font-style|font-size|font-family|text-decoration|text-align|letter-spacing|text-transform)\s*:\s*[-\w\s.,%#'"()]+;?\s*)*$/i

/** Colours become those of the reading page, which keeps them legible on a light and on a dark page. */
function painted(declarations: string): Record<string, string> {
  const classes: string[] = []
  const kept = declarations.split(';').map((one) => {
    const [, name = '', value = ''] = /^\s*(color|background-color)\s*:\s*(.+)$/i.exec(one) ?? []
    if (name === '') return one.trim()
    const role = name.toLowerCase() === 'color' ? 'fg' : 'bg'
    classes.push(role)
    return `--${role}: ${value.trim()}`
  })
  const attrs: Record<string, string> = { style: kept.filter((one) => one !== '').join('; ') }
  if (classes.length > 0) attrs.class = classes.join(' ')
  return attrs
}

export const markLooks: Record<string, MarkLook> = {
  comment_marker: { inclusive: false, toDOM: () => ['span', { class: 'inline-comment-marker' }, 0] },
  link: {
    inclusive: false,
    parseDOM: [{
      tag: 'a[href]',
      getAttrs: (dom) => {
        const href = dom.getAttribute('href') ?? ''
        return isSafeHref(href) && !href.startsWith('#') ? { href } : false
      },
    }],
    toDOM: (mark) => ['a', { href: isSafeHref(String(mark.attrs.href)) ? mark.attrs.href : '#', rel: 'noopener' }, 0],
  },
  resource_link: {
    inclusive: false,
    parseDOM: [{ tag: 'a[data-resource]', priority: 60, getAttrs: (dom) => ({ resource: dom.getAttribute('data-resource'), anchor: dom.getAttribute('data-anchor') }) }],
    toDOM: (mark) => {
      const target = resource(mark.attrs)
      const title = String(target?.['content-title'] ?? target?.filename ?? mark.attrs.anchor ?? '')
      const attrs: Record<string, string> = { class: 'resource-link', title }
      if (mark.attrs.resource !== null) attrs['data-resource'] = String(mark.attrs.resource)
      if (mark.attrs.anchor !== null) attrs['data-anchor'] = String(mark.attrs.anchor)
      return ['a', attrs, 0]
    },
  },
  strong: {
    parseDOM: [
      { tag: 'strong' },
      { tag: 'b', getAttrs: (dom) => dom.style.fontWeight !== 'normal' && null },
      { style: 'font-weight', getAttrs: (value) => /^(bold(er)?|[6-9]\d{2})$/.test(value) && null },
    ],
    toDOM: () => ['strong', 0],
  },
  em: { parseDOM: [{ tag: 'em' }, { tag: 'i' }, { style: 'font-style=italic' }], toDOM: () => ['em', 0] },
  underline: { parseDOM: [{ tag: 'u' }, { style: 'text-decoration=underline', consuming: false }], toDOM: () => ['u', 0] },
  strike: {
    parseDOM: [{ tag: 's' }, { tag: 'del' }, { tag: 'strike' }, { style: 'text-decoration=line-through', consuming: false }],
    toDOM: () => ['s', 0],
  },
  superscript: { parseDOM: [{ tag: 'sup' }], toDOM: () => ['sup', 0] },
  subscript: { parseDOM: [{ tag: 'sub' }], toDOM: () => ['sub', 0] },
  styled: {
    toDOM: (mark) => {
      const declaration = style(sourceAttribute(mark.attrs, 'style'))
      return ['span', declaration ? painted(declaration) : {}, 0]
    },
  },
  code: { parseDOM: [{ tag: 'code' }, { tag: 'tt' }, { tag: 'kbd' }, { tag: 'samp' }], toDOM: () => ['code', { spellcheck: 'false' }, 0] },
}
