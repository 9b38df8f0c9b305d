// Requests that the server answers when it has something: works wherever a page can be loaded.
import { Reader } from '../bytes'
import { pause } from '../clock'
import { POLL_WAIT_MAX_S, POLL_WAIT_MIN_S, RESEND_FIRST_MS, SEND_WITHIN_MS } from '../limits'
import { HttpSession } from './http-session'

export class LongPoll extends HttpSession {
  protected async listen(): Promise<void> {
    // The first answer comes at once: it tells that the way is open.
    let wait = 0
    while (!this.isEnded) {
      const response = await this.ask('POST', 'poll', { first: this.unsent, received: this.received, wait }, new Uint8Array(0), SEND_WITHIN_MS + wait * 1000)
      const bytes = await response?.arrayBuffer().catch(() => null)
      if (!bytes) {
        // The network failed within the answer: what was in it comes again.
        if (!this.isOpen) this.end({ code: 1006, reason: 'no answer' })
        await pause(this.way.clock, RESEND_FIRST_MS)
        continue
      }
      this.hear(new Uint8Array(bytes))
      this.opened()
      wait = Math.round(POLL_WAIT_MIN_S + (POLL_WAIT_MAX_S - POLL_WAIT_MIN_S) * this.way.clock.random())
    }
  }

  private hear(bytes: Uint8Array): void {
    try {
      const r = new Reader(bytes)
      if (r.uint() === 1) return this.end({ code: r.uint(), reason: r.text(Number.MAX_SAFE_INTEGER) })
      for (let n = r.uint(); r.left > 0; n += 1) this.take(n, r.raw(Number.MAX_SAFE_INTEGER))
    } catch {
      this.end({ code: 1006, reason: 'not readable' })
    }
  }
}
