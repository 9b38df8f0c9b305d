// Builds the browser's files into dist/: content-hashed names, precompressed, listed in manifest.json.
// Fails when a budget is exceeded, so that no page grows unnoticed.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'
import { applyPatches } from './patches/apply.mjs'

const root = dirname(fileURLToPath(import.meta.url))
const dist = join(root, 'dist')

/** Name in the manifest -> source. */
const ENTRIES = {
  'page.js': 'src/page.ts',
  'editor.js': 'src/editor.ts',
  'page.css': 'styles/page.css',
  'editor.css': 'src/editor.css',
}

/** Largest brotli size in bytes of all files of a line together. */
const BUDGETS = [
  { names: ['page.js'], bytes_max: 30_000 },
  { names: ['page.css'], bytes_max: 15_000 },
  { names: ['editor.js', 'editor.css'], bytes_max: 150_000 },
]

function options() {
  return {
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    legalComments: 'none',
    charset: 'utf8',
    write: false,
    outdir: dist,
    logLevel: 'warning',
    conditions: ['import', 'module'],
    define: { 'process.env.NODE_ENV': '"production"' },
  }
}

async function compile(name, source) {
  const result = await esbuild.build({ ...options(), entryPoints: [source] })
  const suffix = name.slice(name.lastIndexOf('.'))
  const file = result.outputFiles.find((f) => f.path.endsWith(suffix))
  if (!file) throw new Error(`\`${source}\` gave no ${suffix} file`)
  return Buffer.from(file.contents)
}

/** Writes one file with its compressed forms; gives its public name and brotli size. */
function publish(name, bytes) {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const [stem, suffix] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.'))]
  const file = `${stem}-${hash}${suffix}`
  const br = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  })
  writeFileSync(join(dist, file), bytes)
  writeFileSync(join(dist, `${file}.br`), br)
  writeFileSync(join(dist, `${file}.gz`), gzipSync(bytes, { level: 9 }))
  return { file, size: br.length }
}

function overBudget(sizes) {
  return BUDGETS.flatMap(({ names, bytes_max }) => {
    const total = names.reduce((sum, name) => sum + sizes[name], 0)
    console.log(`${names.join(' + ')}: ${total} of ${bytes_max} bytes (brotli)`)
    return total > bytes_max ? [`${names.join(' + ')} is ${total} bytes, the budget is ${bytes_max}`] : []
  })
}

async function build() {
  applyPatches()
  const compiled = {}
  for (const [name, source] of Object.entries(ENTRIES)) compiled[name] = await compile(name, source)
  if (existsSync(dist)) for (const old of readdirSync(dist)) rmSync(join(dist, old), { recursive: true })
  mkdirSync(dist, { recursive: true })
  const manifest = {}
  const sizes = {}
  for (const [name, bytes] of Object.entries(compiled)) {
    const { file, size } = publish(name, bytes)
    manifest[name] = file
    sizes[name] = size
  }
  writeFileSync(join(dist, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const complaints = overBudget(sizes)
  if (complaints.length > 0) throw new Error(`over budget: ${complaints.join('; ')}`)
}

async function watch() {
  const { watch: watchFiles } = await import('node:fs')
  let timer
  const again = () => {
    clearTimeout(timer)
    timer = setTimeout(() => build().catch((error) => console.error(error.message)), 100)
  }
  for (const folder of ['src', 'styles']) watchFiles(join(root, folder), { recursive: true }, again)
  again()
}

if (process.argv.includes('--watch')) await watch()
else {
  await build().catch((error) => {
    console.error(error.message)
    process.exit(1)
  })
}
