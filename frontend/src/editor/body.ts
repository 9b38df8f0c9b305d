// The text box of the page's body: the ProseMirror view on one shared document.
import { dropCursor } from 'prosemirror-dropcursor'
import { gapCursor } from 'prosemirror-gapcursor'
import { type Command, EditorState, NodeSelection, type Plugin, Selection, TextSelection } from 'prosemirror-state'
import { tableEditing } from 'prosemirror-tables'
import { EditorView } from 'prosemirror-view'
import { initProseMirrorDoc, ySyncPlugin, yUndoPlugin } from 'y-prosemirror'
import type * as Y from 'yjs'
import type { Person } from '../sync/presence'
import { api, type FoundUser } from './api'
import { clipboard } from './clipboard'
import { insertInline, node } from './commands'
import { allItems, matching, matchingEmoticons } from './items'
import { editorKeys } from './keys'
import { imageView, mentionView } from './nodes/atoms'
import { codeBlockView } from './nodes/code'
import { preservedView } from './nodes/kept'
import { taskItemView } from './nodes/lists'
import { expandView, panelView } from './nodes/panels'
import { blockBar } from './plugins/block-bar'
import { carets } from './plugins/carets'
import { containers } from './plugins/containers'
import { gutter } from './plugins/gutter'
import { hints } from './plugins/hints'
import { sourceNewlines } from './plugins/newlines'
import { selectionBar } from './plugins/selection-bar'
import { type Choice, startSuggestion, suggestions, type Trigger } from './plugins/suggest'
import { uploadFiles, uploads } from './plugins/uploads'
import { writersPlugin } from './plugins/writers'
import { markdownRules } from './rules'
import { schema } from './schema'
import { editDate, editLink, editStatus } from './ui/forms'
import { make } from './ui/dom'

export interface BodyOptions {
  host: HTMLElement
  ydoc: Y.Doc
  pageId: string
  space: string
  canWrite: () => boolean
  people: () => Person[]
  tell: (blob: Uint8Array) => void
  publish: () => void
}

/** From here on, blocks outside of the window are laid out only after the page is there to be edited. */
const LONG_BLOCKS = 300
const LAYOUT_AFTER_MS = 1500

const SLASH_QUERY = /^[\p{L}\p{N}][\p{L}\p{N} ]{0,24}$|^$/u

function pickImage(page: string): Command {
  return (_state, _dispatch, view) => {
    if (!view) return true
    const input = make('input', { type: 'file', accept: 'image/*', multiple: true })
    input.addEventListener('change', () => uploadFiles(view, page, [...(input.files ?? [])], view.state.selection.from))
    input.click()
    return true
  }
}

function mention(user: FoundUser): Choice {
  const resource = JSON.stringify({ type: 'user', username: user.name })
  const name = user.full_name || user.name
  return { title: name, hint: user.name, icon: '@', run: (state, dispatch) => {
    if (!insertInline(() => node('mention').create({ resource }))(state, undefined)) return false
    insertInline(() => node('mention').create({ resource }))(state, (tr) => dispatch?.(tr.insertText(' ')))
    return true
  } }
}

