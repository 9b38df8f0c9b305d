// The page's title: a text box bound to the shared text `title`.
import type * as Y from 'yjs'
import { difference } from './difference'
import { make } from './ui/dom'

const TITLE_MAX = 255

export class TitleBox {
  readonly element = make('textarea', { class: 'editor-title', 'aria-label': 'Page title', placeholder: 'Untitled', rows: '1', maxlength: String(TITLE_MAX), spellcheck: 'true', enterkeyhint: 'next' })
  private text: Y.Text | null = null
  private readonly observer = () => this.show()

  constructor(private readonly onEnter: () => void) {
    this.element.addEventListener('input', () => this.write())
    this.element.addEventListener('keydown', (event) => {
      const isEnd = event.key === 'ArrowDown' && this.element.selectionEnd === this.element.value.length
      if (event.isComposing || (event.key !== 'Enter' && !isEnd)) return
      event.preventDefault()
      this.onEnter()
    })
  }

  bind(text: Y.Text): void {
    this.text?.unobserve(this.observer)
    this.text = text
    text.observe(this.observer)
    this.show()
  }

  setEditable(editable: boolean): void {
    this.element.readOnly = !editable
  }

  private write(): void {
    const { text, element } = this
    if (!text) return
    const value = element.value.replace(/[\r\n]+/g, ' ')
    const { at, remove, insert } = difference(text.toString(), value)
    text.doc?.transact(() => {
      if (remove > 0) text.delete(at, remove)
      if (insert !== '') text.insert(at, insert)
    }, this)
    this.fit()
  }

  private show(): void {
    const { element } = this
    const value = this.text?.toString() ?? ''
    if (element.value !== value) {
      const { at, remove, insert } = difference(element.value, value)
      const moved = (pos: number) => (pos <= at ? pos : Math.max(at, pos - remove) + insert.length)
      const [start, end] = [moved(element.selectionStart), moved(element.selectionEnd)]
      element.value = value
      if (document.activeElement === element) element.setSelectionRange(start, end)
    }
    this.fit()
  }

  /** Browsers without `field-sizing` get the height from here. */
  fit(): void {
    if (CSS.supports('field-sizing', 'content')) return
    this.element.style.height = 'auto'
    this.element.style.height = `${this.element.scrollHeight}px`
  }
}
