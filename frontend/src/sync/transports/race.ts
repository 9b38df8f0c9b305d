// Several ways to the engine are opened one after the other, and the best that gives an echo is kept. [TRANS-22]
import type { Clock } from '../clock'
import { ECHO_WITHIN_MS, EVENT_STREAM_AFTER_MS, GRACE_MS, LONG_POLL_AFTER_MS, NEXT_PATH_AFTER_MS } from '../limits'
import type { End, Socket } from '../link'
import { Wire } from '../wire'
import { type Candidate, isSame, type Transport } from './connection'

export interface Entrant {
  candidate: Candidate
  after_ms: number
}

/** Why a way was not taken. */
export interface Failure {
  candidate: Candidate
  end: End
}

const AFTER_MS: Record<Transport, number> = { websocket: 0, 'event-stream': EVENT_STREAM_AFTER_MS, 'long-poll': LONG_POLL_AFTER_MS }

/** The order of the start: the best first, and what won here before at once. [TRANS-23] */
export function lineUp(candidates: Candidate[], remembered: Candidate | null): Entrant[] {
  const paths = new Map<Transport, number>()
  const entrants = candidates.map((candidate) => {
    const path = paths.get(candidate.transport) ?? 0
    paths.set(candidate.transport, path + 1)
    const isRemembered = remembered !== null && isSame(candidate, remembered)
    return { candidate, after_ms: isRemembered ? 0 : AFTER_MS[candidate.transport] + path * NEXT_PATH_AFTER_MS }
  })
  const first_ms = Math.min(...entrants.map(({ after_ms }) => after_ms))
  return entrants.map(({ candidate, after_ms }) => ({ candidate, after_ms: after_ms - first_ms }))
}

interface Runner {
  entrant: Entrant
  state: 'waiting' | 'running' | 'passed' | 'failed'
  wire: Wire | null
  timer: number | null
}

export class Race {
  private readonly runners: Runner[]
  private graceTimer: number | null = null
  private isOver = false
  readonly failures: Failure[] = []

  /** `entrants` are in the order of their worth. `done` gets the winner, or null when no way gives an echo. */
  constructor(entrants: Entrant[], private readonly open: (candidate: Candidate) => Socket, private readonly clock: Clock, private readonly done: (winner: Wire | null) => void) {
    this.runners = entrants.map((entrant) => ({ entrant, state: 'waiting', wire: null, timer: null }))
  }

  start(): void {
    for (const runner of this.runners) runner.timer = this.clock.after(runner.entrant.after_ms, () => this.launch(runner))
    if (this.runners.length === 0) this.finish(null)
  }

  /** Ends it without a winner; nobody is told. */
  cancel(): void {
    this.isOver = true
    this.cleanUp(null)
  }

  private launch(runner: Runner): void {
    this.stopTimer(runner)
    runner.state = 'running'
    const { candidate } = runner.entrant
    const wire = new Wire(this.open(candidate), candidate, this.clock, {
      onOpen: () => wire.ping(ECHO_WITHIN_MS),
      onPong: () => this.passed(runner),
      onFrame: () => undefined,
      onEnd: (end) => this.failed(runner, end),
    })
    runner.wire = wire
    runner.timer = this.clock.after(ECHO_WITHIN_MS, () => {
      wire.close()
      this.failed(runner, { code: 1006, reason: 'no answer' })
    })
  }

  private passed(runner: Runner): void {
    if (this.isOver) return
    this.stopTimer(runner)
    runner.state = 'passed'
    if (!this.betterRuns(runner)) this.finish(this.best())
    else this.graceTimer ??= this.clock.after(GRACE_MS, () => this.finish(this.best()))
  }

  private failed(runner: Runner, end: End): void {
    if (this.isOver) return
    this.stopTimer(runner)
    runner.state = 'failed'
    this.failures.push({ candidate: runner.entrant.candidate, end })
    const best = this.runners.find((r) => r.state === 'passed')
    if (best) return this.betterRuns(best) ? undefined : this.finish(best)
    if (this.runners.some((r) => r.state === 'running')) return
    const next = this.runners.filter((r) => r.state === 'waiting').sort((a, b) => a.entrant.after_ms - b.entrant.after_ms)[0]
    if (next) this.launch(next)
    else this.finish(null)
  }

  private best(): Runner | null {
    return this.runners.find((r) => r.state === 'passed') ?? null
  }

  /** Whether a better way than this has been started and not failed. */
  private betterRuns(runner: Runner): boolean {
    return this.runners.slice(0, this.runners.indexOf(runner)).some((r) => r.state === 'running')
  }

  private finish(winner: Runner | null): void {
    if (this.isOver) return
    this.isOver = true
    for (const runner of this.runners) if (runner.state === 'running') this.failures.push({ candidate: runner.entrant.candidate, end: { code: 1006, reason: 'no answer' } })
    this.cleanUp(winner)
    this.done(winner?.wire ?? null)
  }

  /** The losers are closed. */
  private cleanUp(winner: Runner | null): void {
    if (this.graceTimer !== null) this.clock.cancel(this.graceTimer)
    for (const runner of this.runners) {
      this.stopTimer(runner)
      if (runner !== winner) runner.wire?.close()
    }
  }

  private stopTimer(runner: Runner): void {
    if (runner.timer !== null) this.clock.cancel(runner.timer)
    runner.timer = null
  }
}
