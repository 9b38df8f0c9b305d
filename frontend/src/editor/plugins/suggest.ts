// Menus that open while one types: `/` and `{` for blocks, `@` for people, `:` for emoticons.
import { type Command, type EditorState, Plugin, PluginKey, TextSelection } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import { announce, icon, make, stage } from '../ui/dom'
import { place } from '../ui/popup'

/** One line of the menu. */
export interface Choice {
  title: string
  hint?: string
  /** Name of an icon, or a character. */
  icon?: string
  section?: string
  /** Runs after the typed trigger and query are gone. */
  run: Command
}

export interface Trigger {
  sign: string
  label: string
  /** What may stand before the sign. */
  before: RegExp
  /** Queries beyond this are text, not a search. */
  query: RegExp
  find(query: string): Choice[] | Promise<Choice[]>
}

interface Active {
  trigger: Trigger
  from: number
  to: number
  query: string
}

const key = new PluginKey<{ dismissed: number | null }>('suggest')
const QUERY_MAX = 40

function activeAt(state: EditorState, triggers: Trigger[], dismissed: number | null): Active | null {
  const { $from, empty } = state.selection
  if (!empty || !(state.selection instanceof TextSelection) || $from.parent.type.spec.code) return null
  const text = $from.parent.textBetween(Math.max(0, $from.parentOffset - QUERY_MAX), $from.parentOffset, undefined, '\ufffc')
  for (const trigger of triggers) {
    const at = text.lastIndexOf(trigger.sign)
    if (at < 0) continue
    const query = text.slice(at + trigger.sign.length)
    const before = text.slice(0, at)
    const from = $from.pos - query.length - trigger.sign.length
    if (from === dismissed || !trigger.before.test(before) || !trigger.query.test(query)) continue
    return { trigger, from, to: $from.pos, query }
  }
  return null
}

/** The open menu: a list box beside the cursor; the focus stays in the text. */
class Menu {
  private readonly list = make('div', { role: 'listbox', id: 'suggestions', class: 'suggest-list', tabindex: '0' })
  private readonly box = make('div', { class: 'popup suggest' }, this.list)
  private choices: Choice[] = []
  private index = 0
  private active: Active | null = null
  private asked = 0

  constructor(private readonly view: EditorView) {
    this.box.addEventListener('mousedown', (event) => event.preventDefault())
  }

  get isOpen(): boolean {
    return this.box.isConnected && this.choices.length > 0
  }

  update(active: Active | null): void {
    const same = active && this.active && active.trigger === this.active.trigger && active.query === this.active.query && active.from === this.active.from
    this.active = active
    if (!active) return this.close()
    if (same) return
    const asked = (this.asked += 1)
    void Promise.resolve(active.trigger.find(active.query)).then(
      (choices) => {
        if (asked === this.asked && this.active) this.show(choices)
      },
      () => this.close(),
    )
  }

  close(): void {
    this.asked += 1
    this.box.remove()
    this.choices = []
    this.view.dom.removeAttribute('aria-activedescendant')
    this.view.dom.removeAttribute('aria-controls')
  }

  private show(choices: Choice[]): void {
    if (choices.length === 0 || !this.active) return this.close()
    this.choices = choices
    this.index = 0
    this.list.setAttribute('aria-label', this.active.trigger.label)
    this.list.replaceChildren(...this.lines())
    if (!this.box.isConnected) stage().append(this.box)
    place(this.box, this.view.coordsAtPos(this.active.from))
    this.view.dom.setAttribute('aria-controls', 'suggestions')
    this.mark()
    announce(`${choices.length} ${choices.length === 1 ? 'suggestion' : 'suggestions'}. ${choices[0]!.title}`)
  }

  private lines(): Node[] {
    const lines: Node[] = []
    let section = ''
    this.choices.forEach((choice, i) => {
      if (choice.section && choice.section !== section) {
        section = choice.section
        lines.push(make('div', { class: 'suggest-section', role: 'presentation' }, section))
      }
      const sign = make('span', { class: 'suggest-icon' })
      if (choice.icon) sign.append(/^[a-z]/i.test(choice.icon) && choice.icon.length > 2 ? icon(choice.icon) : choice.icon)
      const text = make('span', { class: 'suggest-text' }, make('span', { class: 'suggest-title' }, choice.title), ...(choice.hint ? [make('span', { class: 'suggest-hint' }, choice.hint)] : []))
      lines.push(make('div', { role: 'option', id: `suggestion-${i}`, class: 'suggest-item', 'aria-selected': 'false', onclick: () => this.choose(i), onpointermove: () => this.point(i) }, sign, text))
    })
    return lines
  }

  private point(i: number): void {
    if (i === this.index) return
    this.index = i
    this.mark(false)
  }

  private mark(scroll = true): void {
    this.list.querySelectorAll('[role=option]').forEach((option, i) => {
      option.setAttribute('aria-selected', String(i === this.index))
      if (i === this.index && scroll) option.scrollIntoView({ block: 'nearest' })
    })
    this.view.dom.setAttribute('aria-activedescendant', `suggestion-${this.index}`)
  }

  private choose(i: number): void {
    const choice = this.choices[i]
    const { active } = this
    if (!choice || !active) return
    this.close()
    this.active = null
    this.view.dispatch(this.view.state.tr.delete(active.from, active.to))
    choice.run(this.view.state, this.view.dispatch, this.view)
    if (!document.querySelector('.popover')) this.view.focus()
  }

  /** Arrow keys, Enter, Tab and Escape belong to the menu while it is open. */
  key(event: KeyboardEvent): boolean {
    if (!this.isOpen || event.isComposing) return false
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0) {
      this.index = (this.index + step + this.choices.length) % this.choices.length
      this.mark()
      announce(this.choices[this.index]!.title)
      return true
    }
    if (event.key === 'Enter' || event.key === 'Tab') {
      this.choose(this.index)
      return true
    }
    if (event.key === 'Escape') {
      this.view.dispatch(this.view.state.tr.setMeta(key, this.active?.from ?? null))
      return true
    }
    return false
  }
}

export function suggestions(triggers: Trigger[]): Plugin {
  let menu: Menu | null = null
  return new Plugin<{ dismissed: number | null }>({
    key,
    state: {
      init: () => ({ dismissed: null }),
      apply: (tr, value) => {
        const meta = tr.getMeta(key) as number | null | undefined
        if (meta !== undefined) return { dismissed: meta }
        return value.dismissed === null ? value : { dismissed: tr.mapping.map(value.dismissed) }
      },
    },
    view: (view) => {
      menu = new Menu(view)
      return {
        update: (now, before) => {
          // Only what this person types opens a menu.
          const typed = now.hasFocus() && (before.doc !== now.state.doc || before.selection !== now.state.selection || key.getState(before) !== key.getState(now.state))
          if (typed) menu?.update(activeAt(now.state, triggers, key.getState(now.state)?.dismissed ?? null))
        },
        destroy: () => menu?.close(),
      }
    },
    props: {
      handleKeyDown: (_view, event) => menu?.key(event) ?? false,
      handleDOMEvents: {
        blur: () => {
          menu?.update(null)
          return false
        },
      },
    },
  })
}

/** Types the sign, so that its menu opens. */
export const startSuggestion = (sign: string): Command => (state, dispatch) => {
  const before = state.selection.$from.nodeBefore
  const space = before && !/\s$/.test(before.text ?? '') ? ' ' : ''
  dispatch?.(state.tr.insertText(space + sign))
  return true
}
