// Paragraphs, headings, quotes, preformatted text, divisions, rules and line breaks.
import type { NodeLook } from '../schema'

const heading = (level: number) => ({ tag: `h${level}`, attrs: { level } })

export const paragraph: NodeLook = {
  parseDOM: [{ tag: 'p' }],
  toDOM: (node) => (node.attrs.bare ? ['p', { class: 'bare' }, 0] : ['p', 0]),
}

export const headings: NodeLook = {
  defining: true,
  parseDOM: [1, 2, 3, 4, 5, 6].map(heading),
  toDOM: (node) => [`h${Math.min(6, Math.max(1, Number(node.attrs.level) || 1))}`, 0],
}

export const blockquote: NodeLook = { defining: true, parseDOM: [{ tag: 'blockquote' }], toDOM: () => ['blockquote', 0] }

export const preformatted: NodeLook = { defining: true, toDOM: () => ['pre', { class: 'preformatted' }, 0] }

export const division: NodeLook = { toDOM: () => ['div', { class: 'division' }, 0] }

export const horizontalRule: NodeLook = { parseDOM: [{ tag: 'hr' }], toDOM: () => ['hr'] }

export const hardBreak: NodeLook = {
  selectable: false,
  linebreakReplacement: true,
  parseDOM: [{ tag: 'br' }],
  toDOM: () => ['br'],
  leafText: () => '\n',
}
