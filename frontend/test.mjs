// Bundles every src/**/*.test.ts (and dev/**/*.test.ts) and runs them with Node's own test runner.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import { applyPatches } from './patches/apply.mjs'

const root = dirname(fileURLToPath(import.meta.url))
const out = join(root, 'node_modules', '.tests')
const wanted = process.argv.slice(2)

applyPatches()
const tests = readdirSync(join(root, 'src'), { recursive: true })
  .filter((name) => name.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((w) => name.includes(w))))
  .map((name) => join('src', name))
if (tests.length === 0) {
  console.error('no test matches')
  process.exit(1)
}
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
await esbuild.build({
  absWorkingDir: root,
  entryPoints: tests,
  outdir: out,
  outbase: root,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  conditions: ['import', 'module'],
  sourcemap: 'inline',
  logLevel: 'warning',
  define: { FRONTEND_ROOT: JSON.stringify(root) },
})
const files = readdirSync(out, { recursive: true }).filter((n) => n.endsWith('.test.mjs')).map((n) => join(out, n))
const run = spawnSync(process.execPath, ['--test', '--enable-source-maps', ...files], { stdio: 'inherit' })
process.exit(run.status ?? 1)
