// A session over several ways at once, in a network that changes under it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type * as Y from 'yjs'
import { FakeClock } from '../../dev/fake-clock'
import { Room } from '../../dev/room'
import { type ClientFrame, decodeClientFrame } from './frames'
import type { Absence, Network, Route, Socket } from './link'
import { Session, statusText } from './session'
import type { EditStore, StoredEdit } from './store'
import { type Candidate, type Connection, Denied, type Transport, Unreachable, usual } from './transports/connection'

class Nothing implements EditStore {
  rows = new Map<string, StoredEdit>()
  async edits() { return [] }
  async keep(edit: StoredEdit) { this.rows.set(edit.key, edit) }
  async forget(keys: string[]) { for (const key of keys) this.rows.delete(key) }
  async texts() { return [] }
  async keepText() {}
  async forgetText() {}
}

/** A wiki with an engine, and what lies between them and this page. */
class World {
  readonly clock = new FakeClock()
  readonly room = new Room((ydoc) => ydoc.getText('title').insert(0, 'T:'))
  /** Transports that something in between does not let through. */
  readonly blocked = new Set<Transport>()
  wiki: 'up' | 'down' | 'denies' = 'up'
  token = ''
  asked = 0
  refusesHello = false
  /** Frames from the page take this long. */
  delay_ms = 3
  readonly sent: { transport: Transport; frame: ClientFrame }[] = []
  readonly open = new Map<Socket, Transport>()
  remembered: Candidate[] = []
  readonly session: Session
  readonly routes: (Route | null)[] = []
  readonly absences: Absence[] = []
  refused: number | null = null
  ydoc: Y.Doc | null = null

  constructor() {
    this.session = new Session({
      document: 'page-1', tab: 't', now_ms: () => 1, clock: this.clock, store: new Nothing(), network: this.network(), mergeOld: async () => 'refused',
      events: {
        onDocument: (ydoc) => { this.ydoc = ydoc },
        onRoute: (route) => this.routes.push(route), onAbsence: (absence) => this.absences.push(absence), onRefused: (code) => { this.refused = code },
        beforeRemote: () => undefined, onStatus: () => undefined, onPeople: () => undefined, onRights: () => undefined,
        onReset: () => undefined, onKept: () => undefined, onMerged: () => undefined, onEvent: () => undefined,
      },
    })
  }
  async start(): Promise<this> {
    void this.session.start()
    await this.clock.pass(10_000)
    return this
  }
  get transports(): Transport[] { return [...this.open.values()] }
  get stored(): string { return this.room.ydoc.getText('title').toString() }
  get shown(): string { return statusText(this.session.status) }
  type(text: string): void { const t = this.ydoc!.getText('title'); t.insert(t.length, text) }

  private network(): Network {
    return {
      wanted: { transport: '', path: '' },
      connection: async (): Promise<Connection> => {
        this.asked += 1
        if (this.wiki === 'down') throw new Unreachable()
        if (this.wiki === 'denies') throw new Denied(4403)
        return { ...usual('page-1'), token: this.token }
      },
      open: (candidate) => this.connect(candidate.transport),
      recall: () => null,
      remember: (candidate) => this.remembered.push(candidate),
    }
  }
  private connect(transport: Transport): Socket {
    const { room, clock } = this
    let id = 0
    const isOpen = () => this.open.has(socket)
    const socket: Socket = {
      binaryType: '', onopen: null, onmessage: null, onclose: null,
      send: (data) => clock.after(this.delay_ms, () => {
        const frame = decodeClientFrame(data)
        if (!isOpen()) return
        this.sent.push({ transport, frame })
        if (frame.type === 'hello' && this.refusesHello) return this.end(socket, 4401)
        if (frame.type !== 'auth' && frame.type !== 'ask') room.receive(id, data)
      }),
      close: (code = 1006) => {
        if (this.open.delete(socket)) room.leave(id)
        queueMicrotask(() => socket.onclose?.({ code }))
      },
    }
    queueMicrotask(() => {
      if (this.wiki !== 'up' || this.blocked.has(transport)) return socket.onclose?.({ code: 1006 })
      this.open.set(socket, transport)
      id = room.join({ send: (bytes) => isOpen() && socket.onmessage?.({ data: bytes.buffer }), close: (code) => this.end(socket, code) }, '{"user":"ann","name":"Ann","hue":1}')
      socket.onopen?.()
    })
    return socket
  }
  end(socket: Socket, code: number, reason = ''): void {
    this.open.delete(socket)
    queueMicrotask(() => socket.onclose?.({ code, reason }))
  }
  endAll(code: number, reason = ''): void {
    for (const socket of [...this.open.keys()]) this.end(socket, code, reason)
  }
  cut(): void {
    for (const socket of [...this.open.keys()]) socket.close()
  }
}

test('[TRANS-27] changing over to a better way while typing loses and doubles nothing', async () => {
  const world = new World()
  world.blocked.add('websocket')
  await world.start()
  assert.deepEqual(world.transports, ['event-stream'])
  world.delay_ms = 40
  const words: string[] = []
  for (let n = 0; n < 400; n += 1) {
    if (n === 50) world.blocked.clear()
    words.push(`<${n}>`)
    world.type(`<${n}>`)
    world.room.losesAcks = n % 7 === 0
    await world.clock.pass(75)
  }
  world.room.losesAcks = false
  await world.clock.pass(1000)
  assert.deepEqual(world.transports, ['websocket'], 'the old connection is closed')
  const hellos = world.sent.filter(({ frame }) => frame.type === 'hello').map(({ transport, frame }) => [transport, frame.type === 'hello' && frame.resume !== null])
  assert.deepEqual(hellos, [['event-stream', false], ['websocket', true]])
  world.cut()
  await world.clock.pass(2000)
  assert.equal(world.stored, `T:${words.join('')}`)
  assert.deepEqual([world.shown, world.ydoc!.getText('title').toString()], ['Saved', world.stored])
})

