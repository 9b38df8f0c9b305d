// Who wrote what: pressing an author's name shows only that author's passages.
import { findAll } from './dom'

export function watchAuthors(): void {
  const buttons = findAll<HTMLButtonElement>('button[data-author]')
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const isOn = button.getAttribute('aria-pressed') !== 'true'
      for (const other of buttons) other.setAttribute('aria-pressed', String(isOn && other === button))
      for (const passage of findAll('.wiki-body [data-by]')) {
        passage.classList.toggle('dimmed', isOn && passage.dataset.by !== button.dataset.author)
      }
    })
  }
}
