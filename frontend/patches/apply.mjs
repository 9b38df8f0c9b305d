// Applies the patches of this folder to the installed packages, and fails loudly when one does not fit.
// Each patch is a unified diff of one file with three header lines: `# file:`, `# before:` and `# after:`
// (SHA-256; `absent` before a file that the patch adds).
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const sha256 = (text) => createHash('sha256').update(text).digest('hex')

function header(patch, key, name) {
  const line = patch.split('\n').find((l) => l.startsWith(`# ${key}: `))
  if (!line) throw new Error(`patch \`${name}\` has no line \`# ${key}:\``)
  return line.slice(key.length + 4).trim()
}

/** The text after all hunks; every context line must be there. */
function applyHunks(text, patch, name) {
  const source = text.split('\n')
  const out = []
  let at = 0
  let open = false
  for (const line of patch.split('\n')) {
    const hunk = /^@@ -(\d+)/.exec(line)
    if (hunk) {
      const start = Math.max(0, Number(hunk[1]) - 1)
      out.push(...source.slice(at, start))
      at = start
      open = true
    } else if (open && (line[0] === ' ' || line[0] === '-')) {
      if (source[at] !== line.slice(1)) throw new Error(`patch \`${name}\` does not fit at line ${at + 1}`)
      if (line[0] === ' ') out.push(source[at])
      at += 1
    } else if (open && line[0] === '+') out.push(line.slice(1))
  }
  return [...out, ...source.slice(at)].join('\n')
}

/** Idempotent: a file that is already patched is left alone. */
export function applyPatches() {
  for (const name of readdirSync(here).filter((f) => f.endsWith('.patch'))) {
    const patch = readFileSync(join(here, name), 'utf8')
    const file = join(here, '..', header(patch, 'file', name))
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const state = existsSync(file) ? sha256(text) : 'absent'
    if (state === header(patch, 'after', name)) continue
    if (state !== header(patch, 'before', name)) {
      throw new Error(`\`${file}\` is not the version that patch \`${name}\` was made for; run \`npm ci\``)
    }
    const patched = applyHunks(text, patch, name)
    if (sha256(patched) !== header(patch, 'after', name)) throw new Error(`patch \`${name}\` gave another result than expected`)
    writeFileSync(file, patched)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) applyPatches()
