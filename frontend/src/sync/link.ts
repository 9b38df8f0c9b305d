// The way to the engine that comes back by itself: races for it, growing, jittered pauses between them, and a look now and then
// for a better way, to which it changes over while everything goes on.
import type { Clock } from './clock'
import type { ClientFrame, ServerFrame, Welcome } from './frames'
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, BETTER_FIRST_MS, BETTER_MAX_MS, HEARTBEAT_MAX_MS, WAKE_PONG_WITHIN_MS, WELCOME_WITHIN_MS } from './limits'
import { type Candidate, candidates, type Connection, Denied, isSame, type Wanted } from './transports/connection'
import { type Entrant, type Failure, lineUp, Race } from './transports/race'
import { Wire } from './wire'

/** How a connection ended. */
export interface End {
  code: number
  reason: string
}

/** The part of a WebSocket that is used; every transport gives it. */
export interface Socket {
  binaryType: string
  onopen: (() => void) | null
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: { code: number; reason?: string }) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number): void
}

/** What surrounds a link: in browsers `transports/browser.ts`, in tests what they like. */
export interface Network {
  wanted: Wanted
  /** Where the engine can be reached. `anew`: what was known did not work. Rejects with `Denied` or `Unreachable`. */
  connection(anew: boolean): Promise<Connection>
  open(candidate: Candidate, connection: Connection): Socket
  recall(): Candidate | null
  remember(candidate: Candidate): void
}

/** The way that is used, and why no better one is. */
export interface Route {
  candidate: Candidate
  /** 0 unknown. */
  rtt_ms: number
  failures: Failure[]
  /** Transports that the administrator allows. */
  allowed: string[]
  wanted: Wanted
}

/** Why there is no connection: being made, the wiki is out of reach, or only the engine is. */
export type Absence = 'connecting' | 'offline' | 'engine'

export interface LinkEvents {
  /** A way is open: HELLO may be said. */
  onOpen(): void
  onFrame(frame: ServerFrame): void
  /** The connection is gone and will come back by itself. */
  onDown(): void
  /** The server said not to come back: 4400 to 4499. */
  onRefused(code: number): void
  /** HELLO for a better way, or null while changing over makes no sense. */
  onBetter(): ClientFrame | null
  /** The better way's WELCOME: whether to change over to it now. */
  onChange(welcome: Welcome): boolean
  onRoute(route: Route | null): void
  onAbsence(absence: Absence): void
}

/** Whether a close code means "do not reconnect". [WIRE-6] */
export function isFinal(code: number): boolean {
  return code >= 4400 && code <= 4499
}

/** The pause that the server asks for, in its words `retry_after_ms=N`; 0: none. [WIRE-11] */
export function retryAfter(end: End): number {
  const found = /^retry_after_ms=(\d{1,7})$/.exec(end.reason)
  return end.code === 1013 && found ? Number(found[1]) : 0
}

const TIMERS = ['retryTimer', 'betterTimer', 'changeTimer'] as const

export class Link {
  private connection: Connection | null = null
  private wire: Wire | null = null
  private race: Race | null = null
  /** A better way that has said HELLO. */
  private next: Wire | null = null
  private failures: Failure[] = []
  private tries = 0
  private looks = 0
  private isAnew = false
  /** The token was refused once since the last WELCOME. */
  private wasRefused = false
  private retryTimer: number | null = null
  private betterTimer: number | null = null
  private changeTimer: number | null = null
  private stopped = true
  private absence: Absence | null = null
  /** Answers to questions of an earlier attempt count no more. */
  private attempt = 0

  constructor(
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly events: LinkEvents,
  ) {}

  get isOpen(): boolean {
    return this.wire !== null
  }

  start(): void {
    this.stopped = false
    if (this.wire === null && this.race === null) void this.connect()
  }

  stop(): void {
    this.stopped = true
    this.drop()
  }

  /** The server answered as it should: the next failure starts with short pauses again. */
  settled(): void {
    this.tries = 0
    this.wasRefused = false
  }