function triggers(options: BodyOptions): Trigger[] {
  const items = allItems({ pickImage: pickImage(options.pageId), pickDate: editDate, pickStatus: editStatus, link: editLink(options.space), startSuggestion })
  const slash = (sign: string): Trigger => ({
    sign, label: 'Insert', before: /(^|\s|\ufffc)$/, query: SLASH_QUERY,
    find: (query) => matching(items, query.trim()).map((item) => (query === '' ? item : { ...item, section: '' })),
  })
  return [
    slash('/'),
    slash('{'),
    { sign: '@', label: 'People', before: /(^|[\s(\ufffc])$/, query: /^[\p{L}\p{N}._-]{0,30}( [\p{L}]{0,20})?$/u, find: async (query) => (await api.searchUsers(query)).slice(0, 8).map(mention) },
    {
      sign: ':', label: 'Emoticons', before: /(^|[\s(\ufffc])$/, query: /^[a-z-]{1,16}$|^$/,
      find: (query) => matchingEmoticons(query).map(([name, sign]) => ({ title: name, icon: sign, run: insertInline(() => node('emoticon').create({ name })) })),
    },
  ]
}

/** Cell selections and copying of cells, without the repairs that would let two editors mend a table twice. */
function tablesTogether(): Plugin {
  const plugin = tableEditing()
  const usual = plugin.spec.appendTransaction
  plugin.spec.appendTransaction = (transactions, _before, state) => usual?.call(plugin, transactions, state, state)
  return plugin
}

function plugins(options: BodyOptions, mapping: unknown): Plugin[] {
  const body = options.ydoc.getXmlFragment('default')
  const link = editLink(options.space)
  return [
    ySyncPlugin(body, { mapping: mapping as never }) as Plugin,
    yUndoPlugin() as Plugin,
    carets(options.people, options.tell),
    writersPlugin(),
    suggestions(triggers(options)),
    markdownRules(),
    ...editorKeys({ link, publish: options.publish }),
    clipboard(),
    uploads(options.pageId),
    tablesTogether(),
    containers(),
    dropCursor({ width: 2, color: false }),
    gapCursor(),
    hints(),
    sourceNewlines(),
    selectionBar(link),
    blockBar(options.space),
    gutter(options.host),
  ]
}

/** What a reader will see of a preserved block; asked once for each source. */
function preview(pageId: string): (source: string) => Promise<string> {
  const known = new Map<string, Promise<string>>()
  return (source) => {
    let html = known.get(source)
    if (!html) {
      html = api.render(Number(pageId), source).then((answer) => answer.html, () => '')
      known.set(source, html)
    }
    return html
  }
}

/**
 * Takes in a click or key that the browser has carried out and not yet reported: a change of somebody else that comes in
 * between would put the cursor back to where it was, and a quick next key would act there.
 */
export function readPending(view: EditorView): void {
  if (view.isDestroyed) return
  const { domObserver } = view as unknown as { domObserver: { forceFlush(): void; flush(): void } }
  domObserver.forceFlush()
  domObserver.flush()
}

/** A press below the last block, when that is no text, starts a paragraph there. */
function writeBelow(view: EditorView, event: MouseEvent): boolean {
  const { doc } = view.state
  const last = doc.lastChild
  const dom = last && view.nodeDOM(doc.content.size - last.nodeSize)
  const isBelow = event.target === view.dom && dom instanceof HTMLElement && event.clientY > dom.getBoundingClientRect().bottom
  if (!isBelow || !view.editable || last?.type.name === 'paragraph') return false
  const tr = view.state.tr.insert(doc.content.size, node('paragraph').create())
  view.dispatch(tr.setSelection(TextSelection.atEnd(tr.doc)))
  view.focus()
  event.preventDefault()
  return true
}

export function openBody(options: BodyOptions): EditorView {
  const { doc, mapping } = initProseMirrorDoc(options.ydoc.getXmlFragment('default'), schema)
  const render = preview(options.pageId)
  const view: EditorView = new EditorView({ mount: options.host.appendChild(make('div')) }, {
    // The first place for words, not the first thing that can be selected: typing would replace it.
    state: EditorState.create({ schema, doc, plugins: plugins(options, mapping), selection: Selection.findFrom(doc.resolve(0), 1, true) ?? Selection.atStart(doc) }),
    editable: options.canWrite,
    attributes: { role: 'textbox', 'aria-multiline': 'true', 'aria-label': 'Page body', class: 'wiki-body editor-body', spellcheck: 'true' },
    nodeViews: {
      task_item: taskItemView,
      code_block: codeBlockView,
      panel: panelView,
      expand: expandView,
      image: imageView(options.pageId),
      preserved_block: preservedView(render),
      mention: mentionView(render),
    },
    handleDOMEvents: {
      mousedown: writeBelow,
      keydown: (v, event) => {
        if (!v.composing && !event.isComposing) readPending(v)
        return false
      },
    },
    handleClickOn: (v, _pos, clicked, nodePos, event) => {
      if (clicked.type.name !== 'status' && clicked.type.name !== 'date') return false
      event.preventDefault()
      v.dispatch(v.state.tr.setSelection(NodeSelection.create(v.state.doc, nodePos)))
      return true
    },
  })
  if (doc.childCount > LONG_BLOCKS) {
    view.dom.classList.add('long')
    setTimeout(() => view.dom.classList.remove('long'), LAYOUT_AFTER_MS)
  }
  return view
}
