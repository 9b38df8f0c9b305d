// System, light or dark. The choice lives in a cookie, so that the server draws the right colours at once.
import { findAll, keepChoice } from './dom'

const THEMES = ['system', 'light', 'dark'] as const

function choose(theme: string): void {
  document.documentElement.dataset.theme = theme
  keepChoice('wm_theme', theme)
  for (const button of findAll('[data-set-theme]')) {
    button.setAttribute('aria-pressed', String(button.dataset.setTheme === theme))
  }
}

/** The next theme in turn. */
export function turnTheme(): string {
  const now = THEMES.indexOf((document.documentElement.dataset.theme ?? 'system') as (typeof THEMES)[number])
  const next = THEMES[(now + 1) % THEMES.length] ?? 'system'
  choose(next)
  return next
}

export function watchTheme(): void {
  for (const button of findAll('[data-set-theme]')) {
    button.addEventListener('click', (event) => {
      event.preventDefault()
      choose(button.dataset.setTheme ?? 'system')
    })
  }
}
