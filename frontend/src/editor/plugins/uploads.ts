// Files that are dropped or pasted go to the page's attachments; pictures are shown where they were dropped.
import { Plugin, PluginKey } from 'prosemirror-state'
import { Decoration, DecorationSet, type EditorView } from 'prosemirror-view'
import { type Attachment, upload } from '../api'
import { schema } from '../schema'
import { make, toast } from '../ui/dom'

type Action = { add: { id: object; pos: number; element: HTMLElement } } | { remove: { id: object } }
const key = new PluginKey<DecorationSet>('uploads')

function placeOf(view: EditorView, id: object): number | null {
  const found = key.getState(view.state)?.find(undefined, undefined, (spec) => spec.id === id)
  return found?.[0]?.from ?? null
}

/** Names as the server will keep them: a pasted screenshot gets a name of its own. */
function named(file: File): File {
  if (!/^image\.(png|jpe?g)$/.test(file.name)) return file
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return new File([file], `pasted-${stamp}-${Math.floor(Math.random() * 900 + 100)}.${file.name.split('.').pop()}`, { type: file.type })
}

function insert(view: EditorView, id: object, done: Attachment): void {
  const pos = placeOf(view, id)
  if (pos === null) return
  const resource = JSON.stringify({ type: 'attachment', filename: done.name })
  const piece = done.media_type.startsWith('image/')
    ? schema.nodes.image!.create({ resource })
    : schema.text(done.name, [schema.marks.resource_link!.create({ resource })])
  const $pos = view.state.doc.resolve(pos)
  const content = $pos.parent.inlineContent ? piece : schema.nodes.paragraph!.create(null, piece)
  view.dispatch(view.state.tr.insert(pos, content).setMeta(key, { remove: { id } } satisfies Action))
}

async function send(view: EditorView, page: string, original: File, pos: number): Promise<void> {
  const id = {}
  const file = named(original)
  const bar = make('span', { class: 'upload-bar' })
  const element = make('span', { class: 'upload', role: 'progressbar', 'aria-label': `Uploading ${file.name}`, 'aria-valuemin': '0', 'aria-valuemax': '100' }, `Uploading ${file.name}…`, bar)
  view.dispatch(view.state.tr.setMeta(key, { add: { id, pos, element } } satisfies Action))
  const onProgress = (part: number) => {
    bar.style.scale = `${part} 1`
    element.setAttribute('aria-valuenow', String(Math.round(part * 100)))
  }
  try {
    insert(view, id, await upload(page, file, onProgress))
  } catch (error) {
    const place = placeOf(view, id)
    view.dispatch(view.state.tr.setMeta(key, { remove: { id } } satisfies Action))
    // The file is still here: it can be sent again.
    toast(`${file.name} was not uploaded. ${(error as Error).message}`, { label: 'Try again', run: () => void send(view, page, original, place ?? view.state.selection.from) })
  }
}

export function uploadFiles(view: EditorView, page: string, files: File[], pos: number): void {
  for (const file of files) void send(view, page, file, pos)
}

export function uploads(page: string): Plugin {
  return new Plugin<DecorationSet>({
    key,
    state: {
      init: () => DecorationSet.empty,
      apply: (tr, before) => {
        const set = before.map(tr.mapping, tr.doc)
        const action = tr.getMeta(key) as Action | undefined
        if (!action) return set
        if ('remove' in action) return set.remove(set.find(undefined, undefined, (spec) => spec.id === action.remove.id))
        const { id, pos, element } = action.add
        return set.add(tr.doc, [Decoration.widget(Math.min(pos, tr.doc.content.size), element, { id })])
      },
    },
    props: {
      decorations: (state) => key.getState(state),
      handlePaste: (view, event) => {
        const files = [...(event.clipboardData?.files ?? [])]
        const hasText = (event.clipboardData?.getData('text/html') ?? '') !== '' || (event.clipboardData?.getData('text/plain') ?? '') !== ''
        if (files.length === 0 || hasText) return false
        uploadFiles(view, page, files, view.state.selection.from)
        return true
      },
      handleDrop: (view, event) => {
        const files = [...(event.dataTransfer?.files ?? [])]
        const at = view.posAtCoords({ left: event.clientX, top: event.clientY })
        if (files.length === 0 || !at) return false
        event.preventDefault()
        uploadFiles(view, page, files, at.pos)
        return true
      },
    },
  })
}
