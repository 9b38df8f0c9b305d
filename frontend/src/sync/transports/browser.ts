// The network as a browser gives it.
import { browserClock, type Clock } from '../clock'
import { CONNECT_WITHIN_MS, TOKEN_MARGIN_MS } from '../limits'
import type { Network, Socket } from '../link'
import { type Candidate, type Connection, Denied, Unreachable, usual, type Wanted } from './connection'
import { EventStream } from './event-stream'
import { LongPoll } from './long-poll'
import { networkName, recall, remember } from './memory'
import { openWebSocket } from './websocket'

/** The answer of one page's address. */
async function asked(page: string): Promise<Connection> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), CONNECT_WITHIN_MS)
  let response: Response
  try {
    response = await fetch(`/api/pages/${page}/connection`, { credentials: 'same-origin', headers: { accept: 'application/json' }, cache: 'no-store', signal: late.signal })
  } catch {
    throw new Unreachable()
  } finally {
    clearTimeout(timer)
  }
  if (response.status === 401) throw new Denied(4401)
  if (response.status === 403) throw new Denied(4403)
  // A gateway that has lost its wiki answers in its place.
  if (response.status === 502 || response.status === 504) throw new Unreachable()
  const known = usual(`page-${page}`)
  if (!response.ok) return known
  try {
    return { ...known, ...((await response.json()) as Partial<Connection>) }
  } catch {
    return known
  }
}

let early: { page: string; at: number; answer: Promise<Connection> } | null = null

/** Asks before the editor is opened, so that opening need not wait for it. */
export function prepareConnection(page: string): void {
  early = { page, at: Date.now(), answer: asked(page) }
  early.answer.catch(() => undefined)
}

/** 32 hex digits. */
function newSession(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Null where the browser forbids to keep anything. */
function storage(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}

function wantedOf(search: string): Wanted {
  const query = new URLSearchParams(search)
  return { transport: query.get('transport') ?? '', path: query.get('path') ?? '' }
}

export class BrowserNetwork implements Network {
  readonly wanted = wantedOf(location.search)
  private known: Connection | null = null

  constructor(private readonly page: string, private readonly clock: Clock = browserClock) {}

  async connection(anew: boolean): Promise<Connection> {
    if (early?.page === this.page && !anew && Date.now() - early.at < TOKEN_MARGIN_MS) this.known ??= await early.answer
    early = null
    if (anew || this.known === null || !this.isFresh) this.known = await asked(this.page)
    return this.known
  }

  open(candidate: Candidate): Socket {
    if (candidate.transport === 'websocket') return openWebSocket(candidate.url)
    const Kind = candidate.transport === 'event-stream' ? EventStream : LongPoll
    return new Kind({ base: candidate.url, session: newSession(), token: () => this.token(), fetch: (url, init) => fetch(url, init), clock: this.clock })
  }

  recall(): Candidate | null {
    // A forced way says nothing about the network.
    const store = this.isForced ? null : storage()
    return store && recall(store, this.network, Date.now())
  }

  remember(candidate: Candidate): void {
    const store = this.isForced ? null : storage()
    if (store) remember(store, this.network, candidate, Date.now())
  }

  private get isForced(): boolean {
    return this.wanted.transport !== '' || this.wanted.path !== ''
  }

  private get isFresh(): boolean {
    return this.known !== null && this.known.token_expires_at_ms - Date.now() > TOKEN_MARGIN_MS
  }

  private get network(): string {
    return networkName(location.host, (navigator as { connection?: { type?: string; effectiveType?: string } }).connection)
  }

  /** The token, which is fetched anew in time: sessions over HTTP say it with every request. */
  private token(): string {
    if (!this.isFresh && this.known) {
      const old = this.known
      this.known = { ...old, token_expires_at_ms: Date.now() + 2 * TOKEN_MARGIN_MS }
      asked(this.page).then((answer) => { this.known = answer }, () => { this.known = old })
    }
    return this.known?.token ?? ''
  }
}
