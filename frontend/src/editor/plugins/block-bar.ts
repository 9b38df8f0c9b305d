// The bar over a table, panel, image, … with what can be done to it.
import { type Command, NodeSelection, Plugin } from 'prosemirror-state'
import * as tables from 'prosemirror-tables'
import type { EditorView } from 'prosemirror-view'
import { node, selectedOrAround } from '../commands'
import { PANEL_KINDS } from '../nodes/panels'
import { sourceAttribute } from '../params'
import { editDate, editLink, editStatus, linkAround, removeLink } from '../ui/forms'
import { iconButton, make, stage } from '../ui/dom'
import { place } from '../ui/popup'

interface Target {
  name: string
  pos: number
  /** What is shown; another value draws the bar again. */
  face: string
}

const LAYOUTS: Record<string, [string, number]> = {
  single: ['One column', 1], two_equal: ['Two columns', 2], two_left_sidebar: ['Left sidebar', 2], two_right_sidebar: ['Right sidebar', 2],
  three_equal: ['Three columns', 3], three_with_sidebars: ['Three with sidebars', 3],
}
const BLOCKS = ['table', 'panel', 'expand', 'layout_section', 'preserved_block', 'toc', 'unsupported', 'horizontal_rule']
const ATOMS = ['image', 'status', 'date', 'mention', 'emoticon', 'content_link', 'preserved_inline', 'unsupported_inline']

function target(view: EditorView): Target | null {
  const { state } = view
  const { selection } = state
  if (selection instanceof NodeSelection && ATOMS.includes(selection.node.type.name)) return { name: selection.node.type.name, pos: selection.from, face: '' }
  const link = selection.empty ? linkAround(state) : null
  if (link) return { name: 'link', pos: link.from, face: link.href || link.shown }
  const found = selectedOrAround(state, ...BLOCKS)
  return found ? { name: found.node.type.name, pos: found.pos, face: `${found.node.attrs.name ?? ''}${found.node.attrs.kind ?? ''}` } : null
}

const remove = (pos: number): Command => (state, dispatch) => {
  const found = state.doc.nodeAt(pos)
  if (!found) return false
  dispatch?.(state.tr.delete(pos, pos + found.nodeSize).scrollIntoView())
  return true
}

/** Another number of columns: cells that are too many give their content to the last one. */
const setLayout = (pos: number, kind: string): Command => (state, dispatch) => {
  const section = state.doc.nodeAt(pos)
  const wanted = LAYOUTS[kind]?.[1]
  if (!section || !wanted) return false
  const cells = Array.from({ length: section.childCount }, (_, i) => section.child(i))
  while (cells.length < wanted) cells.push(node('layout_cell').create(null, node('paragraph').create()))
  const rest = cells.splice(wanted)
  if (rest.length > 0) {
    const last = cells.pop()!
    cells.push(last.copy(rest.reduce((content, cell) => content.append(cell.content), last.content)))
  }
  dispatch?.(state.tr.replaceWith(pos, pos + section.nodeSize, section.type.create({ ...section.attrs, kind }, cells)))
  return true
}

const setAlt = (pos: number, alt: string): Command => (state, dispatch) => {
  const image = state.doc.nodeAt(pos)
  if (!image) return false
  const xml = JSON.parse(String(image.attrs.xml ?? '{}')) as { attrs?: [string, string][] }
  const attrs = (xml.attrs ?? []).filter(([name]) => name !== 'ac:alt')
  if (alt !== '') attrs.push(['ac:alt', alt])
  const { attrs: _old, ...others } = xml
  const next = attrs.length > 0 ? { attrs, ...others } : others
  dispatch?.(state.tr.setNodeAttribute(pos, 'xml', Object.keys(next).length > 0 ? JSON.stringify(next) : null))
  return true
}

class Bar {
  readonly element = make('div', { class: 'popup block-bar', role: 'toolbar', 'aria-label': 'Block' })
  private shown: Target | null = null

  constructor(private readonly view: EditorView, private readonly space: string) {}

  update(): void {
    const wanted = this.view.hasFocus() && this.view.editable && this.view.state.selection.content().size < 100_000 ? target(this.view) : null
    if (!wanted) return this.hide()
    const isSame = this.shown?.name === wanted.name && this.shown.face === wanted.face && this.shown.pos === wanted.pos
    this.shown = wanted
    if (!isSame) this.element.replaceChildren(...this.tools(wanted))
    if (this.element.childElementCount === 0) return this.hide()
    if (!this.element.isConnected) stage().append(this.element)
    this.position(wanted)
  }

  hide(): void {
    this.element.remove()
    this.shown = null
  }

