// Keeps what this person edits well-formed: a container that was emptied gets an empty paragraph to write in, and a task
// that was copied gets no identifier of the first. Changes of others are never touched, or two editors would argue.
import type { Node } from 'prosemirror-model'
import { NodeSelection, Plugin, Selection, type Transaction } from 'prosemirror-state'
import { ySyncPluginKey } from 'y-prosemirror'
import { schema } from '../schema'
import { changedRange } from './newlines'

const PARAGRAPH: Record<string, { bare: number | null }> = {
  doc: { bare: null }, list_item: { bare: 1 }, task_item: { bare: 1 }, table_cell: { bare: 1 }, table_header: { bare: 1 },
  layout_cell: { bare: null }, panel: { bare: null }, expand: { bare: null }, blockquote: { bare: null }, division: { bare: 1 },
}

function isRemote(tr: Transaction): boolean {
  return (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin === true
}

/** Places in the range where a paragraph is missing, last first. */
function emptied(doc: Node, from: number, to: number): { pos: number; bare: number | null }[] {
  const found: { pos: number; bare: number | null }[] = []
  if (doc.childCount === 0) return [{ pos: 0, bare: null }]
  doc.nodesBetween(from, to, (node, pos) => {
    const wanted = PARAGRAPH[node.type.name]
    if (wanted && node.childCount === 0) found.push({ pos: pos + 1, bare: wanted.bare })
    return !node.inlineContent
  })
  return found.reverse()
}

/** New rows belong to the part of the table (head, body) of the row before them. */
function strayRows(doc: Node, from: number, to: number): { pos: number; section: number }[] {
  const found: { pos: number; section: number }[] = []
  doc.nodesBetween(from, to, (node, pos) => {
    if (node.type.name !== 'table') return !node.inlineContent
    let section = 0
    node.forEach((row, offset) => {
      const own = row.attrs.section as number | null
      if (own !== null) section = own
      else if (section > 0) found.push({ pos: pos + 1 + offset, section })
    })
    return true
  })
  return found
}

export function containers(): Plugin {
  return new Plugin({
    appendTransaction: (transactions, _before, state) => {
      if (!transactions.some((tr) => tr.docChanged) || transactions.some(isRemote)) return null
      const tr = state.tr
      for (const done of transactions) {
        const range = done.docChanged && transactions.length === 1 ? changedRange(done) : null
        const from = range ? Math.max(0, range.from - 1) : 0
        const to = range ? Math.min(state.doc.content.size, range.to + 1) : state.doc.content.size
        if (tr.docChanged) break
        for (const { pos, section } of strayRows(state.doc, from, to)) tr.setNodeAttribute(pos, 'section', section)
        for (const { pos, bare } of emptied(state.doc, from, to)) tr.insert(pos, schema.nodes.paragraph!.create({ bare }))
      }
      if (!tr.docChanged) return null
      // A cursor that lost its text block goes on in the new one.
      if (!state.selection.$from.parent.inlineContent && !(state.selection instanceof NodeSelection)) {
        tr.setSelection(Selection.near(tr.doc.resolve(tr.mapping.map(state.selection.from, -1))))
      }
      return tr
    },
  })
}

/** Pasted tasks are new tasks, and the only paragraph of a pasted item or cell is its own text. */
export function asPasted(node: Node): Node {
  if (node.isText || node.isAtom) return node
  const children: Node[] = []
  node.forEach((child) => children.push(asPasted(child)))
  const first = children[0]
  const isItem = PARAGRAPH[node.type.name]?.bare === 1
  const isOnly = first?.type.name === 'paragraph' && children.slice(1).every((child) => child.type.name.endsWith('_list'))
  if (isItem && isOnly) children[0] = first.type.create({ ...first.attrs, bare: 1 }, first.content)
  const attrs = node.type.name === 'task_item' ? { ...node.attrs, id: null, uuid: null } : node.attrs
  return node.type.create(attrs, children, node.marks)
}
