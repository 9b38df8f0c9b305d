// Server-sent events down, POST up. `fetch` and not EventSource, so that the token can be sent along.
import { pause } from '../clock'
import { PAD_WITHIN_MS, RESEND_FIRST_MS, STREAM_ANSWERS_WITHIN_MS } from '../limits'
import { HttpSession } from './http-session'

export interface SentEvent {
  /** 0 without a number. */
  id: number
  event: string
  data: string
}

/** Events out of the bytes of a stream, as they come. */
export class EventReader {
  private readonly decoder = new TextDecoder()
  private rest = ''
  private lines: string[] = []

  push(chunk: Uint8Array): SentEvent[] {
    const lines = (this.rest + this.decoder.decode(chunk, { stream: true })).split('\n')
    this.rest = lines.pop() ?? ''
    const events: SentEvent[] = []
    for (const line of lines.map((l) => l.replace(/\r$/, ''))) {
      if (line !== '') this.lines.push(line)
      else if (this.lines.length > 0) events.push(...this.event(this.lines.splice(0)))
    }
    return events
  }

  private event(lines: string[]): SentEvent[] {
    const event: SentEvent = { id: 0, event: 'message', data: '' }
    let isSpoken = false
    for (const line of lines) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? []
      if (field === '' || field === undefined) continue
      isSpoken = true
      if (field === 'id') event.id = Number(value) || 0
      else if (field === 'event') event.event = value ?? ''
      else if (field === 'data') event.data += value ?? ''
    }
    return isSpoken ? [event] : []
  }
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i)
  return bytes
}

export class EventStream extends HttpSession {
  protected async listen(): Promise<void> {
    while (!this.isEnded) {
      const response = await this.ask('GET', 'stream', { received: this.received }, null, STREAM_ANSWERS_WITHIN_MS)
      if (!response) return
      if (!response.body || !/^text\/event-stream/.test(response.headers.get('content-type') ?? '')) return this.end({ code: 1006, reason: 'no event stream' })
      await this.read(response.body.getReader())
      // A response that ends without a word is asked for again, from where it stopped. Not in a loop without a breath.
      if (!this.isEnded) await pause(this.way.clock, RESEND_FIRST_MS)
    }
  }

  /** Bytes that do not come although the answer has begun are held by something in between. [TRANS-24] */
  private async read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const events = new EventReader()
    const held = this.way.clock.after(PAD_WITHIN_MS, () => {
      if (!this.isOpen) this.end({ code: 1006, reason: 'held back' })
    })
    try {
      for (let part = await reader.read(); !part.done && !this.isEnded; part = await reader.read()) {
        this.opened()
        for (const event of events.push(part.value)) this.hear(event)
        this.confirmLater()
      }
    } catch {
      // The network failed.
    }
    this.way.clock.cancel(held)
    if (!this.isOpen) this.end({ code: 1006, reason: 'the stream ended' })
    if (this.isEnded) await reader.cancel().catch(() => undefined)
  }

  private hear({ id, event, data }: SentEvent): void {
    if (event === 'close') return this.endAs(data)
    try {
      this.take(id, bytesOf(data))
    } catch {
      this.end({ code: 1006, reason: 'not readable' })
    }
  }

  private endAs(data: string): void {
    try {
      const { code, reason } = JSON.parse(data) as { code?: unknown; reason?: unknown }
      this.end({ code: Number(code) || 1006, reason: String(reason ?? '') })
    } catch {
      this.end({ code: 1006, reason: '' })
    }
  }
}
