// One entry for each node of the shared schema; the same nouns as on the server.
import type { NodeLook } from '../schema'
import * as atoms from './atoms'
import { codeBlock } from './code'
import * as kept from './kept'
import * as lists from './lists'
import * as panels from './panels'
import * as tables from './tables'
import * as text from './text'

export const nodeLooks: Record<string, NodeLook> = {
  paragraph: text.paragraph,
  heading: text.headings,
  bullet_list: lists.bulletList,
  ordered_list: lists.orderedList,
  list_item: lists.listItem,
  task_list: lists.taskList,
  task_item: lists.taskItem,
  table: tables.table,
  table_row: tables.tableRow,
  table_cell: tables.tableCell,
  table_header: tables.tableHeader,
  code_block: codeBlock,
  preformatted: text.preformatted,
  blockquote: text.blockquote,
  panel: panels.panel,
  expand: panels.expand,
  layout: panels.layout,
  layout_section: panels.layoutSection,
  layout_cell: panels.layoutCell,
  division: text.division,
  horizontal_rule: text.horizontalRule,
  toc: kept.toc,
  preserved_block: kept.preservedBlock,
  hard_break: text.hardBreak,
  image: atoms.image,
  emoticon: atoms.emoticon,
  mention: atoms.mention,
  date: atoms.date,
  status: atoms.status,
  content_link: atoms.contentLink,
  preserved_inline: kept.preservedInline,
  unsupported: kept.unsupported,
}
