// Small comforts in a page's body: code can be copied, an expand opens when an address leads into it.
import { findAll, make, toast } from './dom'

function addCopyButton(code: HTMLElement): void {
  const button = make('button', { type: 'button', class: 'button small copy-code' }, 'Copy')
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText((code.querySelector('code') ?? code).innerText)
      button.textContent = 'Copied'
      setTimeout(() => (button.textContent = 'Copy'), 1500)
    } catch {
      toast('The browser did not allow copying.')
    }
  })
  ;(code.closest<HTMLElement>('figure.code') ?? code).append(button)
}

function openTarget(): void {
  if (!location.hash) return
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  for (let at = target?.closest('details'); at; at = at.parentElement?.closest('details')) at.open = true
  if (target?.closest('details')) target.scrollIntoView()
}

export function watchBody(): void {
  if (navigator.clipboard) findAll('.wiki-body pre:has(code)').forEach(addCopyButton)
  addEventListener('hashchange', openTarget)
  openTarget()
}
