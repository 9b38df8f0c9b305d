import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../dev/fake-clock'
import { decodeClientFrame, encodeServerFrame } from '../frames'
import type { Socket } from '../link'
import type { Wire } from '../wire'
import { type Candidate, candidates, type Connection, type Transport, usual } from './connection'
import { networkName, recall, remember } from './memory'
import { lineUp, Race } from './race'

/** What a way does: `never` opens, `mute` opens and gives no echo, a number is the time of its echo. */
type Manner = 'never' | 'mute' | 'closes' | number

const way = (transport: Transport, path = 'direct'): Candidate => ({ transport, path, url: `/${path}` })
const ALL = (['websocket', 'event-stream', 'long-poll'] as const).map((t) => way(t))

class Track {
  readonly clock = new FakeClock()
  readonly opened: string[] = []
  readonly closed: string[] = []
  winner: Wire | null | undefined
  readonly race: Race
  constructor(manners: Partial<Record<Transport, Manner>>, entrants = lineUp(ALL, null)) {
    this.race = new Race(entrants, (candidate) => this.open(candidate, manners[candidate.transport] ?? 'never'), this.clock, (winner) => { this.winner = winner })
    this.race.start()
  }
  get won(): string | undefined { return this.winner?.candidate.transport }
  private open(candidate: Candidate, manner: Manner): Socket {
    this.opened.push(`${candidate.transport} at ${this.clock.now()}`)
    const socket: Socket = {
      binaryType: '', onopen: null, onmessage: null, onclose: null,
      send: (bytes) => {
        const frame = decodeClientFrame(bytes)
        assert.equal(frame.type, 'ping')
        if (frame.type === 'ping' && typeof manner === 'number') this.clock.after(manner, () => socket.onmessage?.({ data: encodeServerFrame({ type: 'pong', nonce: frame.nonce }).buffer }))
      },
      close: () => this.closed.push(candidate.transport),
    }
    queueMicrotask(() => (manner === 'closes' ? socket.onclose?.({ code: 1006 }) : manner === 'never' ? undefined : socket.onopen?.()))
    return socket
  }
}

test('[TRANS-22] a WebSocket that gives an echo is taken at once; nothing else is opened', async () => {
  const track = new Track({ websocket: 12 })
  await track.clock.pass(20)
  assert.equal(track.won, 'websocket')
  assert.equal(track.winner!.rtt_ms, 12)
  await track.clock.pass(20_000)
  assert.deepEqual(track.opened, ['websocket at 0'])
})

test('[TRANS-22] without an echo within two seconds the event stream starts as well, then the long poll', async () => {
  const track = new Track({ websocket: 'mute', 'event-stream': 'never', 'long-poll': 20 })
  await track.clock.pass(5000)
  assert.deepEqual(track.opened, ['websocket at 0', 'event-stream at 2000', 'long-poll at 3000'])
  assert.equal(track.won, 'long-poll')
  assert.deepEqual(track.closed, ['websocket', 'event-stream'], 'the losers are closed')
})

test('[TRANS-22] a way that is refused makes room for the next one at once', async () => {
  const track = new Track({ websocket: 'closes', 'event-stream': 30 })
  await track.clock.pass(100)
  assert.deepEqual([track.won, track.opened[1]], ['event-stream', 'event-stream at 0'])
  assert.deepEqual(track.race.failures.map(({ candidate }) => candidate.transport), ['websocket'])
})

test('[TRANS-22] a better way that answers within a short grace is preferred', async () => {
  const fast = new Track({ websocket: 2200, 'event-stream': 20 })
  await fast.clock.pass(2500)
  assert.equal(fast.won, 'websocket')
  const slow = new Track({ websocket: 5000, 'event-stream': 20 })
  await slow.clock.pass(2500)
  assert.equal(slow.won, 'event-stream')
  assert.ok(slow.closed.includes('websocket'))
})

test('[TRANS-22] when no way gives an echo there is no winner, and everything is closed', async () => {
  const track = new Track({ websocket: 'mute', 'event-stream': 'closes', 'long-poll': 'never' })
  await track.clock.pass(30_000)
  assert.equal(track.winner, null)
  assert.equal(track.race.failures.length, 3)
})

test('[TRANS-23] what won on this network before starts at once, and the best one with it', async () => {
  const track = new Track({ websocket: 'mute', 'event-stream': 'never', 'long-poll': 20 }, lineUp(ALL, way('long-poll')))
  await track.clock.pass(400)
  assert.deepEqual(track.opened, ['websocket at 0', 'long-poll at 0'])
  assert.equal(track.won, 'long-poll')
})

test('[TRANS-21] ways in the order of their worth; the address can force one, and what is switched off is never tried', () => {
  const connection: Connection = {
    ...usual('page-1'), transports: ['websocket', 'long-poll', 'carrier-pigeon'],
    paths: [{ name: 'direct', url: 'https://sync.example/synchrony/v1' }, { name: 'internal proxy', url: '/synchrony-proxy/v1' }],
  }
  const names = (transport = '', path = '') => candidates(connection, { transport, path }).map((c) => `${c.transport} ${c.path}`)
  assert.deepEqual(names(), ['websocket direct', 'websocket internal proxy', 'long-poll direct', 'long-poll internal proxy'])
  assert.deepEqual(names('', 'proxy'), ['websocket internal proxy', 'long-poll internal proxy'])
  assert.deepEqual(names('long-poll', 'direct'), ['long-poll direct'])
  assert.deepEqual(names('event-stream'), [])
  const starts = lineUp(candidates(connection, { transport: '', path: '' }), null).map(({ after_ms }) => after_ms)
  assert.deepEqual(starts, [0, 500, 3000, 3500])
  assert.deepEqual(lineUp(candidates(connection, { transport: 'long-poll', path: '' }), null).map(({ after_ms }) => after_ms), [0, 500])
})

test('[TRANS-26] the winner is remembered for each network, for a day', () => {
  const rows = new Map<string, string>()
  const store = { getItem: (key: string) => rows.get(key) ?? null, setItem: (key: string, value: string) => void rows.set(key, value) } as unknown as Storage
  const [office, home] = [networkName('wiki.example', { effectiveType: '4g' }), networkName('wiki.example', undefined)]
  remember(store, office, way('long-poll'), 1000)
  assert.equal(recall(store, office, 2000)?.transport, 'long-poll')
  assert.equal(recall(store, home, 2000), null)
  assert.equal(recall(store, office, 1000 + 24 * 3600 * 1000), null)
  rows.set('watersmeet.transports', 'rubbish')
  assert.equal(recall(store, office, 2000), null)
})
