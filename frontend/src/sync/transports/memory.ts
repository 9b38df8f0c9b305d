// Which way was the best on this network, for a day. [TRANS-26]
import { REMEMBER_MS } from '../limits'
import type { Candidate } from './connection'

const KEY = 'watersmeet.transports'

interface Remembered {
  candidate: Candidate
  at_ms: number
}

/** What tells one network from another, as far as the browser says. */
export function networkName(host: string, about: { type?: string; effectiveType?: string } | undefined): string {
  return [host, about?.type ?? '', about?.effectiveType ?? ''].join('|')
}

function read(store: Storage): Record<string, Remembered> {
  try {
    return (JSON.parse(store.getItem(KEY) ?? '{}') as Record<string, Remembered> | null) ?? {}
  } catch {
    return {}
  }
}

export function recall(store: Storage, network: string, now_ms: number): Candidate | null {
  const found = read(store)[network]
  return found && now_ms - found.at_ms < REMEMBER_MS ? found.candidate : null
}

export function remember(store: Storage, network: string, candidate: Candidate, now_ms: number): void {
  const fresh = Object.entries(read(store)).filter(([, { at_ms }]) => now_ms - at_ms < REMEMBER_MS)
  try {
    store.setItem(KEY, JSON.stringify({ ...Object.fromEntries(fresh), [network]: { candidate, at_ms: now_ms } }))
  } catch {
    // A browser that keeps nothing races anew on every page.
  }
}
