// Small forms beside the text: a link, a status, a date.
import type { Command, EditorState } from 'prosemirror-state'
import { NodeSelection, TextSelection } from 'prosemirror-state'
import type { EditorView } from 'prosemirror-view'
import { api, type FoundPage } from '../api'
import { insertInline, mark, node } from '../commands'
import { isSafeHref } from '../marks'
import { STATUS_COLOURS } from '../nodes/atoms'
import { param, resource, withParam } from '../params'
import { schema } from '../schema'
import { announce, make } from './dom'
import { Popover } from './popup'

// --- links

interface Target {
  name: 'link' | 'resource_link'
  attrs: Record<string, unknown>
  text: string
}

/** The link around the cursor, with its range in the text block. */
export function linkAround(state: EditorState): { from: number; to: number; name: string; shown: string; href: string } | null {
  const { $from } = state.selection
  const { parent, parentOffset } = $from
  const at = parent.childAfter(parentOffset).node ? parent.childAfter(parentOffset) : parent.childBefore(parentOffset)
  const isLink = (n: typeof at.node) => n?.marks.find((m) => m.type.name === 'link' || m.type.name === 'resource_link')
  const found = isLink(at.node) ?? isLink($from.nodeBefore)
  if (!found) return null
  let from = -1
  let to = -1
  parent.forEach((child, offset) => {
    if (!found.isInSet(child.marks)) return
    const start = $from.start() + offset
    const end = start + child.nodeSize
    if (to === start) to = end
    else if (to < $from.pos) [from, to] = [start, end]
  })
  if (from < 0 || from > $from.pos || to < $from.pos) return null
  const target = resource(found.attrs)
  const href = found.type.name === 'link' ? String(found.attrs.href) : ''
  return { from, to, name: found.type.name, href, shown: href || String(target?.['content-title'] ?? target?.filename ?? found.attrs.anchor ?? 'link') }
}

function apply(view: EditorView, target: Target, range: { from: number; to: number }): void {
  const { tr } = view.state
  const link = mark(target.name).create(target.attrs)
  if (range.from === range.to) tr.insert(range.from, schema.text(target.text, [link]))
  else tr.removeMark(range.from, range.to, mark('link')).removeMark(range.from, range.to, mark('resource_link')).addMark(range.from, range.to, link)
  const end = range.from === range.to ? range.from + target.text.length : range.to
  view.dispatch(tr.setSelection(TextSelection.create(tr.doc, end)).removeStoredMark(link).scrollIntoView())
  view.focus()
}

function pageTarget(page: FoundPage, space: string): Target {
  const type = page.type === 'blogpost' || page.type === 'blog-post' ? 'blog-post' : 'page'
  const inSpace = page.space === space ? {} : { 'space-key': page.space }
  return { name: 'resource_link', attrs: { resource: JSON.stringify({ type, 'content-title': page.title, ...inSpace }) }, text: page.title }
}

