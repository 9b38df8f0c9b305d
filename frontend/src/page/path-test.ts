// The administrator's test of the way from this browser to the sync engine: every path, every transport, step by step.
import { find, make } from './dom'

interface Path {
  name: string
  url: string
}

interface Plan {
  token: string
  paths: Path[]
  public_url: string
  transports: string[]
}

type Verdict = 'ok' | 'warn' | 'fault'

interface Finding {
  verdict: Verdict
  /** What was seen, and what to do about it. */
  text: string
}

interface Step {
  name: string
  run: (path: Path, plan: Plan) => Promise<Finding>
}

/** How long a step may take. */
const STEP_MAX_MS = 8000
/** The pad and the first event must be here by then, or something on the way holds streams back. */
const STREAM_WITHIN_MS = 1000
const EVENT_EVERY_MS = 400
const EVENTS = 4
const UPLOAD_BYTES = 1 << 20

const ok = (text: string): Finding => ({ verdict: 'ok', text })
const warn = (text: string): Finding => ({ verdict: 'warn', text })
const fault = (text: string): Finding => ({ verdict: 'fault', text })
const ms = (since: number) => `${Math.round(performance.now() - since)} ms`

function ask(path: Path, plan: Plan, place: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${path.url}${place}`, { cache: 'no-store', signal: AbortSignal.timeout(STEP_MAX_MS), ...init, headers: { authorization: `Bearer ${plan.token}`, ...init.headers } })
}

async function heartbeat(path: Path): Promise<Finding> {
  const began = performance.now()
  const answer = await fetch(`${path.url.replace(/\/v1$/, '')}/heartbeat`, { cache: 'no-store', signal: AbortSignal.timeout(STEP_MAX_MS) })
  const text = (await answer.text()).trim()
  if (answer.ok && text === 'OK') return ok(`answers in ${ms(began)}`)
  if (answer.status === 404) return fault('404: the proxy in front sends this path to something that is not the sync engine, or the internal proxy is switched off')
  if (answer.status >= 500) return fault(`${answer.status}: the proxy in front cannot reach the sync engine; is it running, and is its port open?`)
  return fault(`${answer.status}, and not the engine's answer: something else is at this address`)
}

/** A PING frame with this number; the answer is PONG, 0x89, with the same. */
const PING = new Uint8Array([4, 42, 0])

function webSocket(path: Path): Promise<Finding> {
  return new Promise((resolve) => {
    const began = performance.now()
    const url = new URL(`${path.url}/live`, location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    let sent = 0
    const end = (finding: Finding) => {
      clearTimeout(timer)
      socket.onclose = null
      socket.close()
      resolve(finding)
    }
    const timer = setTimeout(() => end(fault(sent === 0 ? 'no answer to the upgrade: a proxy holds it' : 'opened, but frames do not come back: a proxy in between holds them')), STEP_MAX_MS)
    socket.onopen = () => {
      sent = performance.now()
      socket.send(PING)
    }
    socket.onmessage = (event) => {
      const frame = new Uint8Array(event.data as ArrayBuffer)
      if (frame[0] === 0x89) end(ok(`echo in ${ms(sent)}, opened in ${Math.round(sent - began)} ms`))
    }
    socket.onclose = () => end(fault('refused: the proxy in front does not forward the upgrade. Apache: `upgrade=websocket` on ProxyPass; nginx: `proxy_http_version 1.1` and the headers Upgrade and Connection'))
  })
}

async function eventStream(path: Path, plan: Plan): Promise<Finding> {
  const began = performance.now()
  const answer = await ask(path, plan, `/probe/events?count=${EVENTS}&every_ms=${EVENT_EVERY_MS}`, { headers: { accept: 'text/event-stream' } })
  if (!answer.ok || !answer.body) return fault(`${answer.status}: the event stream is refused`)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  const came: number[] = []
  let first = 0
  let text = ''
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    first ||= performance.now() - began
    text += piece.value
    for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
      if (text.slice(0, at).includes('data:')) came.push(performance.now())
      text = text.slice(at + 2)
    }
  }
  if (came.length < EVENTS) return fault(`cut off after ${came.length} of ${EVENTS} events`)
  const span = came.at(-1)! - came[0]!
  if (span < (EVENT_EVERY_MS * (EVENTS - 1)) / 2) return fault('all events came at once: a proxy holds the stream back. nginx: `proxy_buffering off` or `proxy_http_version 1.1`; also look for compression')
  return first > STREAM_WITHIN_MS ? warn(`the beginning took ${Math.round(first)} ms; long poll is used instead`) : ok(`first bytes after ${Math.round(first)} ms, events one by one`)
}

async function longPoll(path: Path, plan: Plan): Promise<Finding> {
  const began = performance.now()
  const answer = await ask(path, plan, '/probe/wait?seconds=2', { method: 'POST' })
  if (!answer.ok) return fault(`${answer.status}: a request that waits is refused`)
  const { waited_ms } = (await answer.json()) as { waited_ms: number }
  return ok(`waits and answers, ${Math.max(0, Math.round(performance.now() - began - waited_ms))} ms on the way`)
}

