// What keys, menus and toolbars do to the text.
import { chainCommands, createParagraphNear, lift, liftEmptyBlock, newlineInCode, setBlockType, splitBlockAs, toggleMark, wrapIn } from 'prosemirror-commands'
import { Fragment, type MarkType, type Node, type NodeType, type ResolvedPos, Slice } from 'prosemirror-model'
import { liftListItem, sinkListItem, splitListItem, wrapInList } from 'prosemirror-schema-list'
import { type Command, type EditorState, NodeSelection, Selection, TextSelection, type Transaction } from 'prosemirror-state'
import { xmlOfSplit } from './params'
import { schema } from './schema'

const { nodes, marks } = schema

export function node(name: string): NodeType {
  return nodes[name]!
}
export function mark(name: string): MarkType {
  return marks[name]!
}

/** The innermost ancestor of one of these types, with its position. */
export function ancestor($pos: ResolvedPos, ...names: string[]): { node: Node; pos: number; depth: number } | null {
  for (let depth = $pos.depth; depth > 0; depth -= 1) {
    const found = $pos.node(depth)
    if (names.includes(found.type.name)) return { node: found, pos: $pos.before(depth), depth }
  }
  return null
}

/** A node of this type is selected, or the selection is inside of one. */
export function selectedOrAround(state: EditorState, ...names: string[]): { node: Node; pos: number } | null {
  const { selection } = state
  if (selection instanceof NodeSelection && names.includes(selection.node.type.name)) return { node: selection.node, pos: selection.from }
  return ancestor(selection.$from, ...names)
}

// --- text blocks

export const toggle = (name: string): Command => toggleMark(mark(name))

export const paragraph: Command = setBlockType(node('paragraph'))

/** Turns into a heading, or back when it is one of this level. */
export const heading = (level: number): Command => (state, dispatch) => {
  const here = state.selection.$from.parent
  const is = here.type.name === 'heading' && here.attrs.level === level
  return (is ? paragraph : setBlockType(node('heading'), { level }))(state, dispatch)
}

/** Where Enter makes a second block, it gets the look of the first but not what names or places it. */
const split: Command = splitBlockAs((first, atEnd) => {
  if (atEnd && first.type.name !== 'paragraph') return { type: node('paragraph'), attrs: {} }
  return { type: first.type, attrs: { ...first.attrs, xml: xmlOfSplit(first.attrs.xml), beyond: null } }
})

/** An empty block of a panel, quote, expand or column ends it: the cursor goes behind. */
const leaveEmptyEnd: Command = (state, dispatch) => {
  const { $from, empty } = state.selection as TextSelection
  if (!empty || $from.parent.content.size > 0 || $from.depth < 2) return false
  const container = $from.node(-1)
  if (!['panel', 'blockquote', 'expand', 'division'].includes(container.type.name) || $from.indexAfter(-1) < container.childCount || container.childCount < 2) return false
  if (dispatch) {
    const tr = state.tr.delete($from.before(), $from.after())
    const behind = tr.mapping.map($from.after(-1))
    tr.insert(behind, node('paragraph').create())
    dispatch(tr.setSelection(TextSelection.create(tr.doc, behind + 1)).scrollIntoView())
  }
  return true
}

/** Enter in a list: a new item, with the plain paragraph that items have; in an empty item, out of the list. */
const splitItem = (name: string): Command => (state, dispatch) => {
  const { $from } = state.selection
  const here = $from.parent
  const bare = here.type.name === 'paragraph' ? here.attrs.bare : null
  const attrs = name === 'task_item' ? { status: 'incomplete' } : {}
  const isEmptyItem = here.content.size === 0 && $from.depth > 1 && $from.node(-1).type.name === name && $from.node(-1).childCount === 1
  if (isEmptyItem) return liftItem(name)(state, dispatch)
  return splitListItem(node(name), attrs)(state, dispatch && ((tr) => {
    const $at = tr.selection.$from
    const item = $at.depth > 0 ? ancestor($at, name) : null
    if (item && $at.parent.type.name === 'paragraph') tr.setNodeMarkup($at.before(), null, { ...$at.parent.attrs, bare, xml: null, beyond: null })
    dispatch(tr)
  }))
}

