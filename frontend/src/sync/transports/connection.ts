// Where the engine can be reached, as `GET /api/pages/{id}/connection` says it.

export const TRANSPORTS = ['websocket', 'event-stream', 'long-poll'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** The name of the path that goes past the wiki. */
export const DIRECT = 'direct'
/** The name of the path through the wiki's own address. */
export const PROXY = 'internal proxy'

/** One way to the engine. */
export interface Candidate {
  transport: Transport
  /** `direct` or `internal proxy`. */
  path: string
  /** Base address, `…/v1`. */
  url: string
}

export interface Connection {
  document: string
  /** Says who asks; empty: the login session has to. */
  token: string
  token_expires_at_ms: number
  paths: { name: string; url: string }[]
  transports: string[]
  heartbeat_ms: number
  mode: string
}

/** What a test or an administrator asks for in the page's address; empty: anything. */
export interface Wanted {
  transport: string
  path: string
}

/** The wiki did not answer. */
export class Unreachable extends Error {}

/** The wiki says that this person may not; the code is one of 4401, 4403, 4404. */
export class Denied extends Error {
  constructor(readonly code: number) {
    super(`denied: ${code}`)
  }
}

/** What is tried when the wiki does not say: the engine decides about rights by itself. */
export function usual(document: string): Connection {
  return {
    document, token: '', token_expires_at_ms: Number.MAX_SAFE_INTEGER, paths: [{ name: DIRECT, url: '/synchrony/v1' }], transports: [...TRANSPORTS], heartbeat_ms: 20_000, mode: 'on',
  }
}

function isWanted(path: string, wanted: string): boolean {
  return wanted === '' || wanted === path || (wanted === 'proxy' && path === PROXY)
}

/** Every way to the engine, the best first. [TRANS-21] */
export function candidates(connection: Connection, wanted: Wanted): Candidate[] {
  const allowed = TRANSPORTS.filter((name) => connection.transports.includes(name) && (wanted.transport === '' || wanted.transport === name))
  return allowed.flatMap((transport) => connection.paths.filter(({ name }) => isWanted(name, wanted.path)).map(({ name, url }) => ({ transport, path: name, url })))
}

export function isSame(a: Candidate, b: Candidate): boolean {
  return a.transport === b.transport && a.path === b.path
}
