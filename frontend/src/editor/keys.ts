// Keys of three schools: Outline and Notion, Docmost, and Confluence, where they do not clash.
import { baseKeymap, chainCommands, deleteSelection, exitCode, joinBackward, selectNodeBackward } from 'prosemirror-commands'
import { undoInputRule } from 'prosemirror-inputrules'
import { keymap } from 'prosemirror-keymap'
import { type Command, type Plugin, TextSelection } from 'prosemirror-state'
import { goToNextCell } from 'prosemirror-tables'
import { redoCommand, undoCommand } from 'y-prosemirror'
import * as c from './commands'
import { isMac } from './ui/dom'

/** What the keys do beyond the text. */
export interface KeyActions {
  link: Command
  publish: () => void
}

/** Backspace at the start of a heading or code block makes it a paragraph; at the start of an item it leaves the list. */
const backspaceAtStart: Command = (state, dispatch, view) => {
  const { $cursor } = state.selection as TextSelection
  if (!$cursor || $cursor.parentOffset > 0) return false
  if (view && !view.endOfTextblock('backward', state)) return false
  if (['heading', 'code_block', 'preformatted'].includes($cursor.parent.type.name)) return c.paragraph(state, dispatch)
  const item = c.ancestor($cursor, 'list_item', 'task_item')
  return item !== null && item.depth === $cursor.depth - 1 && $cursor.index(item.depth) === 0 ? c.outdent(state, dispatch) : false
}

const tabInCode: Command = (state, dispatch) => {
  if (!state.selection.$from.parent.type.spec.code) return false
  dispatch?.(state.tr.insertText('  '))
  return true
}

/** In the last cell Tab adds a row. */
const nextCell: Command = (state, dispatch, view) => {
  if (goToNextCell(1)(state, dispatch)) return true
  const table = c.ancestor(state.selection.$from, 'table')
  if (!table) return false
  if (dispatch && view) {
    const last = table.node.lastChild!
    const cells: import('prosemirror-model').Node[] = []
    last.forEach((cell) => cells.push(c.node('table_cell').create({ colspan: cell.attrs.colspan as number }, c.node('paragraph').create({ bare: 1 }))))
    const end = table.pos + table.node.nodeSize - 1
    const tr = state.tr.insert(end, c.node('table_row').create({ section: last.attrs.section as number | null }, cells))
    dispatch(tr.setSelection(TextSelection.create(tr.doc, end + 3)).scrollIntoView())
  }
  return true
}

function headingKeys(): Record<string, Command> {
  const keys: Record<string, Command> = { 'Mod-Alt-0': c.paragraph, 'Ctrl-Shift-0': c.paragraph, 'Mod-0': c.paragraph }
  for (let level = 1; level <= 6; level += 1) {
    keys[`Mod-${level}`] = keys[`Mod-Alt-${level}`] = c.heading(level)
    if (level <= 3) keys[`Ctrl-Shift-${level}`] = c.heading(level)
  }
  return keys
}

const never = (action: () => void): Command => () => {
  action()
  return true
}

export function editorKeys(actions: KeyActions): Plugin[] {
  const mac: Record<string, Command> = isMac ? {} : { 'Mod-y': redoCommand }
  return [
    keymap({
      ...headingKeys(),
      ...mac,
      'Mod-z': chainCommands(undoInputRule, undoCommand),
      'Shift-Mod-z': redoCommand,
      'Mod-b': c.toggle('strong'),
      'Mod-i': c.toggle('em'),
      'Mod-u': c.toggle('underline'),
      'Mod-Shift-x': c.toggle('strike'),
      'Mod-Shift-s': c.toggle('strike'),
      'Mod-e': c.toggle('code'),
      'Mod-Shift-m': c.toggle('code'),
      'Mod-k': actions.link,
      'Mod-Shift-7': c.list('ordered_list'),
      'Mod-Shift-8': c.list('bullet_list'),
      'Mod-Shift-9': c.list('task_list'),
      'Mod-Shift-b': c.quote,
      'Mod-Alt-c': c.codeBlock,
      'Mod-Alt-ArrowUp': c.moveBlock(-1),
      'Mod-Alt-ArrowDown': c.moveBlock(1),
      'Alt-ArrowUp': c.moveBlock(-1),
      'Alt-ArrowDown': c.moveBlock(1),
      'Mod-s': never(actions.publish),
      'Mod-Shift-p': never(actions.publish),
      'Mod-Enter': chainCommands(exitCode, c.toggleTask, never(actions.publish)),
      'Shift-Enter': c.hardBreak,
      Enter: c.enter,
      Backspace: chainCommands(undoInputRule, deleteSelection, backspaceAtStart, joinBackward, selectNodeBackward),
      Tab: chainCommands(tabInCode, nextCell, c.indent, (state) => c.ancestor(state.selection.$from, 'list_item', 'task_item') !== null),
      'Shift-Tab': chainCommands(goToNextCell(-1), c.outdent),
    }),
    keymap(baseKeymap),
  ]
}
