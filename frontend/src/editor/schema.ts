// The editor's ProseMirror schema. Types, attributes and content come from fixtures/document/schema.json, the one list
// that the server checks itself against; how each looks in the page comes from the files in nodes/ and marks.ts.
import { Schema, type MarkSpec, type NodeSpec } from 'prosemirror-model'
import shared from '../../../fixtures/document/schema.json'
import { markLooks } from './marks'
import { nodeLooks } from './nodes'

/** What a file in nodes/ adds to the shared definition. */
export type NodeLook = Pick<
  NodeSpec,
  'parseDOM' | 'toDOM' | 'defining' | 'isolating' | 'draggable' | 'selectable' | 'code' | 'leafText' | 'linebreakReplacement'
> & { tableRole?: string }

type Defaults = Record<string, string | number | null>
interface SharedNode {
  content?: string
  group?: string
  inline?: boolean
  marks?: string
  attrs?: Defaults
}
interface SharedMark {
  attrs?: Defaults
  excludes?: string
}

/** Containers whose children are not simply blocks, and that may show a placeholder among them. */
const OPEN_TO_PLACEHOLDERS = new Set(['bullet_list', 'ordered_list', 'task_list', 'layout', 'layout_section'])

function attributes(own: Defaults | undefined, every: Defaults): Record<string, { default: unknown }> {
  const all: Defaults = { ...own, ...every }
  const specs: Record<string, { default: unknown }> = {}
  for (const [name, value] of Object.entries(all)) specs[name] = { default: value }
  // What the shared document holds beyond these; it is carried along and never shown.
  specs.beyond = { default: null }
  return specs
}

function nodeSpec(name: string, node: SharedNode): NodeSpec {
  const atom = node.inline ? { inline: true, atom: true } : {}
  const every = node.inline ? { ...shared.every_inline_atom, ...shared.every_node } : shared.every_node
  const content = OPEN_TO_PLACEHOLDERS.has(name) && node.content
    ? `(${node.content.replace('*', '')} | unsupported)*`
    : node.content
  const leaf = content === undefined && !node.inline ? { atom: true } : {}
  return {
    ...nodeLooks[name],
    ...atom,
    ...leaf,
    ...(content === undefined ? {} : { content }),
    ...(node.group === undefined ? {} : { group: node.group }),
    ...(node.marks === undefined ? {} : { marks: node.marks }),
    attrs: attributes(node.attrs, every),
  }
}

function markSpec(name: string, mark: SharedMark): MarkSpec {
  return {
    ...markLooks[name],
    ...(mark.excludes === undefined ? {} : { excludes: mark.excludes }),
    attrs: attributes(mark.attrs, shared.every_mark),
  }
}

/** Editor-only types: what stands for content that this version of the editor does not know. */
const placeholders = (inline: boolean): NodeSpec => ({
  ...nodeLooks.unsupported,
  inline,
  atom: true,
  group: inline ? 'inline' : 'block',
  attrs: { id: { default: '' }, shape: { default: null } },
})

function buildSchema(): Schema {
  const nodes: Record<string, NodeSpec> = {}
  for (const [name, node] of Object.entries(shared.nodes as Record<string, SharedNode>)) {
    nodes[name] = name === 'text' ? { group: 'inline' } : name === 'doc' ? { content: 'block*' } : nodeSpec(name, node)
  }
  nodes.unsupported = placeholders(false)
  nodes.unsupported_inline = placeholders(true)
  const marks: Record<string, MarkSpec> = {}
  for (const [name, mark] of Object.entries(shared.marks as Record<string, SharedMark>)) marks[name] = markSpec(name, mark)
  marks.unsupported_mark = { attrs: { key: {}, value: {} }, excludes: '', toDOM: () => ['span', 0] }
  return new Schema({ topNode: 'doc', nodes, marks })
}

export const schema = buildSchema()