test('[TRANS-27] looks for a better way come in growing pauses, and at once when the network changes', async () => {
  const world = new World()
  world.blocked.add('websocket').add('event-stream')
  await world.start()
  const failures = () => world.routes.filter((route) => route !== null).length
  const before = failures()
  await world.clock.pass(60_000)
  const looks = failures() - before
  assert.ok(looks >= 3 && looks < 12, `${looks} looks and pings within a minute`)
  assert.deepEqual(world.routes.at(-1)!.failures.map(({ candidate }) => candidate.transport), ['websocket', 'event-stream'])
  world.blocked.delete('websocket')
  world.session.wake()
  await world.clock.pass(500)
  assert.deepEqual(world.transports, ['websocket'])
})

test('[TRANS-27] the place among the writers is not given up for a better way', async () => {
  const world = new World()
  world.blocked.add('websocket')
  await world.start()
  world.room.rights = 1
  world.room.cause = 2
  world.blocked.clear()
  await world.clock.pass(30_000)
  assert.deepEqual(world.transports, ['event-stream'])
  assert.equal(world.session.canWrite, true)
  world.type('mine')
  await world.clock.pass(100)
  assert.deepEqual([world.stored, world.shown], ['T:mine', 'Saved'])
})

test('[TRANS-25] a WebSocket says its token after the echo and before HELLO', async () => {
  const world = new World()
  world.token = 'signed'
  await world.start()
  assert.deepEqual(world.sent.slice(0, 3).map(({ frame }) => frame.type), ['ping', 'auth', 'hello'])
})

test('[TRANS-25] a token that is refused is fetched again, once', async () => {
  const world = await new World().start()
  const asked = world.asked
  world.endAll(4401)
  await world.clock.pass(2000)
  assert.deepEqual([world.refused, world.asked > asked, world.transports], [null, true, ['websocket']])
  world.endAll(4401)
  await world.clock.pass(300)
  assert.equal(world.refused, null, 'a WELCOME in between makes it a new story')
  const again = new World()
  again.refusesHello = true
  await again.start()
  assert.deepEqual([again.refused, again.sent.filter(({ frame }) => frame.type === 'hello').length], [4401, 2])
})

test('[WIRE-11] the client comes back after the pause that the server asks for, not before', async () => {
  const world = await new World().start()
  world.endAll(1013, 'retry_after_ms=8000')
  await world.clock.pass(7900)
  assert.deepEqual(world.transports, [])
  await world.clock.pass(4200)
  assert.deepEqual(world.transports, ['websocket'])
})

test('[CLIENT-13] it is told apart whether the wiki is out of reach or only the engine', async () => {
  const world = await new World().start()
  world.blocked.add('websocket').add('event-stream').add('long-poll')
  world.cut()
  await world.clock.pass(5000)
  assert.equal(world.absences.at(-1), 'engine')
  world.wiki = 'down'
  await world.clock.pass(30_000)
  assert.equal(world.absences.at(-1), 'offline')
  world.wiki = 'denies'
  await world.clock.pass(30_000)
  assert.equal(world.refused, 4403)
})

test('[CLIENT-11] when the browser says that the network is gone, or back, the connection is tested at once', async () => {
  const world = await new World().start()
  world.wiki = 'down'
  world.session.networkLost()
  await world.clock.pass(0)
  assert.match(world.shown, /^Offline/)
  assert.equal(world.absences.at(-1), 'offline')
  await world.clock.pass(60_000)
  world.wiki = 'up'
  world.session.wake()
  await world.clock.pass(50)
  assert.equal(world.shown, 'Saved')
  world.delay_ms = 1_000_000
  world.session.wake()
  await world.clock.pass(3001)
  assert.match(world.shown, /^Offline/)
})

test('[CLIENT-11] the round trip that the echo measured is told right after WELCOME, on the first way and on a better one', async () => {
  const world = new World()
  world.blocked.add('websocket')
  await world.start()
  const told = () => world.sent.flatMap(({ transport, frame }, at) => (frame.type === 'ping' && world.sent[at - 1]?.frame.type === 'hello' ? [[transport, frame.rttMs]] : []))
  assert.deepEqual(told(), [['event-stream', 3]])
  world.blocked.clear()
  await world.clock.pass(30_000)
  assert.deepEqual(told(), [['event-stream', 3], ['websocket', 3]])
})

test('[CLIENT-11] each ping says the round trip that was measured before; a heartbeat comes every 25 seconds at least', async () => {
  const world = await new World().start()
  world.sent.length = 0
  await world.clock.pass(60_000)
  const pings = world.sent.flatMap(({ frame }) => (frame.type === 'ping' ? [frame.rttMs] : []))
  assert.deepEqual(pings.slice(0, 2), [3, 3])
  assert.equal(world.routes.at(-1)!.rtt_ms, 3)
})
