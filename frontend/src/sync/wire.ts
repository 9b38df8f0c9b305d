// One connection while it lives: frames out of bytes, and pings that measure it and find it dead.
import type { Clock } from './clock'
import { type ClientFrame, decodeServerFrame, encodeClientFrame, type ServerFrame } from './frames'
import { PONG_WITHIN_MS } from './limits'
import type { End, Socket } from './link'
import type { Candidate } from './transports/connection'

export interface WireEvents {
  onOpen(): void
  /** An echo came back. */
  onPong(): void
  onFrame(frame: ServerFrame): void
  /** The other side has ended it, or it gave no answer in time, or sent what is no frame. */
  onEnd(end: End): void
}

export class Wire {
  /** The last round trip that was measured; 0 unknown. */
  rtt_ms = 0
  private isOpen = false
  private isOver = false
  private nonce = 0
  private asked_ms = 0
  private watchTimer: number | null = null
  private pingTimer: number | null = null

  constructor(
    private readonly socket: Socket,
    readonly candidate: Candidate,
    private readonly clock: Clock,
    private events: WireEvents,
  ) {
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
      if (this.isOver) return
      this.isOpen = true
      this.events.onOpen()
    }
    socket.onmessage = (event) => {
      if (!this.isOver) this.receive(event.data)
    }
    socket.onclose = ({ code, reason }) => this.end({ code, reason: reason ?? '' })
  }

  /** From now on somebody else is told. */
  handOver(events: WireEvents): void {
    this.events = events
  }

  send(frame: ClientFrame): void {
    if (this.isOpen && !this.isOver) this.socket.send(encodeClientFrame(frame))
  }

  /** Asks for an echo; without any sign of life in time the connection is dead. [CLIENT-11] */
  ping(within_ms = PONG_WITHIN_MS): void {
    if (this.isOver) return
    this.nonce += 1
    this.asked_ms = this.clock.now()
    this.watchTimer ??= this.clock.after(within_ms, () => this.fail('no answer'))
    this.send({ type: 'ping', nonce: this.nonce, rttMs: this.rtt_ms })
  }

  /** Pings from now on without being asked. */
  beat(every_ms: number): void {
    if (this.pingTimer !== null) this.clock.cancel(this.pingTimer)
    this.pingTimer = this.clock.after(every_ms, () => {
      this.ping()
      this.beat(every_ms)
    })
  }

  /** Ends it from this side; nobody is told. */
  close(code = 1000): void {
    if (this.isOver) return
    this.finish()
    this.socket.close(code)
  }

  private receive(data: unknown): void {
    this.heard()
    let frame: ServerFrame
    try {
      frame = decodeServerFrame(new Uint8Array(data as ArrayBuffer))
    } catch {
      return this.fail('not a frame')
    }
    if (frame.type !== 'pong') return this.events.onFrame(frame)
    if (frame.nonce !== this.nonce) return
    this.rtt_ms = Math.max(1, Math.round(this.clock.now() - this.asked_ms))
    this.events.onPong()
  }

  private heard(): void {
    if (this.watchTimer !== null) this.clock.cancel(this.watchTimer)
    this.watchTimer = null
  }

  private fail(reason: string): void {
    this.close(1000)
    this.events.onEnd({ code: 1006, reason })
  }

  private end(end: End): void {
    if (this.isOver) return
    this.finish()
    this.events.onEnd(end)
  }

  private finish(): void {
    this.isOver = true
    this.heard()
    if (this.pingTimer !== null) this.clock.cancel(this.pingTimer)
    this.pingTimer = null
  }
}
