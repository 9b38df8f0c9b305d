// Time and chance come from outside, so that tests decide them.

export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number
  /** Calls `action` after `ms`; gives what `cancel` takes. */
  after(ms: number, action: () => void): number
  cancel(timer: number): void
  /** In [0, 1). */
  random(): number
}

export const browserClock: Clock = {
  now: () => performance.now(),
  after: (ms, action) => Number(setTimeout(action, ms)),
  cancel: (timer) => clearTimeout(timer),
  random: Math.random,
}

/** A promise that settles after `ms`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve))
}
