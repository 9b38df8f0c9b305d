// Line breaks in the source of a paragraph are mere white space; the text area keeps white space, so they get a look of
// one space here. Only what changed is looked at again.
import type { Node } from 'prosemirror-model'
import { Plugin, type Transaction } from 'prosemirror-state'
import { Decoration, DecorationSet } from 'prosemirror-view'

const RUNS = /[ \t]*[\n\r][\s]*/g

function runs(doc: Node, from: number, to: number): Decoration[] {
  const found: Decoration[] = []
  doc.nodesBetween(from, to, (node, pos, parent) => {
    if (node.type.spec.code) return false
    if (!node.isText || parent?.type.name === 'preformatted' || !/[\n\r]/.test(node.text!)) return true
    for (const match of node.text!.matchAll(RUNS)) {
      const start = pos + match.index
      const end = start + match[0].length
      const isEdge = (match.index === 0 && parent?.firstChild === node) || (end === pos + node.nodeSize && parent?.lastChild === node)
      found.push(Decoration.inline(start, end, { class: isEdge ? 'source-space edge' : 'source-space' }))
    }
    return true
  })
  return found
}

/** The range of the new document that a transaction touched, widened to whole text blocks. */
export function changedRange(tr: Transaction): { from: number; to: number } | null {
  let from = Infinity
  let to = -Infinity
  tr.mapping.maps.forEach((map, i) => {
    map.forEach((_a, _b, start, end) => {
      const rest = tr.mapping.slice(i + 1)
      from = Math.min(from, rest.map(start, -1))
      to = Math.max(to, rest.map(end, 1))
    })
  })
  if (from > to) return null
  const { doc } = tr
  const $from = doc.resolve(Math.min(from, doc.content.size))
  const $to = doc.resolve(Math.min(to, doc.content.size))
  return { from: $from.depth > 0 ? $from.before() : from, to: $to.depth > 0 ? $to.after() : Math.min(to, doc.content.size) }
}

export function sourceNewlines(): Plugin {
  return new Plugin<DecorationSet>({
    state: {
      init: (_config, state) => DecorationSet.create(state.doc, runs(state.doc, 0, state.doc.content.size)),
      apply: (tr, set) => {
        if (!tr.docChanged) return set
        const range = changedRange(tr)
        const mapped = set.map(tr.mapping, tr.doc)
        if (!range) return mapped
        const old = mapped.find(range.from, range.to)
        const now = runs(tr.doc, range.from, range.to)
        return old.length + now.length === 0 ? mapped : mapped.remove(old).add(tr.doc, now)
      },
    },
    props: {
      decorations(state) {
        return this.getState(state)
      },
    },
  })
}
