// Contrast of the colours, computed from tokens.css: text must pass 4.5:1, icons and borders of controls 3:1.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

declare const FRONTEND_ROOT: string

const css = readFileSync(join(FRONTEND_ROOT, 'styles', 'tokens.css'), 'utf8')

/** Light and dark value of a token. */
function token(name: string): [string, string] {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css)
  assert.ok(found?.[1] && found[2], `token ${name} is missing`)
  return [found[1], found[2]]
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (high + 0.05) / (low + 0.05)
}

function check(foreground: string, background: string, least: number): void {
  for (const theme of [0, 1] as const) {
    const ratio = contrast(token(foreground)[theme], token(background)[theme])
    const name = `${foreground} on ${background}, ${theme ? 'dark' : 'light'}: ${ratio.toFixed(2)}`
    assert.ok(ratio >= least, `${name}, needs ${least}`)
  }
}

test('text passes 4.5:1 on every background it stands on', () => {
  for (const background of ['bg', 'bg-raised', 'bg-sunken', 'bg-code']) {
    for (const text of ['text', 'text-2', 'text-3', 'accent', 'danger', 'warn', 'ok', 'note']) check(text, background, 4.5)
  }
  for (const text of ['text', 'text-2', 'text-3']) check(text, 'bg-hover', 4.5)
  for (const kind of ['accent', 'danger', 'warn', 'ok', 'note']) {
    check(kind, `${kind}-bg`, 4.5)
    check('text', `${kind}-bg`, 4.5)
    check('text-2', `${kind}-bg`, 4.5)
  }
  check('text', 'mark-bg', 4.5)
  check('on-accent', 'accent', 4.5)
  check('on-accent', 'accent-hover', 4.5)
})

test('borders of controls pass 3:1', () => {
  for (const background of ['bg', 'bg-raised', 'bg-sunken']) check('border-control', background, 3)
})