export const enter: Command = chainCommands(
  newlineInCode, splitItem('task_item'), splitItem('list_item'), leaveEmptyEnd, createParagraphNear, liftEmptyBlock, split,
)

export const hardBreak: Command = (state, dispatch) => {
  if (state.selection.$from.parent.type.spec.code) return newlineInCode(state, dispatch)
  if (!state.selection.$from.parent.inlineContent) return false
  dispatch?.(state.tr.replaceSelectionWith(node('hard_break').create()).scrollIntoView())
  return true
}

// --- lists

const ITEM: Record<string, string> = { bullet_list: 'list_item', ordered_list: 'list_item', task_list: 'task_item' }

/** Lifts items out of their list; text that leaves the last list becomes ordinary paragraphs. */
const liftItem = (name: string): Command => (state, dispatch) => liftListItem(node(name))(state, dispatch && ((tr) => {
  const { from, to } = tr.selection
  tr.doc.nodesBetween(from, to, (found, pos, parent) => {
    const isLoose = found.type.name === 'paragraph' && found.attrs.bare === 1 && !BARE_PARENTS.includes(parent?.type.name ?? '')
    if (isLoose) tr.setNodeAttribute(pos, 'bare', null)
    return !found.inlineContent
  })
  dispatch(tr)
}))
const BARE_PARENTS = ['list_item', 'task_item', 'table_cell', 'table_header']

export const indent: Command = chainCommands(sinkListItem(node('list_item')), sinkListItem(node('task_item')))
export const outdent: Command = chainCommands(liftItem('list_item'), liftItem('task_item'))

/** Changes a whole list into another kind. */
function convertList(state: EditorState, list: { node: Node; pos: number }, name: string): Transaction {
  const itemType = node(ITEM[name]!)
  const items: Node[] = []
  list.node.forEach((item) => items.push(item.type.name.endsWith('_item') ? itemType.create(null, item.content) : item))
  const tr = state.tr.replaceWith(list.pos, list.pos + list.node.nodeSize, node(name).create(null, items))
  return tr.setSelection(TextSelection.near(tr.doc.resolve(state.selection.from)))
}

/** Makes a list of the selected blocks, changes the kind of the list around, or takes it away when it is this kind. */
export const list = (name: string): Command => (state, dispatch) => {
  const around = ancestor(state.selection.$from, 'bullet_list', 'ordered_list', 'task_list')
  if (around?.node.type.name === name) return liftItem(ITEM[name]!)(state, dispatch)
  if (around && around.depth + 2 >= state.selection.$from.depth) {
    dispatch?.(convertList(state, around, name))
    return true
  }
  return wrapInList(node(name))(state, dispatch && ((tr) => dispatch(bareItems(tr))))
}

/** Paragraphs that became items are written as the item's own text. */
function bareItems(tr: Transaction): Transaction {
  const around = ancestor(tr.selection.$from, 'bullet_list', 'ordered_list', 'task_list')
  around?.node.forEach((item, offset) => {
    const first = item.firstChild
    if (first?.type.name === 'paragraph') tr.setNodeAttribute(around.pos + offset + 2, 'bare', 1)
  })
  return tr
}

export const toggleTask: Command = (state, dispatch) => {
  const task = ancestor(state.selection.$from, 'task_item')
  if (!task) return false
  dispatch?.(state.tr.setNodeAttribute(task.pos, 'status', task.node.attrs.status === 'complete' ? 'incomplete' : 'complete'))
  return true
}

export const quote: Command = (state, dispatch) => (ancestor(state.selection.$from, 'blockquote') ? lift(state, dispatch) : wrapIn(node('blockquote'))(state, dispatch))

export const codeBlock: Command = (state, dispatch) => {
  const is = state.selection.$from.parent.type.name === 'code_block'
  return (is ? paragraph : setBlockType(node('code_block')))(state, dispatch)
}

