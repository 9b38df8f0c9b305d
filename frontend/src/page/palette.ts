// Quick search: type, arrows, Enter. The same search as the search page, asked as one types.
import { find, findAll, make } from './dom'

interface Hit {
  id: string
  type: string
  title: string
  space_name: string
  url: string
}

const WAIT_MS = 120
const ROWS = 8

let dialog: HTMLDialogElement | null = null
let serial = 0

function option(name: string, where: string, url: string, index: number): HTMLElement {
  const row = make('li', { role: 'option', id: `palette-${index}`, 'aria-selected': String(index === 0), 'data-url': url })
  row.append(make('span', { class: 'name' }, name), make('span', { class: 'where' }, where))
  return row
}

function allResults(text: string): string {
  return `/search?q=${encodeURIComponent(text)}`
}

function show(list: HTMLElement, text: string, hits: Hit[]): void {
  const rows = hits.map((hit, index) => option(hit.title, hit.space_name, hit.url, index))
  if (text) rows.push(option(`Search everywhere for “${text}”`, 'Enter', allResults(text), rows.length))
  list.replaceChildren(...rows)
}

async function ask(text: string): Promise<Hit[]> {
  const answer = await fetch(`/api/search?limit=${ROWS}&q=${encodeURIComponent(text)}`, { headers: { Accept: 'application/json' } })
  return answer.ok ? ((await answer.json()) as Hit[]) : []
}

function startingPoints(): Hit[] {
  return findAll<HTMLAnchorElement>('[data-palette]').map((link) => ({
    id: '', type: '', title: link.dataset.palette ?? '', space_name: 'Go to', url: link.href,
  }))
}

function move(list: HTMLElement, input: HTMLInputElement, step: number): void {
  const rows = findAll('[role="option"]', list)
  if (rows.length === 0) return
  const at = rows.findIndex((row) => row.getAttribute('aria-selected') === 'true')
  const next = rows[(at + step + rows.length) % rows.length]
  for (const row of rows) row.setAttribute('aria-selected', String(row === next))
  if (next) {
    input.setAttribute('aria-activedescendant', next.id)
    next.scrollIntoView({ block: 'nearest' })
  }
}

function go(list: HTMLElement, newTab: boolean): void {
  const url = find('[aria-selected="true"]', list)?.dataset.url
  if (!url) return
  if (newTab) window.open(url, '_blank', 'noopener')
  else location.assign(url)
}

function watchInput(input: HTMLInputElement, list: HTMLElement): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const refresh = async () => {
    const text = input.value.trim()
    const mine = ++serial
    const hits = text ? await ask(text).catch(() => []) : startingPoints()
    if (mine === serial) show(list, text, hits)
  }
  input.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => void refresh(), WAIT_MS)
  })
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') move(list, input, 1)
    else if (event.key === 'ArrowUp') move(list, input, -1)
    else if (event.key === 'Enter' && input.value.trim() && serial === 0) location.assign(allResults(input.value.trim()))
    else if (event.key === 'Enter') go(list, event.ctrlKey || event.metaKey)
    else return
    event.preventDefault()
  })
  list.addEventListener('click', (event) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[role="option"]')
    if (row?.dataset.url) location.assign(row.dataset.url)
  })
  void refresh()
}

function build(): HTMLDialogElement {
  const input = make('input', {
    type: 'text', placeholder: 'Search pages, or go to…', role: 'combobox', 'aria-expanded': 'true',
    'aria-controls': 'palette-list', 'aria-label': 'Quick search', autocomplete: 'off', spellcheck: 'false',
  })
  const list = make('ul', { class: 'palette-list', role: 'listbox', id: 'palette-list', 'aria-label': 'Results' })
  const foot = make('div', { class: 'palette-foot' }, '↑↓ to move · Enter to open · Esc to close')
  const box = make('dialog', { class: 'palette', 'aria-label': 'Quick search' }, make('div', { class: 'palette-field' }, input), list, foot)
  document.body.append(box)
  watchInput(input, list)
  return box
}

/** Opens the quick search with an empty field. */
export function openPalette(): void {
  dialog ??= build()
  const input = find<HTMLInputElement>('input', dialog)
  if (dialog.open) return
  dialog.showModal()
  input?.select()
}

export function watchPalette(): void {
  const field = find<HTMLInputElement>('.top-search input')
  field?.addEventListener('pointerdown', (event) => {
    event.preventDefault()
    openPalette()
  })
}
