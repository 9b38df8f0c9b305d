// The cursors and selections of others. Positions travel as Yjs relative positions in the presence blob.
import { Plugin, PluginKey } from 'prosemirror-state'
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view'
import { absolutePositionToRelativePosition, relativePositionToAbsolutePosition, ySyncPluginKey } from 'y-prosemirror'
import * as Y from 'yjs'
import { Reader, Writer } from '../../sync/bytes'
import type { Person } from '../../sync/presence'
import { make } from '../ui/dom'

const key = new PluginKey<DecorationSet>('carets')
/** The server takes one frame a tick; more often than this nobody sees a difference. */
const TELL_EVERY_MS = 60
const LABEL_FOR_MS = 2000

export function encodePlace(anchor: Y.RelativePosition, head: Y.RelativePosition): Uint8Array {
  return new Writer().raw(Y.encodeRelativePosition(anchor)).raw(Y.encodeRelativePosition(head)).done()
}

export function decodePlace(blob: Uint8Array): { anchor: Y.RelativePosition; head: Y.RelativePosition } | null {
  if (blob.length === 0) return null
  try {
    const reader = new Reader(blob)
    return { anchor: Y.decodeRelativePosition(reader.raw(512)), head: Y.decodeRelativePosition(reader.raw(512)) }
  } catch {
    return null
  }
}

interface SyncState {
  doc: Y.Doc
  type: Y.XmlFragment
  binding: { mapping: Map<unknown, unknown> }
}

const movedAt = new Map<number, { blob: Uint8Array; at: number }>()

function caret(person: Person): HTMLElement {
  const label = make('span', { class: 'caret-label' }, person.name)
  const element = make('span', { class: 'caret', style: `--hue:${person.hue}`, 'aria-hidden': 'true' }, label)
  const moved = movedAt.get(person.connectionId)
  const age = moved ? Date.now() - moved.at : LABEL_FOR_MS
  if (age < LABEL_FOR_MS) {
    element.classList.add('fresh')
    setTimeout(() => element.classList.remove('fresh'), LABEL_FOR_MS - age)
  }
  return element
}

/** The installed patch adds the last parameter: -1 stays behind the character before the place. */
const toRelative = absolutePositionToRelativePosition as (pos: number, type: Y.XmlFragment, mapping: never, assoc: number) => Y.RelativePosition

function relative(sync: SyncState, pos: number, assoc: number): Y.RelativePosition {
  return toRelative(pos, sync.type, sync.binding.mapping as never, assoc)
}

function absolute(sync: SyncState, position: Y.RelativePosition, size: number): number | null {
  try {
    const pos = relativePositionToAbsolutePosition(sync.doc, sync.type, position, sync.binding.mapping as never)
    return pos === null ? null : Math.max(0, Math.min(pos, size))
  } catch {
    return null
  }
}

function decorations(view: { state: EditorView['state'] }, people: Person[]): DecorationSet {
  const { state } = view
  const sync = ySyncPluginKey.getState(state) as SyncState
  const list: Decoration[] = []
  for (const person of people) {
    const place = decodePlace(person.blob)
    if (!place) continue
    const head = absolute(sync, place.head, state.doc.content.size)
    const anchor = absolute(sync, place.anchor, state.doc.content.size)
    if (head === null || anchor === null) continue
    const known = movedAt.get(person.connectionId)
    if (known?.blob !== person.blob) movedAt.set(person.connectionId, { blob: person.blob, at: Date.now() })
    list.push(Decoration.widget(head, () => caret(person), { key: `caret-${person.connectionId}-${movedAt.get(person.connectionId)!.at}`, side: 10, ignoreSelection: true }))
    if (anchor !== head) list.push(Decoration.inline(Math.min(anchor, head), Math.max(anchor, head), { class: 'remote-selection', style: `--hue:${person.hue}` }))
  }
  return DecorationSet.create(state.doc, list)
}

/** `people` gives everybody else; `tell` gets this person's place. */
export function carets(people: () => Person[], tell: (blob: Uint8Array) => void): Plugin {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply: (tr, set, _before, state) => {
        const remote = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
        if (tr.getMeta(key) !== undefined || (remote && people().length > 0)) return decorations({ state }, people())
        return set.map(tr.mapping, tr.doc)
      },
    },
    props: { decorations: (state) => key.getState(state) },
    view: (view) => {
      let timer: ReturnType<typeof setTimeout> | null = null
      const say = () => {
        timer = null
        const sync = ySyncPluginKey.getState(view.state) as SyncState
        if (!view.hasFocus()) return
        const { anchor, head } = view.state.selection
        try {
          tell(encodePlace(relative(sync, anchor, anchor < head ? 0 : -1), relative(sync, head, head < anchor ? 0 : -1)))
        } catch {
          // A place that cannot be named just now; the next change names it.
        }
      }
      const later = () => {
        timer ??= setTimeout(say, TELL_EVERY_MS)
      }
      const gone = () => tell(new Uint8Array(0))
      view.dom.addEventListener('focus', later)
      view.dom.addEventListener('blur', gone)
      return {
        update: (now, before) => {
          if (!before.selection.eq(now.state.selection) || before.doc !== now.state.doc) later()
        },
        destroy: () => {
          if (timer !== null) clearTimeout(timer)
          view.dom.removeEventListener('focus', later)
          view.dom.removeEventListener('blur', gone)
        },
      }
    },
  })
}

/** Draws the carets again after somebody moved. */
export function redrawCarets(view: EditorView): void {
  view.dispatch(view.state.tr.setMeta(key, true))
}
