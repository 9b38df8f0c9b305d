// History: exactly two versions are chosen. Comparison: walk from change to change.
import { find, findAll } from './dom'

function watchChoice(form: HTMLFormElement): void {
  const boxes = findAll<HTMLInputElement>('input[name="version"]', form)
  const button = find<HTMLButtonElement>('button[data-compare]', form)
  let order: HTMLInputElement[] = boxes.filter((box) => box.checked)
  const refresh = () => {
    if (button) button.disabled = order.length !== 2
  }
  for (const box of boxes) {
    box.addEventListener('change', () => {
      order = order.filter((other) => other !== box)
      if (box.checked) order.push(box)
      while (order.length > 2) {
        const oldest = order.shift()
        if (oldest) oldest.checked = false
      }
      refresh()
    })
  }
  refresh()
}

function watchChanges(bar: HTMLElement): void {
  const changes = findAll('.wiki-body :is(ins, del, .diff-added, .diff-removed)').filter(
    (change) => !change.parentElement?.closest('ins, del, .diff-added, .diff-removed'),
  )
  const counter = find('[data-change-count]', bar)
  let at = -1
  const go = (step: number) => {
    if (changes.length === 0) return
    changes[at]?.classList.remove('diff-here')
    at = (at + step + changes.length) % changes.length
    changes[at]?.classList.add('diff-here')
    changes[at]?.scrollIntoView({ block: 'center' })
    if (counter) counter.textContent = `${at + 1} of ${changes.length}`
  }
  if (counter) counter.textContent = changes.length === 1 ? '1 change' : `${changes.length} changes`
  find('[data-change="next"]', bar)?.addEventListener('click', () => go(1))
  find('[data-change="previous"]', bar)?.addEventListener('click', () => {
    if (at < 0) at = 0
    go(-1)
  })
  for (const button of findAll('[data-change]', bar)) button.hidden = changes.length === 0
}

export function watchComparison(): void {
  const form = find<HTMLFormElement>('form[data-versions]')
  if (form) watchChoice(form)
  const bar = find('.compare-bar')
  if (bar) watchChanges(bar)
}
