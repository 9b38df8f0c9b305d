// What event stream and long poll share: a session of our own naming, frames numbered from 1 in each direction, and requests
// that are made again within the session, so that every frame arrives once and in order. [TRANS-20]
import { Writer } from '../bytes'
import { type Clock, pause } from '../clock'
import { CONFIRM_AFTER_BYTES, CONFIRM_AFTER_MS, HEARTBEAT_MAX_MS, KEEPALIVE_BYTES_MAX, RESEND_FIRST_MS, RESEND_FOR_MS, RESEND_MAX_MS, SEND_BYTES_MAX, SEND_WITHIN_MS } from '../limits'
import type { End, Socket } from '../link'

export interface HttpWay {
  /** Base address, `…/v1`. */
  base: string
  /** 32 hex digits. */
  session: string
  /** The newest token, or empty. */
  token: () => string
  fetch: (url: string, init: RequestInit) => Promise<Response>
  clock: Clock
}

/** What an answer that is no success means. */
async function endOf(response: Response): Promise<End> {
  const { status } = response
  if (status === 401) return { code: 4401, reason: '' }
  // The session has ended, and the answer says how.
  const said = status === 410 ? ((await response.json().catch(() => null)) as Partial<End> | null) : null
  return { code: said?.code || 1006, reason: String(said?.reason ?? `answered ${status}`) }
}

/** Answers in a row that are no answers. */
const UNREAD_MAX = 5

const isWorthAgain = (status: number) => status >= 500 || status === 429

export abstract class HttpSession implements Socket {
  binaryType = 'arraybuffer'
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onclose: Socket['onclose'] = null
  /** The number of the last frame that came. */
  protected received = 0
  protected isOpen = false
  protected isEnded = false
  /** Not yet received by the server; the first has the number `first`. */
  private waiting: Uint8Array[] = []
  private first = 1
  private isPosting = false
  /** Bytes of frames that came and of which the server does not know. */
  private unconfirmed = 0
  private isConfirmDue = false
  private posted_ms = 0
  private confirmTimer: number | null = null
  /** The request under way, by leg; there is one at a time. */
  private readonly requests = new Map<string, AbortController>()

  constructor(protected readonly way: HttpWay) {
    // The handlers are set by then.
    queueMicrotask(() => void this.listen())
  }