  /** The network or the page came back: do not wait for the pause to end, test what seems alive, look for a better way. */
  wake(): void {
    if (this.stopped) return
    if (this.wire) {
      this.wire.ping(WAKE_PONG_WITHIN_MS)
      this.looks = 0
      if (this.betterTimer !== null) this.look()
    } else if (this.retryTimer !== null) void this.connect()
  }

  /** The browser says that there is no network. */
  lost(): void {
    if (this.stopped || this.wire === null) return
    this.reconnect()
    this.tellAbsence('offline')
  }

  /** Leaves this connection and makes a new one. */
  reconnect(): void {
    this.drop()
    if (!this.stopped) this.pause(0)
  }

  send(frame: ClientFrame): void {
    this.wire?.send(frame)
  }

  // --- the first way

  private async connect(): Promise<void> {
    this.cancel('retryTimer')
    const attempt = (this.attempt += 1)
    if (this.absence === null) this.tellAbsence('connecting')
    let connection: Connection
    try {
      connection = await this.network.connection(this.isAnew)
    } catch (error) {
      if (attempt !== this.attempt || this.stopped) return
      if (error instanceof Denied) return this.refused(error.code)
      this.tellAbsence('offline')
      return this.pause(0)
    }
    if (attempt !== this.attempt || this.stopped) return
    this.isAnew = false
    this.connection = connection
    const race = this.run(lineUp(candidates(connection, this.network.wanted), this.network.recall()), (winner) => {
      this.race = null
      this.failures = race.failures
      if (winner) this.take(winner)
      else this.lostRace(race.failures)
    })
    this.race = race
    race.start()
  }

  private run(entrants: Entrant[], done: (winner: Wire | null) => void): Race {
    return new Race(entrants, (candidate) => this.network.open(candidate, this.connection!), this.clock, done)
  }

  /** No way is open. The wiki is asked again, so that "offline" and "the engine is down" can be told apart. */
  private lostRace(failures: Failure[]): void {
    this.isAnew = true
    if (failures.some(({ end }) => end.code === 4401) && !this.mayAuthenticateAgain()) return this.refused(4401)
    const attempt = this.attempt
    this.network.connection(true).then(
      () => {
        this.isAnew = false
        this.absent(attempt, 'engine')
      },
      (error) => (error instanceof Denied && attempt === this.attempt && !this.stopped ? this.refused(error.code) : this.absent(attempt, 'offline')),
    )
    this.pause(Math.max(0, ...failures.map(({ end }) => retryAfter(end))))
  }

  private absent(attempt: number, absence: Absence): void {
    if (attempt === this.attempt && this.wire === null && !this.stopped) this.tellAbsence(absence)
  }

  private tellAbsence(absence: Absence): void {
    if (absence === this.absence) return
    this.absence = absence
    this.events.onAbsence(absence)
  }

  private take(wire: Wire): void {
    this.looks = 0
    this.use(wire)
    this.authenticate(wire)
    this.events.onOpen()
    this.lookLater()
  }

  /** From now on everything goes over this wire. */
  private use(wire: Wire): void {
    wire.handOver({ onOpen: () => undefined, onPong: () => this.tellRoute(), onFrame: (frame) => this.heard(wire, frame), onEnd: (end) => this.ended(end) })
    wire.beat(Math.min(HEARTBEAT_MAX_MS, this.connection?.heartbeat_ms || HEARTBEAT_MAX_MS))
    this.wire = wire
    this.absence = null
    this.network.remember(wire.candidate)
    this.tellRoute()
  }

  private heard(wire: Wire, frame: ServerFrame): void {
    // The echo of the race measured a round trip that the server has not heard of.
    if (frame.type === 'welcome') wire.ping()
    this.events.onFrame(frame)
  }

  /** A WebSocket cannot carry a header: its token goes first. The others carry it with every request. [TRANS-25] */
  private authenticate(wire: Wire): void {
    const token = this.connection?.token ?? ''
    if (token !== '' && wire.candidate.transport === 'websocket') wire.send({ type: 'auth', token })
  }

