// The bar over selected words; on phones it stands above the keyboard.
import { type Command, Plugin, TextSelection } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import * as c from '../commands'
import { iconButton, make, stage } from '../ui/dom'
import { place } from '../ui/popup'

interface Tool {
  icon: string
  label: string
  key: string
  run: Command
  /** Name of the mark or node whose presence presses the button. */
  is: string
}

const phone = matchMedia('(max-width: 736px)')

function tools(link: Command): Tool[] {
  return [
    { icon: 'bold', label: 'Bold', key: 'Mod-b', run: c.toggle('strong'), is: 'strong' },
    { icon: 'italic', label: 'Italic', key: 'Mod-i', run: c.toggle('em'), is: 'em' },
    { icon: 'underline', label: 'Underline', key: 'Mod-u', run: c.toggle('underline'), is: 'underline' },
    { icon: 'strike', label: 'Strikethrough', key: 'Mod-Shift-x', run: c.toggle('strike'), is: 'strike' },
    { icon: 'code', label: 'Code', key: 'Mod-e', run: c.toggle('code'), is: 'code' },
    { icon: 'link', label: 'Link', key: 'Mod-k', run: link, is: 'link' },
    { icon: 'heading', label: 'Heading', key: 'Mod-2', run: c.heading(2), is: 'heading' },
    { icon: 'bullets', label: 'Bulleted list', key: 'Mod-Shift-8', run: c.list('bullet_list'), is: 'bullet_list' },
    { icon: 'task', label: 'Task list', key: 'Mod-Shift-9', run: c.list('task_list'), is: 'task_list' },
    { icon: 'quote', label: 'Quote', key: 'Mod-Shift-b', run: c.quote, is: 'blockquote' },
  ]
}

function isOn(view: EditorView, name: string): boolean {
  const { state } = view
  const type = state.schema.marks[name]
  const { from, to, empty, $from } = state.selection
  if (type) return empty ? type.isInSet(state.storedMarks ?? $from.marks()) !== undefined : state.doc.rangeHasMark(from, to, type)
  return $from.parent.type.name === name || c.ancestor($from, name) !== null
}

export function selectionBar(link: Command): Plugin {
  const list = tools(link)
  return new Plugin({
    view: (view) => {
      const buttons = list.map((tool) => iconButton(tool.icon, tool.label, () => {
        tool.run(view.state, view.dispatch, view)
        if (!document.querySelector('.popover')) view.focus()
      }, tool.key))
      const bar = make('div', { class: 'popup selection-bar', role: 'toolbar', 'aria-label': 'Formatting' }, ...buttons)
      let isPressed = false
      const show = () => {
        const { selection } = view.state
        const isText = selection instanceof TextSelection && !selection.$from.parent.type.spec.code
        const wanted = view.hasFocus() && view.editable && isText && !isPressed && (phone.matches || !selection.empty)
        if (!wanted) return bar.remove()
        buttons.forEach((button, i) => button.setAttribute('aria-pressed', String(isOn(view, list[i]!.is))))
        if (!bar.isConnected) stage().append(bar)
        bar.classList.toggle('docked', phone.matches)
        if (phone.matches) dock(bar)
        else {
          const [a, b] = [view.coordsAtPos(selection.from), view.coordsAtPos(selection.to, -1)]
          const isOneLine = Math.abs(a.top - b.top) < 4
          place(bar, { left: a.left, right: isOneLine ? b.right : a.left + 240, top: a.top, bottom: b.bottom }, 'above', 'center')
        }
      }
      const down = () => {
        isPressed = true
      }
      const up = () => {
        isPressed = false
        setTimeout(show)
      }
      const away = () => setTimeout(show)
      view.dom.addEventListener('pointerdown', down)
      view.dom.addEventListener('blur', away)
      document.addEventListener('pointerup', up)
      window.addEventListener('scroll', show, { passive: true })
      window.visualViewport?.addEventListener('resize', show)
      return {
        update: show,
        destroy: () => {
          bar.remove()
          view.dom.removeEventListener('pointerdown', down)
          view.dom.removeEventListener('blur', away)
          document.removeEventListener('pointerup', up)
          window.removeEventListener('scroll', show)
          window.visualViewport?.removeEventListener('resize', show)
        },
      }
    },
  })
}

/** Above the keyboard, which shrinks the visual viewport. */
function dock(bar: HTMLElement): void {
  const view = window.visualViewport
  const bottom = view ? view.offsetTop + view.height : innerHeight
  bar.style.left = '0'
  bar.style.top = `${bottom - bar.offsetHeight}px`
}
