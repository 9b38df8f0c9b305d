// Contributors in a passage: who wrote the selected words, by the client ids that the live document has anyway. [WHO-6]
import { type EditorState, Plugin, PluginKey, type Transaction } from 'prosemirror-state'
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view'
import { ySyncPluginKey } from 'y-prosemirror'
import * as Y from 'yjs'
import { api, Failed } from '../api'
import { type Authors, writers } from '../authors'
import { make, toast } from '../ui/dom'
import { Popover } from '../ui/popup'

/** A piece of the body, in positions of the editor, and who wrote it: an index into the people, -1 for nobody known. */
export interface Passage {
  from: number
  to: number
  by: number
}

const COLOURS = 12

/** The passages of one text, whose first unit stands at `at`. */
function ofText(text: Y.XmlText, at: number, authors: Authors): Passage[] {
  const passages: Passage[] = []
  // Yjs has no public way to the ids of text; `_start` and `right` have been the same through all of version 13.
  for (let item = text._start; item !== null; item = item.right) {
    if (item.deleted || !(item.content instanceof Y.ContentString)) continue
    for (const { units, by } of writers(authors, item.id.client, item.id.clock, item.length)) {
      const last = passages.at(-1)
      if (last && last.by === by && last.to === at) last.to += units
      else passages.push({ from: at, to: at + units, by })
      at += units
    }
  }
  return passages
}

/** The shared types of a block of text, in order. */
function shared(state: EditorState): Map<unknown, Y.XmlElement> {
  const binding = ySyncPluginKey.getState(state)?.binding as { mapping: Map<unknown, unknown> } | undefined
  const found = new Map<unknown, Y.XmlElement>()
  for (const [type, node] of binding?.mapping ?? []) if (type instanceof Y.XmlElement) found.set(node, type)
  return found
}

/** Who wrote what between two positions. */
export function passagesIn(state: EditorState, authors: Authors, from: number, to: number): Passage[] {
  const types = shared(state)
  const passages: Passage[] = []
  state.doc.nodesBetween(from, to, (node, pos) => {
    if (!node.isTextblock) return true
    let at = pos + 1
    for (const child of types.get(node)?.toArray() ?? []) {
      if (child instanceof Y.XmlText) {
        passages.push(...ofText(child, at, authors))
        at += child.length
      } else at += 1
    }
    return false
  })
  return passages.map((p) => ({ ...p, from: Math.max(p.from, from), to: Math.min(p.to, to) })).filter((p) => p.from < p.to)
}

const key = new PluginKey<DecorationSet>('writers')

/** Colours the passages while the view of contributors is open. */
export function writersPlugin(): Plugin<DecorationSet> {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply: (tr: Transaction, shown) => (tr.getMeta(key) as DecorationSet | undefined) ?? shown.map(tr.mapping, tr.doc),
    },
    props: { decorations: (state) => key.getState(state) },
  })
}

function show(view: EditorView, passages: Passage[]): void {
  const marks = passages.filter((p) => p.by >= 0).map((p) => Decoration.inline(p.from, p.to, { class: `by h${p.by % COLOURS}` }))
  view.dispatch(view.state.tr.setMeta(key, DecorationSet.create(view.state.doc, marks)).setMeta('addToHistory', false))
}

function list(passages: Passage[], authors: Authors): HTMLElement {
  const units = new Map<number, number>()
  for (const { from, to, by } of passages) units.set(by, (units.get(by) ?? 0) + to - from)
  const total = [...units.values()].reduce((sum, n) => sum + n, 0)
  const lines = [...units].sort((a, b) => b[1] - a[1]).map(([by, n]) => {
    const name = authors.people[by]?.name ?? 'Earlier text'
    const percent = Math.round((n * 100) / total)
    return make('li', {}, make('span', { class: by < 0 ? 'author' : `author by h${by % COLOURS}` }, name), ' ', make('span', { class: 'meta' }, percent === 0 ? 'under 1 %' : `${percent} %`))
  })
  return make('ul', { class: 'writers' }, ...lines)
}

/** Opens the contributors of the selected passage; without a selection those of the whole page. */
export async function openWriters(view: EditorView, page: string, beside?: HTMLElement): Promise<void> {
  let authors: Authors
  try {
    authors = await api.authors(page)
  } catch (error) {
    return toast(error instanceof Failed ? error.message : 'Who wrote this could not be loaded. Try again.')
  }
  if (view.isDestroyed) return
  const { empty, from, to } = view.state.selection
  const passages = empty ? passagesIn(view.state, authors, 0, view.state.doc.content.size) : passagesIn(view.state, authors, from, to)
  if (passages.length === 0) return toast('There is no text here.')
  show(view, passages)
  const at = beside?.getBoundingClientRect() ?? view.coordsAtPos(empty ? from : to)
  const title = make('h2', {}, empty ? 'Contributors to this page' : 'Contributors in this passage')
  const close = make('button', { type: 'button', class: 'button small', onclick: () => popover.close(true) }, 'Close')
  const popover = new Popover(title.textContent ?? '', 'writers-popover', [title, list(passages, authors), make('div', { class: 'buttons' }, close)], at, () => {
    if (!view.isDestroyed) show(view, [])
  }, beside ? 'end' : 'start')
}