async function upload(path: Path, plan: Plan): Promise<Finding> {
  const began = performance.now()
  const answer = await ask(path, plan, '/probe/upload', { method: 'POST', body: new Uint8Array(UPLOAD_BYTES), headers: { 'content-type': 'application/octet-stream' } })
  if (answer.status === 413) return fault('413: the proxy in front takes less than 1 MB. nginx: `client_max_body_size`')
  if (!answer.ok) return fault(`${answer.status}: a POST of 1 MB is refused`)
  const { bytes } = (await answer.json()) as { bytes: number }
  return bytes === UPLOAD_BYTES ? ok(`1 MB in ${ms(began)}`) : fault(`only ${bytes} of ${UPLOAD_BYTES} bytes arrived`)
}

async function headers(path: Path, plan: Plan): Promise<Finding> {
  const answer = await ask(path, plan, '/probe/headers', { method: 'POST' })
  if (!answer.ok) return fault(`${answer.status}`)
  const seen = (await answer.json()) as Record<string, string | null>
  const target = new URL(path.url, location.href)
  const host = seen.forwarded_host ?? seen.host
  if (host !== target.host && path.name === 'direct') return warn(`the server sees the host ${host ?? '(none)'} instead of ${target.host}. Apache: \`ProxyPreserveHost On\`; nginx: \`proxy_set_header Host $host\``)
  const proto = `${seen.forwarded_proto ?? target.protocol.replace(':', '')}:`
  if (proto !== target.protocol) return warn(`the server believes the page is at ${proto}// while it is at ${target.protocol}//; set X-Forwarded-Proto`)
  if (new URL(plan.public_url).host !== location.host) return warn(`this page is at ${location.host}, the configured public address is ${plan.public_url}`)
  return ok(`host ${host ?? '(none)'}, ${seen.http_version ?? ''}, from ${seen.client_address ?? 'unknown'}`)
}

async function switchedOff(): Promise<Finding> {
  return warn('switched off by the setting `sync.transports`: browsers do not try it')
}

function steps(plan: Plan): Step[] {
  const allowed = (name: string, run: Step['run']): Step['run'] => (plan.transports.includes(name) ? run : switchedOff)
  return [
    { name: 'Heartbeat', run: heartbeat },
    { name: 'WebSocket', run: allowed('websocket', webSocket) },
    { name: 'Event stream', run: allowed('event-stream', eventStream) },
    { name: 'Long poll', run: allowed('long-poll', longPoll) },
    { name: 'Upload', run: upload },
    { name: 'Address', run: headers },
  ]
}

const SIGNS: Record<Verdict, [string, string]> = { ok: ['ok', 'Works'], warn: ['warn', 'Look'], fault: ['danger', 'Fails'] }

async function testPath(path: Path, plan: Plan, box: HTMLElement): Promise<void> {
  const list = make('ul', { class: 'path-steps' })
  const name = path.name.charAt(0).toUpperCase() + path.name.slice(1)
  box.append(make('h3', {}, `${name} `, make('code', {}, new URL(path.url, location.href).href)), list)
  for (const step of steps(plan)) {
    const sign = make('span', { class: 'badge' }, 'Testing')
    const text = make('span', {})
    list.append(make('li', {}, sign, make('b', {}, step.name), text))
    let finding: Finding
    try {
      finding = await step.run(path, plan)
    } catch (error) {
      finding = fault((error as Error).name === 'TimeoutError' ? `no answer within ${STEP_MAX_MS / 1000} s` : 'cannot be reached from this browser: wrong address, closed port, or a certificate that the browser refuses')
    }
    const [colour, word] = SIGNS[finding.verdict]
    sign.className = `badge ${colour}`
    sign.textContent = word
    text.textContent = finding.text
    // Without the engine itself the other steps say nothing new.
    if (step.name === 'Heartbeat' && finding.verdict === 'fault') return
  }
}

async function run(box: HTMLElement): Promise<void> {
  const answer = await fetch('/api/admin/paths', { cache: 'no-store' })
  if (!answer.ok) {
    box.replaceChildren(make('p', {}, 'The test could not be started. Reload the page and try again.'))
    return
  }
  const plan = (await answer.json()) as Plan
  box.replaceChildren()
  for (const path of plan.paths) await testPath(path, plan, box)
}

export function watchPathTest(): void {
  const root = find('[data-path-test]')
  const button = root && find<HTMLButtonElement>('[data-path-test-start]', root)
  const box = root && find('[data-path-test-result]', root)
  if (!button || !box) return
  button.disabled = false
  button.addEventListener('click', () => {
    button.disabled = true
    button.setAttribute('aria-busy', 'true')
    void run(box).finally(() => {
      button.disabled = false
      button.removeAttribute('aria-busy')
      button.textContent = 'Test again'
    })
  })
}

/** How often the lists are renewed while somebody looks. */
const RENEW_MS = 5000

/** Renews who is editing, without a jump: only when the page is looked at and nothing in the lists has the focus. */
export function watchLiveState(): void {
  const box = find('[data-live-state]')
  if (!box) return
  const renew = async () => {
    if (document.hidden || box.contains(document.activeElement)) return
    const answer = await fetch(location.pathname, { headers: { accept: 'text/html' } })
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-live-state]')
    if (fresh && answer.ok) box.replaceChildren(...fresh.children)
  }
  setInterval(() => void renew().catch(() => undefined), RENEW_MS)
}
