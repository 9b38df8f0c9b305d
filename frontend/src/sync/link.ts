// One WebSocket that comes back by itself: growing, jittered pauses, and pings that find dead connections.
import { type ClientFrame, decodeServerFrame, encodeClientFrame, type ServerFrame } from './frames'
import type { Clock } from './clock'
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, CONNECT_WITHIN_MS, PING_EVERY_MS, PONG_WITHIN_MS } from './limits'

/** The part of a WebSocket that is used. */
export interface Socket {
  binaryType: string
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number): void
}

export interface LinkEvents {
  onOpen(): void
  onFrame(frame: ServerFrame): void
  /** The connection is gone and will come back by itself. */
  onDown(): void
  /** The server said not to come back: 4400 to 4499. */
  onRefused(code: number): void
}

/** Whether a close code means "do not reconnect". [WIRE-6] */
export function isFinal(code: number): boolean {
  return code >= 4400 && code <= 4499
}

export class Link {
  private socket: Socket | null = null
  private open = false
  private failures = 0
  private retryTimer: number | null = null
  /** Ends a connection that does not answer. */
  private watchTimer: number | null = null
  private pingTimer: number | null = null
  private stopped = false
  private nonce = 0

  constructor(
    private readonly connectTo: () => Socket,
    private readonly clock: Clock,
    private readonly events: LinkEvents,
  ) {}

  get isOpen(): boolean {
    return this.open
  }

  start(): void {
    this.stopped = false
    this.connect()
  }

  stop(): void {
    this.stopped = true
    this.drop(1000)
  }

  /** The server answered as it should: the next failure starts with short pauses again. */
  settled(): void {
    this.failures = 0
  }

  /** The network or the page came back: do not wait for the pause to end, and test what seems alive. */
  wake(): void {
    if (this.stopped) return
    if (this.open) this.ping()
    else if (this.socket === null) this.connect()
  }

  /** Leaves this connection and makes a new one. */
  reconnect(): void {
    this.drop(1000)
    if (!this.stopped) this.pause()
  }

  send(frame: ClientFrame): void {
    if (this.open) this.socket?.send(encodeClientFrame(frame))
  }

  private connect(): void {
    this.clearTimers()
    const socket = this.connectTo()
    this.socket = socket
    socket.binaryType = 'arraybuffer'
    this.watch(CONNECT_WITHIN_MS)
    socket.onopen = () => {
      if (socket !== this.socket) return
      this.open = true
      this.heard()
      this.pingLater()
      this.events.onOpen()
    }
    socket.onmessage = (event) => {
      if (socket === this.socket) this.receive(event.data)
    }
    socket.onclose = (event) => {
      if (socket === this.socket) this.closed(event.code)
    }
  }

  private receive(data: unknown): void {
    this.heard()
    let frame: ServerFrame
    try {
      frame = decodeServerFrame(new Uint8Array(data as ArrayBuffer))
    } catch {
      this.reconnect()
      return
    }
    if (frame.type !== 'pong') this.events.onFrame(frame)
  }

  private closed(code: number): void {
    this.forget()
    if (isFinal(code)) {
      this.stopped = true
      this.events.onRefused(code)
      return
    }
    this.events.onDown()
    if (!this.stopped) this.pause()
  }

  private pause(): void {
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.failures, 16))
    this.failures += 1
    this.retryTimer = this.clock.after(longest * (0.5 + this.clock.random() / 2), () => this.connect())
  }

  private heard(): void {
    if (this.watchTimer !== null) this.clock.cancel(this.watchTimer)
    this.watchTimer = null
  }

  private pingLater(): void {
    if (this.pingTimer !== null) this.clock.cancel(this.pingTimer)
    this.pingTimer = this.clock.after(PING_EVERY_MS, () => this.ping())
  }

  private ping(): void {
    this.nonce += 1
    this.send({ type: 'ping', nonce: this.nonce, rttMs: 0 })
    this.watch(PONG_WITHIN_MS)
    this.pingLater()
  }

  /** Takes the connection as dead unless something comes in time. [CLIENT-11] */
  private watch(ms: number): void {
    if (this.watchTimer !== null) return
    this.watchTimer = this.clock.after(ms, () => this.reconnect())
  }

  private drop(code: number): void {
    const socket = this.socket
    const wasThere = socket !== null
    this.forget()
    socket?.close(code)
    if (wasThere) this.events.onDown()
  }

  private forget(): void {
    this.clearTimers()
    this.socket = null
    this.open = false
  }

  private clearTimers(): void {
    for (const timer of [this.retryTimer, this.watchTimer, this.pingTimer]) if (timer !== null) this.clock.cancel(timer)
    this.retryTimer = null
    this.watchTimer = null
    this.pingTimer = null
  }
}