function addressTarget(value: string): Target | null {
  const href = /^[\w-]+(\.[\w-]+)+([/?#]|$)/.test(value) ? `https://${value}` : value
  const isAddress = /^(https?:|mailto:|ftp:|\/|#)/i.test(href) || /^[\w.+-]+@[\w-]+\.\w+$/.test(value)
  if (!isAddress || !isSafeHref(href)) return null
  return { name: 'link', attrs: { href: /@/.test(value) && !/:/.test(value) ? `mailto:${value}` : href }, text: value }
}

/** The rows under the field: the address itself, then pages of that name. */
class LinkResults {
  readonly element = make('div', { class: 'results', role: 'listbox', id: 'link-results', 'aria-label': 'Pages' })
  private targets: Target[] = []
  private index = 0
  private asked = 0

  constructor(private readonly space: string, private readonly choose: (target: Target) => void) {}

  async search(value: string): Promise<void> {
    const asked = (this.asked += 1)
    const address = addressTarget(value)
    const pages = value === '' || address ? [] : await api.searchPages(value, this.space).catch(() => [])
    if (asked !== this.asked) return
    const rows = pages.map((page) => ({ target: pageTarget(page, this.space), title: page.title, where: page.space_name }))
    if (address) rows.unshift({ target: address, title: value, where: 'Link to this address' })
    this.targets = rows.map((row) => row.target)
    this.index = 0
    this.element.replaceChildren(...rows.map((row, i) => make('div', { role: 'option', class: 'suggest-item', 'aria-selected': String(i === 0), onclick: () => this.choose(row.target) }, make('span', { class: 'suggest-text' }, make('span', { class: 'suggest-title' }, row.title), make('span', { class: 'suggest-hint' }, row.where)))))
    if (value !== '' && rows.length === 0) this.element.replaceChildren(make('div', { class: 'suggest-empty', role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, 'No page of that name. A web address starts with https://'))
    announce(rows.length === 0 ? 'No page found' : `${rows.length} found`)
  }

  key(event: KeyboardEvent): void {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && this.targets.length > 0) {
      event.preventDefault()
      this.index = (this.index + step + this.targets.length) % this.targets.length
      ;[...this.element.children].forEach((row, i) => row.setAttribute('aria-selected', String(i === this.index)))
    }
    if (event.key !== 'Enter') return
    event.preventDefault()
    const target = this.targets[this.index]
    if (target) this.choose(target)
  }
}

/** Opens the link form for the selection, or for the link around the cursor. */
export const editLink = (space: string): Command => (state, _dispatch, view) => {
  if (!view || state.selection.$from.parent.type.spec.code) return false
  const around = linkAround(state)
  const range = state.selection.empty && around ? around : { from: state.selection.from, to: state.selection.to }
  const results = new LinkResults(space, (target) => {
    popover.close()
    apply(view, target, range)
  })
  const field = make('input', { class: 'input', type: 'text', 'aria-label': 'Page or address', placeholder: 'Search pages or paste an address', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'link-results', autocomplete: 'off' })
  field.value = around?.href ?? ''
  field.addEventListener('input', () => void results.search(field.value.trim()))
  field.addEventListener('keydown', (event) => results.key(event))
  const popover = new Popover('Link', 'link-form', [field, results.element], view.coordsAtPos(range.from), () => view.focus())
  const selected = state.doc.textBetween(range.from, range.to, ' ').slice(0, 60)
  void results.search(field.value || selected)
  return true
}

export const removeLink: Command = (state, dispatch) => {
  const around = linkAround(state)
  if (!around) return false
  dispatch?.(state.tr.removeMark(around.from, around.to, mark('link')).removeMark(around.from, around.to, mark('resource_link')))
  return true
}

// --- atoms

/** Puts a new piece at the cursor, or changes the selected one of this kind. */
function putAtom(view: EditorView, name: string, attrs: Record<string, unknown>): void {
  const { selection } = view.state
  if (selection instanceof NodeSelection && selection.node.type.name === name) {
    const tr = view.state.tr.setNodeMarkup(selection.from, null, { ...selection.node.attrs, ...attrs })
    view.dispatch(tr.setSelection(NodeSelection.create(tr.doc, selection.from)))
  } else insertInline(() => node(name).create(attrs))(view.state, view.dispatch)
  view.focus()
}

function selectedAttrs(state: EditorState, name: string): Record<string, unknown> {
  const { selection } = state
  return selection instanceof NodeSelection && selection.node.type.name === name ? selection.node.attrs : {}
}

export const editStatus: Command = (state, _dispatch, view) => {
  if (!view) return true
  const now = selectedAttrs(state, 'status')
  const text = make('input', { class: 'input', type: 'text', 'aria-label': 'Text', maxlength: '80', value: param(now, 'title') || '' })
  const colours = STATUS_COLOURS.map((colour) => {
    const radio = make('input', { type: 'radio', name: 'colour', value: colour, checked: colour === (param(now, 'colour') || 'Grey') })
    return make('label', { class: `colour status status-${colour.toLowerCase()}` }, radio, colour)
  })
  const form = make('form', { class: 'stack' }, text, make('div', { class: 'colours', role: 'radiogroup', 'aria-label': 'Colour' }, ...colours), make('button', { type: 'submit', class: 'button primary small' }, 'Done'))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const colour = String(new FormData(form).get('colour') ?? 'Grey')
    const params = withParam({ params: withParam({ params: now.params }, 'colour', colour === 'Grey' ? '' : colour) }, 'title', text.value.trim() || 'status')
    popover.close()
    putAtom(view, 'status', { params })
  })
  const popover = new Popover('Status', 'small-form', [form], view.coordsAtPos(state.selection.from), () => view.focus())
  return true
}

export const editDate: Command = (state, _dispatch, view) => {
  if (!view) return true
  const today = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10)
  const field = make('input', { class: 'input', type: 'date', 'aria-label': 'Date', value: String(selectedAttrs(state, 'date').datetime ?? today) })
  const form = make('form', { class: 'row' }, field, make('button', { type: 'submit', class: 'button primary small' }, 'Done'))
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    popover.close()
    if (field.value) putAtom(view, 'date', { datetime: field.value })
  })
  const popover = new Popover('Date', 'small-form', [form], view.coordsAtPos(state.selection.from), () => view.focus())
  return true
}
