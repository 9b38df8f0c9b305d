// Time and chance come from outside, so that tests decide them.

export interface Clock {
  /** Calls `action` after `ms`; gives what `cancel` takes. */
  after(ms: number, action: () => void): number
  cancel(timer: number): void
  /** In [0, 1). */
  random(): number
}

export const browserClock: Clock = {
  after: (ms, action) => Number(setTimeout(action, ms)),
  cancel: (timer) => clearTimeout(timer),
  random: Math.random,
}
