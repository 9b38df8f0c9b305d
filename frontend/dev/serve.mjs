// `npm run dev`: the editor without the program. One page in memory, as many people as there are windows
// (`/?user=ann`, `/?user=bob`), rebuilt at every start. Nothing is kept.
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as esbuild from 'esbuild'
import { applyPatches } from '../patches/apply.mjs'
import { accept } from './websocket.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = join(root, 'node_modules', '.dev')
const port = Number(process.env.PORT ?? 8091)
const styles = process.env.STYLES ?? join(root, 'styles')

applyPatches()
mkdirSync(out, { recursive: true })
const common = { absWorkingDir: root, bundle: true, conditions: ['import', 'module'], logLevel: 'warning', format: 'esm' }
await esbuild.build({ ...common, entryPoints: ['src/page.ts', 'src/editor.ts', 'src/editor.css'], outdir: out, sourcemap: 'inline' })
await esbuild.build({ ...common, entryPoints: [join(styles, 'page.css')], outfile: join(out, 'page.css') })
await esbuild.build({ ...common, entryPoints: ['dev/room.ts', 'dev/seed.ts'], outdir: out, platform: 'node', outExtension: { '.js': '.mjs' }, splitting: true })
const { Room } = await import(pathToFileURL(join(out, 'room.mjs')))
const { seed } = await import(pathToFileURL(join(out, 'seed.mjs')))

const room = new Room((ydoc) => seed(ydoc, Number(process.env.BLOCKS ?? 0)))
const files = new Map()
const people = { ann: ['Ann Lee', 210], bob: ['Bob Stone', 340], cy: ['Cy Ono', 150], dee: ['Dee Fox', 30], eve: ['Eve Hart', 260] }

function page(user, theme) {
  const [name] = people[user] ?? [user]
  return `<!doctype html><html lang="en" data-theme="${theme}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="csrf-token" content="dev"><title>${room.ydoc.getText('title')}</title><link rel="stylesheet" href="/assets/page.css"><script type="module" src="/assets/page.js"></script></head>
<body><header class="topbar"><a class="brand" href="/">Watersmeet</a></header><div class="frame no-sidebar"><main class="main" id="main">
<wm-page data-page-id="42" data-document="page-42" data-space="DEV" data-version="3" data-can-edit="true" data-unpublished="false" data-user="${user}" data-user-name="${name}" data-editor-src="/assets/editor.js" data-editor-css="/assets/editor.css" data-autoedit="false">
<div class="toolbar"><nav class="crumbs"><ol><li><a href="/">Development</a></li><li><a href="/">Guides</a></li></ol></nav><button type="button" class="button primary small" data-action="edit">Edit</button></div>
<div class="article"><div class="column"><h1 data-part="title">${room.ydoc.getText('title')}</h1><p class="byline">Ann Lee · today</p><div class="wiki-body" data-part="body"><p>The published text.</p></div><div data-part="rest"><section><h2>Comments</h2></section></div></div></div>
</wm-page></main></div></body></html>`
}

const json = (response, value) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
const TYPES = { js: 'text/javascript', css: 'text/css' }

function asset(response, name) {
  const type = TYPES[name.split('.').pop()]
  if (!type || /[^\w.-]/.test(name)) return response.writeHead(404).end()
  return response.writeHead(200, { 'content-type': type }).end(readFileSync(join(out, name)))
}

function renderPiece(request, response) {
  let body = ''
  request.on('data', (part) => (body += part))
  request.on('end', () => {
    const user = /ri:username=\\"(\w+)/.exec(body)?.[1]
    json(response, { html: user ? `<p>${(people[user] ?? [user])[0]}</p>` : '<p>As the reader <strong>sees</strong> it.</p>' })
  })
}

function saveFile(request, response) {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    const end = body.indexOf('\r\n\r\n')
    const about = body.subarray(0, end).toString()
    const name = /filename="([^"]+)"/.exec(about)?.[1] ?? 'file'
    const media_type = /Content-Type: (\S+)/i.exec(about)?.[1] ?? 'application/octet-stream'
    files.set(name, { media_type, bytes: body.subarray(end + 4, body.lastIndexOf('\r\n--')) })
    json(response, [{ id: 1, name, media_type, size: body.length, url: `/download/attachments/42/${name}` }])
  })
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://dev')
  const { pathname: path, searchParams: q } = url
  if (path.startsWith('/assets/')) return asset(response, path.slice(8))
  if (path.startsWith('/download/')) {
    const file = files.get(decodeURIComponent(path.split('/').pop()))
    return file ? response.writeHead(200, { 'content-type': file.media_type }).end(file.bytes) : response.writeHead(404).end()
  }
  if (path === '/api/users') return json(response, Object.entries(people).map(([name, [full_name]]) => ({ name, full_name })).filter((u) => `${u.name} ${u.full_name}`.toLowerCase().includes((q.get('q') ?? '').toLowerCase())))
  if (path === '/api/search') return json(response, ['Release plan', 'Team handbook', 'Incident review'].filter((t) => t.toLowerCase().includes((q.get('q') ?? '').toLowerCase())).map((title, id) => ({ id, type: 'page', title, space: 'DEV', space_name: 'Development', url: '#', excerpt: '' })))
  if (path === '/api/render') return renderPiece(request, response)
  if (path.endsWith('/attachments') && request.method === 'POST') return saveFile(request, response)
  if (path.endsWith('/publish')) {
    room.toAll({ type: 'event', json: JSON.stringify({ event: 'published', version: 4, by: 'Ann Lee', message: '' }) })
    return json(response, { version: 4, url: '/' })
  }
  if (path.endsWith('/discard')) {
    room.reset(1)
    return json(response, {})
  }
  if (path === '/dev/text') return response.end(room.ydoc.getXmlFragment('default').toString())
  if (path.endsWith('/connection')) return json(response, { document: 'page-42', token: '', token_expires_at_ms: Number.MAX_SAFE_INTEGER, paths: [{ name: 'direct', url: '/synchrony/v1' }, { name: 'internal proxy', url: '/synchrony-proxy/v1' }], transports: ['websocket'], heartbeat_ms: 20000, mode: 'on' })
  // Any frame to everybody, e.g. /dev/frame?json={"type":"access","rights":1,"cause":2,"reason":""}
  if (path === '/dev/frame') {
    room.toAll(JSON.parse(q.get('json')))
    return response.end('sent')
  }
  if (path === '/dev/refuse') {
    room.refuseWith = Number(q.get('reason')) || null
    return response.end('done')
  }
  if (path === '/dev/away') {
    isAway = q.get('on') === '1'
    if (isAway) room.disconnectAll(1012)
    return response.end('done')
  }
  if (path === '/dev/cut') {
    room.disconnectAll(1012)
    return response.end('cut')
  }
  if (path !== '/') return response.writeHead(404).end()
  return response.writeHead(200, { 'content-type': 'text/html', 'set-cookie': `user=${q.get('user') ?? 'ann'}` }).end(page(q.get('user') ?? 'ann', q.get('theme') ?? 'light'))
})

/** Whether the engine is away while the wiki answers. */
let isAway = false
server.on('upgrade', (request, socket) => {
  if (isAway) return socket.destroy()
  const user = /user=(\w+)/.exec(request.headers.cookie ?? '')?.[1] ?? 'ann'
  const [name, hue] = people[user] ?? [user, 90]
  const client = accept(request, socket, { message: (bytes) => room.receive(id, bytes), closed: () => room.leave(id) })
  const id = room.join(client, JSON.stringify({ user, name, hue }))
})
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/?user=ann`))
