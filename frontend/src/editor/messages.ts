// What the editor says about connection and rights. Pure: words in, words out.
import type { Absence, Route } from '../sync/link'
import type { ResetReason, Status } from '../sync/session'
import { type Candidate, PROXY, type Transport, TRANSPORTS } from '../sync/transports/connection'
import type { Failure } from '../sync/transports/race'

export const RESETS: Record<ResetReason, string> = {
  discarded: 'The unpublished changes of this page were discarded.',
  rewritten: 'This page was replaced while you were away.',
  restored: 'An earlier version of this page was restored.',
  refused: 'The server did not accept your last changes.',
  'read only': 'You can no longer edit this page.',
}

export const REFUSALS: Record<number, string> = {
  4400: 'This page was opened before the wiki was updated. Reload it to go on; your changes are kept on this device.',
  4401: 'You are signed out. Sign in again in another tab, then continue here. Your changes are kept on this device.',
  4403: 'You no longer have permission to edit this page. It can still be read and copied here.',
  4404: 'This page does not exist any more. What is here can still be copied.',
}

const NAMES: Record<Transport, string> = { websocket: 'WebSocket', 'event-stream': 'Event stream', 'long-poll': 'Long poll' }
const SENTENCES: Record<Transport, string> = {
  websocket: 'Changes travel over one open connection, in both directions and at once.',
  'event-stream': 'Changes of others arrive as one long answer, yours go out as requests. A little slower than a WebSocket; nothing gets lost.',
  'long-poll': 'Every change is fetched by a request of its own. Slower than the other ways, but it works wherever pages can be loaded; nothing gets lost.',
}

/** A word for the way to the engine, with its round trip. */
export function routeText({ candidate, rtt_ms }: Pick<Route, 'candidate' | 'rtt_ms'>): string {
  const { transport, path } = candidate
  const word = transport === 'websocket' ? (path === PROXY ? 'Through the internal proxy' : 'Direct') : NAMES[transport]
  return rtt_ms > 0 ? `${word} ${rtt_ms} ms` : word
}

/** Where a way leads, without what every way has in common. */
export function place(url: string, host: string): string {
  const found = /^(?:https?:\/\/([^/]+))?(.*?)(?:\/v1)?$/.exec(url)
  const [, at = '', path = ''] = found ?? []
  return at === '' || at === host ? path : `${at}${path}`
}

function why({ candidate, end }: Failure, host: string): string {
  const at = place(candidate.url, host)
  const name = NAMES[candidate.transport]
  if (end.reason === 'held back') return `${name} at ${at} arrives late: a proxy in between collects it before it passes it on.`
  const status = /^answered (\d+)$/.exec(end.reason)
  if (status) return `${name} was answered with status ${status[1]} at ${at}.`
  return `${name} did not answer at ${at}; a proxy in between may not forward it.`
}

/** How the present way works. */
export function about(candidate: Candidate): string {
  const path = candidate.path === PROXY ? ' They take the way through the wiki’s own address, because the sync engine’s address did not answer or is not offered.' : ''
  return SENTENCES[candidate.transport] + path
}

/** Whether the first way is worth more than the second. */
function isBetter(a: Candidate, b: Candidate): boolean {
  const [rankA, rankB] = [TRANSPORTS.indexOf(a.transport), TRANSPORTS.indexOf(b.transport)]
  return rankA < rankB || (rankA === rankB && b.path === PROXY && a.path !== PROXY)
}

/** Why no better way is used; empty when this is the best. */
export function whyNotBetter(route: Route, host: string): string[] {
  const { candidate, failures, allowed, wanted } = route
  if (wanted.transport !== '' || wanted.path !== '') return ['This page’s address asks for this way and no other.']
  const better = TRANSPORTS.slice(0, TRANSPORTS.indexOf(candidate.transport))
  const off = better.filter((name) => !allowed.includes(name)).map((name) => `${NAMES[name]} is switched off by the administrator.`)
  const failed = failures.filter((failure) => isBetter(failure.candidate, candidate))
  return [...new Set([...off, ...failed.map((failure) => why(failure, host))])]
}

function count(changes: number): string {
  if (changes === 0) return 'What you write is kept on this device'
  return `${changes} ${changes === 1 ? 'change is' : 'changes are'} kept on this device`
}

/** The strip while there is no connection: what is wrong, and (apart, for it changes with every key) what is kept. */
export function absenceText(absence: Absence, status: Status): [string, string] {
  const wrong = {
    connecting: 'Reconnecting.',
    offline: 'You are offline.',
    engine: 'The wiki answers, but its sync engine does not: editing together has to wait.',
  }[absence]
  if (status.kind === 'loading') return [absence === 'connecting' ? 'Connecting.' : wrong, 'The editor opens by itself as soon as it can.']
  const [changes, kept] = status.kind === 'offline' ? [status.changes, status.kept] : [0, true]
  if (!kept) return [wrong, 'This browser cannot keep changes on this device: leave this page open until it is connected again.']
  return [wrong, `${count(changes)} and sent as soon as you are connected again.`]
}

/** What stands between this person and writing, and what can be done. `cause` is that of WELCOME and ACCESS; `writer` who writes, if known. */
export function accessText(cause: number, reason: string, writer = ''): { text: string; ask: string } {
  const said = reason === '' ? '' : `${reason[0]!.toUpperCase()}${reason.slice(1).replace(/\.$/, '')}.`
  if (cause === 1) return { text: said || 'Read-only: editing is switched off at the moment. You see changes live.', ask: '' }
  // The server's usual words say no more than this does.
  if (cause === 2 && reason.startsWith('one person writes')) return accessText(cause, '', writer)
  if (cause === 2) return { text: `${said} ${writer || 'Somebody else'} is editing; one person writes at a time.`.trim(), ask: 'Ask to edit' }
  if (cause === 3) return { text: said || 'You watch live: as many people write as may at once.', ask: 'Ask to write' }
  return { text: reason === '' ? 'Read-only: you may not edit this page.' : `Read-only: ${reason}`, ask: '' }
}