  private ended(end: End): void {
    this.wire = null
    this.drop()
    this.events.onDown()
    if (end.code === 4401 && this.mayAuthenticateAgain()) return this.pause(0)
    if (isFinal(end.code)) return this.refused(end.code)
    if (!this.stopped) this.pause(retryAfter(end))
  }

  /** A token that has run out is fetched again, once. */
  private mayAuthenticateAgain(): boolean {
    const may = !this.wasRefused
    this.wasRefused = true
    this.isAnew = true
    return may
  }

  private refused(code: number): void {
    this.stopped = true
    this.wasRefused = false
    this.isAnew = true
    this.drop()
    this.events.onRefused(code)
  }

  /** `least_ms` is what the server asked for. */
  private pause(least_ms: number): void {
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.tries, 16))
    this.tries += 1
    const jitter = this.clock.random()
    const ms = least_ms > 0 ? least_ms * (1 + jitter / 2) : longest * (0.5 + jitter / 2)
    this.cancel('retryTimer')
    this.retryTimer = this.clock.after(ms, () => void this.connect())
  }

  // --- a better way [TRANS-27]

  private better(): Candidate[] {
    const { wire, connection } = this
    if (!wire || !connection) return []
    const all = candidates(connection, this.network.wanted)
    const at = all.findIndex((candidate) => isSame(candidate, wire.candidate))
    return all.slice(0, Math.max(0, at))
  }

  private lookLater(): void {
    this.cancel('betterTimer')
    if (this.better().length === 0) return
    const longest = Math.min(BETTER_MAX_MS, BETTER_FIRST_MS * 2 ** Math.min(this.looks, 16))
    this.looks += 1
    this.betterTimer = this.clock.after(longest * (0.75 + this.clock.random() / 2), () => this.look())
  }

  private look(): void {
    this.cancel('betterTimer')
    if (this.race || this.next || !this.wire) return
    const race = this.run(this.better().map((candidate) => ({ candidate, after_ms: 0 })), (winner) => {
      this.race = null
      this.failures = race.failures
      this.tellRoute()
      if (winner) this.offer(winner)
      else this.lookLater()
    })
    this.race = race
    race.start()
  }

  private offer(wire: Wire): void {
    const hello = this.events.onBetter()
    if (hello === null) {
      wire.close()
      return this.lookLater()
    }
    this.next = wire
    wire.handOver({
      onOpen: () => undefined,
      onPong: () => undefined,
      onFrame: (frame) => this.changeOver(wire, frame),
      onEnd: () => this.declined(wire),
    })
    this.authenticate(wire)
    wire.send(hello)
    this.changeTimer = this.clock.after(WELCOME_WITHIN_MS, () => this.declined(wire))
  }

  private changeOver(wire: Wire, frame: ServerFrame): void {
    if (this.next !== wire) return
    if (frame.type !== 'welcome' || !this.events.onChange(frame)) return this.declined(wire)
    this.cancel('changeTimer')
    this.next = null
    this.wire?.close()
    this.use(wire)
    this.heard(wire, frame)
    this.lookLater()
  }

  private declined(wire: Wire): void {
    if (this.next !== wire) return
    this.cancel('changeTimer')
    this.next = null
    wire.close()
    this.lookLater()
  }

  // --- the end

  private tellRoute(): void {
    const { wire, connection, failures } = this
    if (wire && connection) this.events.onRoute({ candidate: wire.candidate, rtt_ms: wire.rtt_ms, failures, allowed: connection.transports, wanted: this.network.wanted })
  }

  private drop(): void {
    const wasThere = this.wire !== null
    this.attempt += 1
    for (const name of TIMERS) this.cancel(name)
    this.race?.cancel()
    this.wire?.close()
    this.next?.close()
    this.race = null
    this.wire = null
    this.next = null
    this.events.onRoute(null)
    if (wasThere) this.events.onDown()
  }

  private cancel(name: (typeof TIMERS)[number]): void {
    const timer = this[name]
    if (timer !== null) this.clock.cancel(timer)
    this[name] = null
  }
}
