// The page tree: one tab stop, arrow keys, type-ahead, branches fetched when they are opened.
// Pattern: navigation treeview of the ARIA Authoring Practices.
import { find, findAll, toast } from './dom'

const TYPE_AHEAD_MS = 700

function group(item: HTMLElement): HTMLElement | null {
  return find(':scope > ul', item.parentElement ?? item)
}

function visible(tree: HTMLElement): HTMLElement[] {
  return findAll('[role="treeitem"]', tree).filter((item) => item.offsetParent !== null)
}

function focusItem(tree: HTMLElement, item: HTMLElement | undefined): void {
  if (!item) return
  for (const other of findAll('[role="treeitem"][tabindex="0"]', tree)) other.tabIndex = -1
  item.tabIndex = 0
  item.focus()
}

async function fetchBranch(item: HTMLElement): Promise<void> {
  const address = item.dataset.children
  if (!address || group(item)) return
  item.setAttribute('aria-busy', 'true')
  try {
    const answer = await fetch(address, { headers: { Accept: 'text/html' } })
    if (!answer.ok) throw new Error(String(answer.status))
    const parsed = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const list = parsed.body.firstElementChild
    if (list && item.parentElement) {
      for (const link of findAll('[role="treeitem"]', list)) link.tabIndex = -1
      item.parentElement.append(document.adoptNode(list))
    }
  } finally {
    item.removeAttribute('aria-busy')
  }
}

async function setOpen(item: HTMLElement, open: boolean): Promise<void> {
  if (!item.hasAttribute('aria-expanded')) return
  try {
    if (open) await fetchBranch(item)
  } catch {
    toast('The pages below could not be fetched. Check the connection and try again.')
    return
  }
  item.setAttribute('aria-expanded', String(open))
  const list = group(item)
  if (list) list.hidden = !open
}

function onArrowRight(tree: HTMLElement, item: HTMLElement): void {
  if (item.getAttribute('aria-expanded') === 'false') void setOpen(item, true)
  else if (item.getAttribute('aria-expanded') === 'true') {
    focusItem(tree, group(item)?.querySelector<HTMLElement>('[role="treeitem"]') ?? undefined)
  }
}

function onArrowLeft(tree: HTMLElement, item: HTMLElement): void {
  if (item.getAttribute('aria-expanded') === 'true') void setOpen(item, false)
  else {
    const parent = item.parentElement?.parentElement?.closest('li')
    focusItem(tree, parent ? (find(':scope > [role="treeitem"]', parent) ?? undefined) : undefined)
  }
}

let typed = ''
let typedAt = 0

function onLetter(tree: HTMLElement, item: HTMLElement, letter: string, now: number): void {
  typed = now - typedAt > TYPE_AHEAD_MS ? letter : typed + letter
  typedAt = now
  const items = visible(tree)
  const start = items.indexOf(item) + (typed.length === 1 ? 1 : 0)
  const turned = [...items.slice(start), ...items.slice(0, start)]
  focusItem(tree, turned.find((it) => (it.textContent ?? '').trim().toLowerCase().startsWith(typed)))
}

function onKey(tree: HTMLElement, event: KeyboardEvent): void {
  const item = (event.target as HTMLElement).closest<HTMLElement>('[role="treeitem"]')
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return
  const items = visible(tree)
  const at = items.indexOf(item)
  switch (event.key) {
    case 'ArrowDown': focusItem(tree, items[at + 1]); break
    case 'ArrowUp': focusItem(tree, items[at - 1]); break
    case 'Home': focusItem(tree, items[0]); break
    case 'End': focusItem(tree, items.at(-1)); break
    case 'ArrowRight': onArrowRight(tree, item); break
    case 'ArrowLeft': onArrowLeft(tree, item); break
    case ' ': item.click(); break
    default:
      if (event.key.length !== 1) return
      onLetter(tree, item, event.key.toLowerCase(), event.timeStamp)
  }
  event.preventDefault()
  event.stopPropagation()
}

export function watchTree(): void {
  const tree = find('[role="tree"]')
  if (!tree) return
  const items = findAll('[role="treeitem"]', tree)
  for (const item of items) item.tabIndex = -1
  const first = items.find((item) => item.getAttribute('aria-current') === 'page') ?? items[0]
  if (first) first.tabIndex = 0
  tree.addEventListener('keydown', (event) => onKey(tree, event))
  tree.addEventListener('click', (event) => {
    const twist = (event.target as HTMLElement).closest('.twist:not(.leaf)')
    const item = twist?.closest<HTMLElement>('[role="treeitem"]')
    if (!item) return
    event.preventDefault()
    void setOpen(item, item.getAttribute('aria-expanded') !== 'true')
  })
}
