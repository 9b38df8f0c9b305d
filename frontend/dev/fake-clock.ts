// A clock that stands until a test lets time pass.
import assert from 'node:assert/strict'
import type { Clock } from '../src/sync/clock'

export class FakeClock implements Clock {
  private time = 0
  private last = 0
  private timers = new Map<number, { at: number; action: () => void }>()
  /** `turns` is how often the event loop goes round before the next timer: streams need more than promises. */
  constructor(readonly random: () => number = () => 0.5, private readonly turns = 1) {}

  now(): number {
    return this.time
  }
  after(ms: number, action: () => void): number {
    this.last += 1
    this.timers.set(this.last, { at: this.time + ms, action })
    return this.last
  }
  cancel(timer: number): void {
    this.timers.delete(timer)
  }
  /** Runs everything due within the next `ms`, and lets promises settle. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms
    for (let turns = 0; ; turns += 1) {
      assert.ok(turns < 10_000, 'the client never comes to rest')
      for (let i = 0; i < this.turns; i += 1) await new Promise<void>((resolve) => void setImmediate(resolve))
      const due = [...this.timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0]
      if (!due) break
      this.time = Math.max(this.time, due[1].at)
      this.timers.delete(due[0])
      due[1].action()
    }
    this.time = until
  }
}
