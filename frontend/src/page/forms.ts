// Forms: no double sending, a question before what cannot be undone, Ctrl+Enter in a comment, files dropped on a field.
import { find, findAll } from './dom'

function watchDrop(zone: HTMLElement): void {
  const input = find<HTMLInputElement>('input[type="file"]', zone)
  if (!input) return
  const over = (event: DragEvent) => {
    event.preventDefault()
    zone.classList.add('over')
  }
  zone.addEventListener('dragenter', over)
  zone.addEventListener('dragover', over)
  zone.addEventListener('dragleave', () => zone.classList.remove('over'))
  zone.addEventListener('drop', (event) => {
    event.preventDefault()
    zone.classList.remove('over')
    if (event.dataTransfer?.files.length) {
      input.files = event.dataTransfer.files
      input.dispatchEvent(new Event('change', { bubbles: true }))
    }
  })
}

export function watchForms(): void {
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement
    const question = form.dataset.confirm
    if (question && !confirm(question)) {
      event.preventDefault()
      return
    }
    for (const button of findAll<HTMLButtonElement>('button:not([type="button"])', form)) {
      button.setAttribute('aria-busy', 'true')
      setTimeout(() => (button.disabled = true))
    }
  })
  addEventListener('pageshow', () => {
    for (const button of findAll<HTMLButtonElement>('button[aria-busy="true"]')) {
      button.disabled = false
      button.removeAttribute('aria-busy')
    }
  })
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    if (event.target instanceof HTMLTextAreaElement) event.target.form?.requestSubmit()
  })
  document.addEventListener('toggle', (event) => {
    const details = event.target as HTMLDetailsElement
    if (details.open && details.closest('.comment-acts')) find('textarea', details)?.focus()
  }, true)
  for (const select of findAll<HTMLSelectElement>('select[data-submit]')) {
    select.addEventListener('change', () => select.form?.requestSubmit())
  }
  findAll('.drop').forEach(watchDrop)
}