  private position({ name, pos }: Target): void {
    const dom = name === 'link' ? null : (this.view.nodeDOM(pos) as HTMLElement | null)
    const box = dom?.getBoundingClientRect?.() ?? this.view.coordsAtPos(pos)
    // A bar over a tall block stays in sight below the top bars.
    const top = Math.max(box.top, 140)
    if (box.bottom < 120 || box.top > innerHeight) return this.element.remove()
    place(this.element, { left: box.left, right: box.right, top, bottom: Math.min(box.bottom, top + 40) }, 'above', ['panel', 'expand', 'layout_section', 'preserved_block', 'toc', 'unsupported', 'horizontal_rule'].includes(name) ? 'end' : 'start')
  }

  private run(command: Command): void {
    command(this.view.state, this.view.dispatch, this.view)
    if (!document.querySelector('.popover')) this.view.focus()
  }

  private button(icon: string, label: string, command: Command): HTMLButtonElement {
    return iconButton(icon, label, () => this.run(command))
  }

  private words(label: string, command: Command): HTMLButtonElement {
    return make('button', { type: 'button', class: 'tool words', onmousedown: (event) => event.preventDefault(), onclick: () => this.run(command) }, label)
  }

  private choice(label: string, options: [string, string][], value: string, command: (value: string) => Command): HTMLSelectElement {
    const select = make('select', { class: 'tool-select', 'aria-label': label }, ...options.map(([key, text]) => make('option', { value: key, selected: key === value }, text)))
    select.addEventListener('change', () => this.run(command(select.value)))
    return select
  }

  private tools({ name, pos, face }: Target): HTMLElement[] {
    const current = this.view.state.doc.nodeAt(pos)
    const trash = this.button('trash', 'Delete', remove(pos))
    switch (name) {
      case 'link':
        return [make('a', { class: 'tool words', href: face, target: '_blank', rel: 'noopener' }, face.slice(0, 40)), this.words('Change', editLink(this.space)), this.words('Remove', removeLink)].slice(/^(https?:|\/|mailto:)/.test(face) ? 0 : 1)
      case 'table':
        return this.tableTools(trash)
      case 'panel': {
        const kinds = PANEL_KINDS.map((kind): [string, string] => [kind, kind === 'panel' ? 'Plain' : kind[0]!.toUpperCase() + kind.slice(1)])
        return [this.choice('Kind of panel', kinds, String(current?.attrs.name), (kind) => (state, dispatch) => {
          dispatch?.(state.tr.setNodeAttribute(pos, 'name', kind))
          return true
        }), trash]
      }
      case 'layout_section':
        return [this.choice('Columns', Object.entries(LAYOUTS).map(([kind, [text]]) => [kind, text]), String(current?.attrs.kind), (kind) => setLayout(pos, kind))]
      case 'image':
        return this.imageTools(pos, trash)
      case 'status':
        return [this.words('Change', editStatus), trash]
      case 'date':
        return [this.words('Change', editDate), trash]
      default:
        return [trash]
    }
  }

  private tableTools(trash: HTMLElement): HTMLElement[] {
    const deleteTable: Command = (state, dispatch) => tables.deleteTable(state, dispatch)
    trash.remove()
    return [
      this.button('rowBefore', 'Insert row above', tables.addRowBefore),
      this.button('rowAfter', 'Insert row below', tables.addRowAfter),
      this.button('rowDelete', 'Delete row', tables.deleteRow),
      this.button('columnBefore', 'Insert column left', tables.addColumnBefore),
      this.button('columnAfter', 'Insert column right', tables.addColumnAfter),
      this.button('columnDelete', 'Delete column', tables.deleteColumn),
      this.button('header', 'Header row', tables.toggleHeader('row')),
      this.button('headerColumn', 'Header column', tables.toggleHeader('column')),
      this.words('Merge', tables.mergeCells),
      this.words('Split', tables.splitCell),
      this.button('trash', 'Delete table', deleteTable),
    ]
  }

  private imageTools(pos: number, trash: HTMLElement): HTMLElement[] {
    const current = this.view.state.doc.nodeAt(pos)
    const field = make('input', { class: 'tool-input', type: 'text', 'aria-label': 'Alternative text', placeholder: 'Describe this image', value: current ? sourceAttribute(current.attrs, 'ac:alt') : '' })
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === 'Escape') this.view.focus()
    })
    field.addEventListener('change', () => this.run(setAlt(pos, field.value.trim())))
    return [field, trash]
  }
}

export function blockBar(space: string): Plugin {
  return new Plugin({
    view: (view) => {
      const bar = new Bar(view, space)
      const update = () => bar.update()
      const away = () => setTimeout(() => {
        if (!bar.element.contains(document.activeElement)) bar.update()
      })
      view.dom.addEventListener('focus', update)
      view.dom.addEventListener('blur', away)
      window.addEventListener('scroll', update, { passive: true })
      return {
        update,
        destroy: () => {
          bar.hide()
          view.dom.removeEventListener('focus', update)
          view.dom.removeEventListener('blur', away)
          window.removeEventListener('scroll', update)
        },
      }
    },
  })
}
