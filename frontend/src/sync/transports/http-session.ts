// What event stream and long poll share: a session of our own naming, frames numbered from 1 in each direction, and requests
// that are made again within the session, so that every frame arrives once and in order. [TRANS-20]
import { Writer } from '../bytes'
import { type Clock, pause } from '../clock'
import { RESEND_FIRST_MS, RESEND_FOR_MS, RESEND_MAX_MS, SEND_BYTES_MAX, SEND_WITHIN_MS } from '../limits'
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
function endOf(status: number): End {
  if (status === 401) return { code: 4401, reason: '' }
  return { code: 1006, reason: `answered ${status}` }
}

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
    this.end({ code, reason: '' })
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
    for (const request of this.requests.values()) request.abort()
    queueMicrotask(() => this.onclose?.(end))
  }

  /** Frame number `n` came: once, and in order. */
  protected take(n: number, frame: Uint8Array): void {
    if (this.isEnded || n <= this.received) return
    if (n > this.received + 1) return this.end({ code: 1006, reason: 'a frame is missing' })
    this.received = n
    this.onmessage?.({ data: frame.buffer.byteLength === frame.length ? frame.buffer : frame.slice().buffer })
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
      if (response && !isWorthAgain(response.status)) this.end(endOf(response.status))
      else if (!this.isOpen || this.way.clock.now() - since > RESEND_FOR_MS) this.end({ code: 1006, reason: response ? `answered ${response.status}` : 'no answer' })
      else await pause(this.way.clock, Math.min(RESEND_MAX_MS, RESEND_FIRST_MS * 2 ** tries) * (0.5 + this.way.clock.random() / 2))
    }
    return null
  }

  private async once(method: string, leg: string, query: Record<string, number>, body: Uint8Array<ArrayBuffer> | null, within_ms: number): Promise<Response | null> {
    const { base, session, token, clock } = this.way
    const text = Object.entries(query).map(([key, value]) => `${key}=${value}`).join('&')
    const headers: Record<string, string> = {}
    if (token() !== '') headers.authorization = `Bearer ${token()}`
    if (body) headers['content-type'] = 'application/octet-stream'
    const late = new AbortController()
    this.requests.set(leg, late)
    const timer = clock.after(within_ms, () => late.abort())
    try {
      return await this.way.fetch(`${base}/live/${leg}/${session}?${text}`, { method, headers, body, signal: late.signal, cache: 'no-store', credentials: 'same-origin' })
    } catch {
      return null
    } finally {
      clock.cancel(timer)
    }
  }

  private async post(): Promise<void> {
    if (this.isPosting) return
    this.isPosting = true
    while (this.waiting.length > 0 && !this.isEnded) {
      const response = await this.ask('POST', 'send', { first: this.first, received: this.received }, this.body(), SEND_WITHIN_MS)
      const answer = (await response?.json().catch(() => null)) as { received?: unknown } | null | undefined
      if (typeof answer?.received === 'number') this.arrived(answer.received)
      else if (response) this.end({ code: 1006, reason: 'answered something else' })
    }
    this.isPosting = false
  }

  private arrived(received: number): void {
    const count = received - this.first + 1
    if (count <= 0 || count > this.waiting.length) return this.end({ code: 1006, reason: 'numbers differ' })
    this.waiting.splice(0, count)
    this.first += count
  }

  /** As many waiting frames as one request may hold, at least one. */
  private body(): Uint8Array<ArrayBuffer> {
    const w = new Writer()
    let bytes = 0
    for (const frame of this.waiting) {
      if (bytes > 0 && bytes + frame.length > SEND_BYTES_MAX) break
      w.raw(frame)
      bytes += frame.length
    }
    return w.done()
  }
}