  /** The down leg, until the end. */
  protected abstract listen(): Promise<void>

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.isEnded) return
    this.waiting.push(data)
    if (this.isOpen) void this.post()
  }

  close(code = 1000): void {
    if (this.isEnded) return
    this.end({ code, reason: '' })
    if (this.isOpen) this.sayGoodBye()
  }

  protected opened(): void {
    if (this.isOpen || this.isEnded) return
    this.isOpen = true
    this.onopen?.()
    void this.post()
  }

  protected end(end: End): void {
    if (this.isEnded) return
    this.isEnded = true
    if (this.confirmTimer !== null) this.way.clock.cancel(this.confirmTimer)
    for (const request of this.requests.values()) request.abort()
    queueMicrotask(() => this.onclose?.(end))
  }

  /** Frame number `n` came: once, and in order. */
  protected take(n: number, frame: Uint8Array): void {
    if (this.isEnded || n <= this.received) return
    if (n > this.received + 1) return this.end({ code: 1006, reason: 'a frame is missing' })
    this.received = n
    this.unconfirmed += frame.length
    this.onmessage?.({ data: frame.buffer.byteLength === frame.length ? frame.buffer : frame.slice().buffer })
  }

  /** The server holds what it has sent until it hears that it came, and sends no more than a window before. */
  protected confirmLater(): void {
    if (this.isEnded) return
    // In a hidden tab no timer pings in time; what comes in keeps the session awake.
    const isQuiet = this.way.clock.now() - this.posted_ms > HEARTBEAT_MAX_MS
    if (isQuiet || this.unconfirmed >= CONFIRM_AFTER_BYTES) return this.confirm()
    if (this.unconfirmed === 0) return
    this.confirmTimer ??= this.way.clock.after(CONFIRM_AFTER_MS, () => {
      this.confirmTimer = null
      if (this.unconfirmed > 0) this.confirm()
    })
  }

  private confirm(): void {
    this.isConfirmDue = true
    void this.post()
  }

  /** The number of the first frame that the server may not have. */
  protected get unsent(): number {
    return this.first
  }

  /** One request, made again while the network fails; null after the end. The first one of a session is made once. */
  protected async ask(method: string, leg: string, query: Record<string, number>, body: Uint8Array<ArrayBuffer> | null, within_ms: number): Promise<Response | null> {
    const since = this.way.clock.now()
    for (let tries = 0; !this.isEnded; tries += 1) {
      const response = await this.once(method, leg, query, body, within_ms)
      if (this.isEnded) return null
      if (response?.ok) return response
      if (response && !isWorthAgain(response.status)) this.end(await endOf(response))
      else if (!this.isOpen || this.way.clock.now() - since > RESEND_FOR_MS) this.end({ code: 1006, reason: response ? `answered ${response.status}` : 'no answer' })
      else await pause(this.way.clock, Math.min(RESEND_MAX_MS, RESEND_FIRST_MS * 2 ** tries) * (0.5 + this.way.clock.random() / 2))
    }
    return null
  }

  private async once(method: string, leg: string, query: Record<string, number>, body: Uint8Array<ArrayBuffer> | null, within_ms: number): Promise<Response | null> {
    const { clock } = this.way
    const late = new AbortController()
    this.requests.set(leg, late)
    const timer = clock.after(within_ms, () => late.abort())
    try {
      return await this.request(leg, query, { method, body, signal: late.signal })
    } catch {
      return null
    } finally {
      clock.cancel(timer)
    }
  }

  private request(leg: string, query: Record<string, number>, init: RequestInit): Promise<Response> {
    const { base, session, token } = this.way
    const text = Object.entries(query).map(([key, value]) => `${key}=${value}`).join('&')
    const headers: Record<string, string> = {}
    if (token() !== '') headers.authorization = `Bearer ${token()}`
    if (init.body) headers['content-type'] = 'application/octet-stream'
    return this.way.fetch(`${base}/live/${leg}/${session}?${text}`, { ...init, headers, cache: 'no-store', credentials: 'same-origin' })
  }

  /** The last frames, and the end: also while the page is being left. */
  private sayGoodBye(): void {
    const body = this.body(this.fitting())
    const keepalive = body.length < KEEPALIVE_BYTES_MAX
    this.request('send', { first: this.first, received: this.received, end: 1 }, { method: 'POST', body, keepalive }).catch(() => undefined)
  }

  private async post(): Promise<void> {
    if (this.isPosting) return
    this.isPosting = true
    for (let unread = 0; (this.waiting.length > 0 || this.isConfirmDue) && !this.isEnded; ) {
      const count = this.fitting()
      this.isConfirmDue = false
      this.unconfirmed = 0
      this.posted_ms = this.way.clock.now()
      const response = await this.ask('POST', 'send', { first: this.first, received: this.received }, this.body(count), SEND_WITHIN_MS)
      const answer = (await response?.json().catch(() => null)) as { received?: unknown } | null | undefined
      if (typeof answer?.received === 'number') this.arrived(answer.received, count)
      else if (response) {
        // The answer was cut off, or is not the engine's.
        unread += 1
        if (unread > UNREAD_MAX) this.end({ code: 1006, reason: 'answered something else' })
        await pause(this.way.clock, RESEND_FIRST_MS)
      }
    }
    this.isPosting = false
  }

  /** The server has the frames up to this one; `sent` were in the request. */
  private arrived(received: number, sent: number): void {
    const count = received - this.first + 1
    if (count < 0 || count > this.waiting.length || (count === 0 && sent > 0)) return this.end({ code: 1006, reason: 'numbers differ' })
    this.waiting.splice(0, count)
    this.first += count
  }

  /** How many of the waiting frames one request may hold: at least one, if there is one. */
  private fitting(): number {
    let bytes = 0
    const end = this.waiting.findIndex((frame, i) => (bytes += frame.length) > SEND_BYTES_MAX && i > 0)
    return end < 0 ? this.waiting.length : end
  }

  private body(count: number): Uint8Array<ArrayBuffer> {
    const w = new Writer()
    for (const frame of this.waiting.slice(0, count)) w.raw(frame)
    return w.done()
  }
}
