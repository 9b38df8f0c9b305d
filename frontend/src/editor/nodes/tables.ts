// Tables. `tableRole` is what prosemirror-tables looks for.
import type { Attrs, DOMOutputSpec, Node } from 'prosemirror-model'
import { sourceAttribute } from '../params'
import type { NodeLook } from '../schema'

function span(dom: HTMLElement, name: string): number {
  return Math.min(1000, Math.max(1, Number(dom.getAttribute(name)) || 1))
}

function cellAttrs(dom: HTMLElement): Attrs {
  return { colspan: span(dom, 'colspan'), rowspan: span(dom, 'rowspan') }
}

/** Confluence writes a cell's colour as a class or `data-highlight-colour`. */
function highlight(node: Node): string {
  const colour = sourceAttribute(node.attrs, 'data-highlight-colour')
  return /^#?[a-z0-9]{1,20}$/i.test(colour) ? colour : ''
}

function cell(tag: string): (node: Node) => DOMOutputSpec {
  return (node) => {
    const attrs: Record<string, string> = {}
    if (node.attrs.colspan !== 1) attrs.colspan = String(node.attrs.colspan)
    if (node.attrs.rowspan !== 1) attrs.rowspan = String(node.attrs.rowspan)
    const colour = highlight(node)
    if (colour) attrs['data-highlight'] = colour.replace('#', '')
    if (/^[a-z]+$/i.test(colour)) attrs.class = `highlight-${colour.toLowerCase()}`
    return [tag, attrs, 0]
  }
}

export const table: NodeLook = {
  tableRole: 'table',
  isolating: true,
  parseDOM: [{ tag: 'table' }],
  // The box scrolls by itself; the page never gets wider than the window.
  toDOM: () => ['div', { class: 'table-scroll' }, ['table', ['tbody', 0]]],
}
export const tableRow: NodeLook = { tableRole: 'row', parseDOM: [{ tag: 'tr' }], toDOM: () => ['tr', 0] }
export const tableCell: NodeLook = { tableRole: 'cell', isolating: true, parseDOM: [{ tag: 'td', getAttrs: cellAttrs }], toDOM: cell('td') }
export const tableHeader: NodeLook = { tableRole: 'header_cell', isolating: true, parseDOM: [{ tag: 'th', getAttrs: cellAttrs }], toDOM: cell('th') }
