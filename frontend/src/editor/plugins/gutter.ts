// Beside the block under the pointer: `+` to insert below it, and a handle to drag it or to open its menu.
import { NodeSelection, Plugin, TextSelection } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import { moveBlock, node } from '../commands'
import { iconButton, make } from '../ui/dom'
import { MENU, Popover } from '../ui/popup'
import { xmlOfSplit } from '../params'
import { asPasted } from './containers'
import { startSuggestion } from './suggest'

class Gutter {
  private pos = -1
  private readonly plus = iconButton('plus', 'Insert below', () => this.insert())
  private readonly grip = iconButton('grip', 'Drag to move, click for actions', () => this.menu())
  readonly element = make('div', { class: 'gutter', contenteditable: 'false' }, this.plus, this.grip)

  constructor(private readonly view: EditorView) {
    this.grip.draggable = true
    this.grip.addEventListener('mousedown', (event) => event.stopImmediatePropagation(), true)
    this.grip.addEventListener('dragstart', (event) => this.drag(event))
  }

  /** Moves to the top-level block at this height. */
  follow(event: PointerEvent): void {
    if (event.pointerType !== 'mouse' || !this.view.editable) return
    const area = this.view.dom.getBoundingClientRect()
    const at = this.view.posAtCoords({ left: area.left + area.width / 2, top: event.clientY })
    if (!at) return
    const $pos = this.view.state.doc.resolve(at.inside >= 0 ? at.inside : at.pos)
    const pos = $pos.depth > 0 ? $pos.before(1) : $pos.pos
    const dom = this.view.nodeDOM(pos)
    if (!(dom instanceof HTMLElement)) return this.hide()
    this.pos = pos
    const box = dom.getBoundingClientRect()
    const line = Math.min(box.height, Number.parseFloat(getComputedStyle(dom).lineHeight) || 26)
    const host = this.element.offsetParent?.getBoundingClientRect() ?? area
    this.element.style.top = `${box.top - host.top + line / 2 - 12}px`
    this.element.classList.add('shown')
  }

  hide(): void {
    this.element.classList.remove('shown')
  }

  private block() {
    return this.pos >= 0 ? this.view.state.doc.nodeAt(this.pos) : null
  }

  private insert(): void {
    const block = this.block()
    if (!block) return
    const isEmpty = block.type.name === 'paragraph' && block.content.size === 0
    const at = isEmpty ? this.pos : this.pos + block.nodeSize
    const { tr } = this.view.state
    if (!isEmpty) tr.insert(at, node('paragraph').create())
    this.view.dispatch(tr.setSelection(TextSelection.create(tr.doc, at + 1)))
    this.view.focus()
    startSuggestion('/')(this.view.state, this.view.dispatch)
  }

  private select(): void {
    if (this.block()) this.view.dispatch(this.view.state.tr.setSelection(NodeSelection.create(this.view.state.doc, this.pos)))
  }

  private drag(event: DragEvent): void {
    this.select()
    const slice = this.view.state.selection.content()
    const dom = this.view.nodeDOM(this.pos)
    if (dom instanceof HTMLElement) event.dataTransfer?.setDragImage(dom, 0, 0)
    event.dataTransfer?.setData('text/plain', slice.content.textBetween(0, slice.content.size, '\n'))
    if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move'
    this.view.dragging = { slice, move: true }
  }

  private menu(): void {
    this.select()
    const act = (label: string, run: () => void) => make('button', { type: 'button', role: 'menuitem', class: 'menu-line', onclick: () => {
      popover.close()
      run()
      this.view.focus()
    } }, label)
    const lines = [
      act('Move up', () => moveBlock(-1)(this.view.state, this.view.dispatch)),
      act('Move down', () => moveBlock(1)(this.view.state, this.view.dispatch)),
      act('Duplicate', () => {
        const block = this.block()
        if (block) this.view.dispatch(this.view.state.tr.insert(this.pos + block.nodeSize, asPasted(block.type.create({ ...block.attrs, xml: xmlOfSplit(block.attrs.xml) }, block.content))))
      }),
      act('Delete', () => this.view.dispatch(this.view.state.tr.deleteSelection())),
    ]
    const popover = new Popover('Block', MENU, lines, this.grip.getBoundingClientRect())
  }
}

export function gutter(host: HTMLElement): Plugin {
  return new Plugin({
    view: (view) => {
      const bar = new Gutter(view)
      const follow = (event: PointerEvent) => bar.follow(event)
      const hide = () => bar.hide()
      host.append(bar.element)
      host.addEventListener('pointermove', follow)
      host.addEventListener('pointerleave', hide)
      view.dom.addEventListener('keydown', hide)
      return {
        destroy: () => {
          bar.element.remove()
          host.removeEventListener('pointermove', follow)
          host.removeEventListener('pointerleave', hide)
          view.dom.removeEventListener('keydown', hide)
        },
      }
    },
  })
}