// --- inserting

const empty = () => node('paragraph').create()
const bare = () => node('paragraph').create({ bare: 1 })

/** Puts a block at the cursor: in place of an empty paragraph, else behind the block. The cursor goes into it or behind it. */
export const insertBlock = (make: () => Node): Command => (state, dispatch) => {
  const { $from } = state.selection
  const block = make()
  let depth = $from.depth
  while (depth > 0 && !$from.node(depth - 1).canReplaceWith($from.index(depth - 1), $from.indexAfter(depth - 1), block.type)) depth -= 1
  if (depth === 0 && !(state.selection instanceof NodeSelection)) return false
  if (!dispatch) return true
  const here = $from.node(depth)
  const replaces = depth > 0 && here.type.name === 'paragraph' && here.content.size === 0
  const from = depth === 0 ? state.selection.to : replaces ? $from.before(depth) : $from.after(depth)
  const tr = state.tr.replaceWith(from, replaces ? $from.after(depth) : from, block)
  const inside = Selection.findFrom(tr.doc.resolve(from + 1), 1, true)
  const end = from + block.nodeSize
  if (block.isAtom || !inside || inside.from > end) {
    if (!tr.doc.resolve(end).nodeAfter?.isTextblock) tr.insert(end, empty())
    tr.setSelection(TextSelection.near(tr.doc.resolve(end + 1)))
  } else tr.setSelection(inside)
  dispatch(tr.scrollIntoView())
  return true
}

/** Puts something into the line, followed by a space. */
export const insertInline = (make: () => Node): Command => (state, dispatch) => {
  const piece = make()
  if (!state.selection.$from.parent.type.contentMatch.matchType(piece.type)) return false
  dispatch?.(state.tr.replaceSelection(new Slice(Fragment.from(piece), 0, 0)).scrollIntoView())
  return true
}

export const panelOf = (name: string): Node => node('panel').create({ name }, empty())
export const expandNode = (): Node => node('expand').create(null, empty())
export const taskListNode = (): Node => node('task_list').create(null, node('task_item').create(null, bare()))

export function tableOf(rows: number, columns: number): Node {
  const row = (cell: string) => node('table_row').create(null, Array.from({ length: columns }, () => node(cell).create(null, bare())))
  return node('table').create(null, Array.from({ length: rows }, (_, i) => row(i === 0 ? 'table_header' : 'table_cell')))
}

export function layoutOf(kind: string, columns: number): Node {
  const cells = Array.from({ length: columns }, () => node('layout_cell').create(null, empty()))
  return node('layout').create(null, node('layout_section').create({ kind }, cells))
}

// --- moving

/** Moves the block of the selection one place up or down among its neighbours. */
export const moveBlock = (by: -1 | 1): Command => (state, dispatch) => {
  const { $from, $to } = state.selection
  let depth = $from.depth
  while (depth > 0 && (!['list_item', 'task_item'].includes($from.node(depth).type.name) && depth > 1)) depth -= 1
  if (depth === 0) depth = state.selection instanceof NodeSelection ? 0 : 1
  const parent = $from.node(Math.max(0, depth - 1))
  const index = $from.index(Math.max(0, depth - 1))
  const other = parent.maybeChild(index + by)
  if (!other || $from.sharedDepth($to.pos) < depth - 1) return false
  if (!dispatch) return true
  const block = parent.child(index)
  const start = depth === 0 ? $from.pos : $from.before(depth)
  const from = by < 0 ? start - other.nodeSize : start
  const pair = by < 0 ? [block, other] : [other, block]
  const tr = state.tr.replaceWith(from, from + block.nodeSize + other.nodeSize, pair)
  const shift = by < 0 ? -other.nodeSize : other.nodeSize
  const { anchor, head } = state.selection
  const selection = state.selection instanceof NodeSelection ? NodeSelection.create(tr.doc, anchor + shift) : TextSelection.create(tr.doc, anchor + shift, head + shift)
  dispatch(tr.setSelection(selection).scrollIntoView())
  return true
}
