import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { FakeClock } from '../../dev/fake-clock'
import { Room } from '../../dev/room'
import { decodeClientFrame } from './frames'
import { isFinal, type Network, type Socket } from './link'
import type { Salvaged } from './salvage'
import { type ResetReason, Session, type Status, statusText } from './session'
import type { EditStore, KeptText, StoredEdit } from './store'
import { usual } from './transports/connection'

class MemoryStore implements EditStore {
  rows = new Map<string, StoredEdit>()
  kept = new Map<string, KeptText>()
  async edits() { return [...this.rows.values()] }
  async keep(edit: StoredEdit) { this.rows.set(edit.key, edit) }
  async forget(keys: string[]) { for (const key of keys) this.rows.delete(key) }
  async texts() { return [...this.kept.values()] }
  async keepText(text: KeptText) { this.kept.set(text.key, text) }
  async forgetText(key: string) { this.kept.delete(key) }
}

/** A wire to the room: delivers at once, unless the network is down. */
class Net {
  up = true
  /** A connection breaks after so many frames of the server. */
  framesMax = Infinity
  frames: Uint8Array[] = []
  sockets: { close(code: number): void }[] = []
  constructor(readonly room: Room) {}
  network(name: string): Network {
    return {
      wanted: { transport: '', path: '' }, connection: async () => usual('page-42'), open: () => this.connect(name), recall: () => null, remember: () => undefined,
    }
  }
  connect(name: string): Socket {
    const net = this
    let id = 0
    let isOpen = false
    const socket: Socket = {
      binaryType: '', onopen: null, onmessage: null, onclose: null,
      send(data) {
        if (!isOpen) return
        net.frames.push(data)
        net.room.receive(id, data)
      },
      close(code = 1000) {
        if (isOpen) net.room.leave(id)
        isOpen = false
        queueMicrotask(() => socket.onclose?.({ code }))
      },
    }
    this.sockets.push(socket)
    queueMicrotask(() => {
      if (!net.up) return socket.close(1006)
      isOpen = true
      let frames = 0
      const send = (bytes: Uint8Array<ArrayBuffer>) => {
        frames += 1
        if (frames > net.framesMax) return socket.close(1006)
        if (isOpen) socket.onmessage?.({ data: bytes.buffer })
      }
      const client = { send, close: (code: number) => socket.close(code) }
      id = net.room.join(client, JSON.stringify({ user: name, name, hue: 1 }))
      socket.onopen?.()
    })
    return socket
  }
  cut(): void {
    this.up = false
    for (const socket of this.sockets) socket.close(1006)
  }
}

let pages = 0
class Page {
  session: Session
  ydoc: Y.Doc | null = null
  status: Status = { kind: 'loading' }
  resets: { reason: ResetReason; text: string }[] = []
  refused: number | null = null
  kept: string[] = []
  merged = 0
  rights: [boolean, number] = [false, -1]
  /** What the server says to edits of an earlier epoch. */
  salvage: Salvaged = 'refused'
  documents = 0
  seenSavedWith: string[] = []
  constructor(net: Net, readonly clock: FakeClock, readonly store = new MemoryStore(), name = 'ann') {
    pages += 1
    this.session = new Session({
      document: 'page-42', clock, store, tab: `tab${pages}`, now_ms: () => pages, network: net.network(name), mergeOld: async () => this.salvage,
      events: {
        onDocument: (ydoc) => { this.ydoc = ydoc; this.documents += 1 },
        beforeRemote: () => undefined,
        onStatus: (status) => { this.status = status },
        onPeople: () => undefined,
        onRights: (canWrite, cause) => { this.rights = [canWrite, cause] },
        onKept: (text) => { this.kept.push(text) },
        onMerged: (changes) => { this.merged += changes },
        onRoute: () => undefined,
        onAbsence: () => undefined,
        onReset: (reason, text) => { this.ydoc = null; this.resets.push({ reason, text }) },
        onEvent: () => undefined,
        onRefused: (code) => { this.refused = code },
      },
    })
    void this.session.start()
  }
  get text(): string { return this.ydoc?.getText('title').toString() ?? '' }
  get shown(): string { return statusText(this.status) }
  type(text: string): void { const t = this.ydoc!.getText('title'); t.insert(t.length, text) }
}
const seeded = () => new Room((ydoc) => ydoc.getText('title').insert(0, 'T:'))
async function opened(room = seeded()) {
  const net = new Net(room)
  const clock = new FakeClock()
  const page = new Page(net, clock)
  await clock.pass(1)
  return { room, net, clock, page }
}
const stored = (room: Room) => room.ydoc.getText('title').toString()

test('[CLIENT-1] the leased client id is set before the document can be edited', async () => {
  const { page } = await opened()
  assert.equal(page.ydoc!.clientID, 1001)
  assert.equal(page.text, 'T:')
  assert.equal(page.shown, 'Saved')
})

test('[WIRE-12] a snapshot in many parts is one document; a part that is missing makes the client reconnect', async () => {
  const room = new Room((ydoc) => ydoc.getText('title').insert(0, 'long'.repeat(100)))
  room.partBytes = 50
  const { page, clock, net } = await opened(room)
  assert.equal(page.text, 'long'.repeat(100))
  room.toAll({ type: 'snapshot', epoch: 1, seq: 1, totalBytes: 9, offset: 3, part: new Uint8Array(3) })
  await clock.pass(1000)
  assert.equal(net.sockets.length, 2)
  assert.equal(page.shown, 'Saved')
})

test('[CLIENT-5] Saved is shown only when everything is acknowledged; then the store is empty', async () => {
  const { page, clock, room } = await opened()
  room.losesAcks = true
  page.type('a')
  assert.equal(page.shown, 'Saving')
  await clock.pass(5)
  assert.equal(stored(room), 'T:a')
  assert.equal(page.shown, 'Saving')
  room.losesAcks = false
  page.type('b')
  await clock.pass(5)
  assert.equal(page.shown, 'Saving', 'the first batch has no answer yet')
  assert.equal(page.store.rows.size, 1)
})

test('[CLIENT-3] what was typed while away is sent in the order it was made, merged or not, and no clock twice', async () => {
  const { page, clock, net, room } = await opened()
  net.cut()
  await clock.pass(1)
  for (const letter of 'abcde') {
    page.type(letter)
    await clock.pass(1)
  }
  net.frames = []
  net.up = true
  page.session.wake()
  await clock.pass(5)
  const sent = net.frames.map((bytes) => decodeClientFrame(bytes)).flatMap((frame) => (frame.type === 'push' ? frame.updates : []))
  let next = 0
  for (const { id, length } of sent.flatMap((update) => Y.decodeUpdate(update).structs)) {
    assert.deepEqual([id.client, id.clock], [1001, next])
    next += length
  }
  assert.equal(next, 5)
  assert.equal(stored(room), 'T:abcde')
})

test('[CLIENT-4] after a lost acknowledgement and a reconnect all is sent again, and nothing is doubled', async () => {
  const { page, clock, room, net } = await opened()
  room.losesAcks = true
  page.type('a')
  page.type('b')
  await clock.pass(5)
  net.cut()
  await clock.pass(5)
  assert.equal(page.shown, 'Offline, 2 changes kept on this device')
  page.type('c')
  await clock.pass(5)
  assert.equal(page.shown, 'Offline, 3 changes kept on this device')
  room.losesAcks = false
  net.up = true
  page.session.wake()
  await clock.pass(5)
  assert.equal(page.shown, 'Saved')
  assert.equal(stored(room), 'T:abc')
  assert.equal(page.ydoc!.clientID, 1001, 'a document in memory keeps its client id')
  assert.equal(page.store.rows.size, 0)
})

test('[CLIENT-2] what a closed page left is sent by the next one, under its old client id', async () => {
  const { page, clock, room, net } = await opened()
  net.cut()
  await clock.pass(1)
  page.type('x')
  page.type('y')
  await clock.pass(5)
  page.session.stop()
  assert.equal(page.store.rows.size, 1)
  net.up = true
  const next = new Page(net, clock, page.store)
  await clock.pass(5)
  assert.equal(stored(room), 'T:xy')
  assert.equal(next.text, 'T:xy')
  assert.notEqual(next.ydoc!.clientID, 1001)
  next.type('z')
  await clock.pass(5)
  assert.equal(stored(room), 'T:xyz')
  assert.equal(next.shown, 'Saved')
  assert.equal(next.store.rows.size, 0)
})

test('[CLIENT-2] two pages of one user may both send what a third one left', async () => {
  const { page, clock, room, net } = await opened()
  net.cut()
  await clock.pass(1)
  page.type('x')
  await clock.pass(5)
  page.session.stop()
  net.up = true
  const [a, b] = [new Page(net, clock, page.store), new Page(net, clock, page.store)]
  await clock.pass(5)
  assert.equal(stored(room), 'T:x')
  assert.deepEqual([a.text, b.text, a.shown, b.shown], ['T:x', 'T:x', 'Saved', 'Saved'])
})

test('[CLIENT-6] a refusal because the log is down waits and sends again', async () => {
  const { page, clock, room } = await opened()
  room.refuseWith = 7
  page.type('a')
  await clock.pass(2000)
  assert.equal(page.shown, 'Saving')
  page.type('b')
  room.refuseWith = null
  await clock.pass(20_000)
  assert.equal(page.shown, 'Saved')
  assert.equal(stored(room), 'T:ab')
})

test('[CLIENT-6] a clock gap reconnects; a refusal for good sets the text aside and joins afresh', async () => {
  const { page, clock, room } = await opened()
  room.refuseWith = 5
  page.type('a')
  await clock.pass(10)
  room.refuseWith = null
  await clock.pass(1000)
  assert.equal(page.shown, 'Saved')
  assert.equal(stored(room), 'T:a')
  room.refuseWith = 2
  page.type('bad')
  await clock.pass(10)
  room.refuseWith = null
  await clock.pass(1000)
  assert.deepEqual(page.resets, [{ reason: 'refused', text: 'bad' }])
  assert.equal(page.text, 'T:a')
  assert.equal([...page.store.kept.values()][0]!.text, 'bad')
  assert.equal(page.store.rows.size, 0)
  page.type('!')
  await clock.pass(10)
  assert.equal(stored(room), 'T:a!')
})

test('[CLIENT-7] a reset keeps unsent text, replaces the document and goes on over the same connection', async () => {
  const { page, clock, room, net } = await opened()
  page.type('draft')
  await clock.pass(10)
  room.refuseWith = 7
  page.type(' more')
  await clock.pass(1)
  const connections = net.sockets.length
  room.refuseWith = null
  room.reset(1)
  await clock.pass(10)
  assert.deepEqual(page.resets, [{ reason: 'discarded', text: 'more' }])
  assert.equal(page.documents, 2)
  assert.equal(page.text, 'T:')
  assert.equal(net.sockets.length, connections)
  page.type('new')
  await clock.pass(10)
  assert.equal(stored(room), 'T:new')
  assert.equal(page.shown, 'Saved')
})

test('[CLIENT-7] a reset that happened while away is noticed at the welcome', async () => {
  const { page, clock, room, net } = await opened()
  net.cut()
  await clock.pass(1)
  page.type('alone')
  await clock.pass(1)
  room.reset(3)
  net.up = true
  page.session.wake()
  await clock.pass(2000)
  assert.deepEqual([page.resets.length, page.kept, page.merged], [1, ['alone'], 0])
  assert.equal([...page.store.kept.values()][0]!.text, 'alone')
  assert.equal(page.text, 'T:')
  assert.equal(page.shown, 'Saved')
})

test('[CLIENT-7] what the server merges is part of the page again; what it could not be asked for stays on the device', async () => {
  const { page, clock, room, net } = await opened()
  net.cut()
  await clock.pass(1)
  page.type('alone')
  await clock.pass(1)
  room.reset(2)
  net.up = true
  page.salvage = 'later'
  page.session.wake()
  await clock.pass(2000)
  assert.deepEqual([page.kept, page.store.rows.size], [[], 1])
  page.salvage = 'merged'
  net.cut()
  net.up = true
  await clock.pass(2000)
  assert.deepEqual([page.kept, page.merged, page.store.rows.size], [[], 1, 0])
})

test('[CLIENT-8] repeated batches are harmless; a hole makes the client reconnect', async () => {
  const { page, clock, room, net } = await opened()
  const update = room.log[0]!
  room.toAll({ type: 'batch', epoch: 1, firstSeq: 1, updates: [{ connectionId: 0, update }] })
  assert.equal(page.text, 'T:')
  const connections = net.sockets.length
  room.toAll({ type: 'batch', epoch: 1, firstSeq: 9, updates: [{ connectionId: 0, update }] })
  await clock.pass(1000)
  assert.equal(net.sockets.length, connections + 1)
  assert.equal(page.shown, 'Saved')
})

test('[CLIENT-8] a page that is longer than any connection lives is loaded all the same', async () => {
  const room = seeded()
  room.tailUpdates = 1
  const net = new Net(room)
  const clock = new FakeClock()
  const writer = new Page(net, clock)
  await clock.pass(1)
  for (let n = 0; n < 30; n += 1) {
    writer.type(`<${n}>`)
    await clock.pass(1)
  }
  writer.session.stop()
  room.snapshotSeq = 5
  // Echo, WELCOME, snapshot and a few more: far from all at once.
  net.framesMax = 9
  const reader = new Page(net, clock)
  await clock.pass(3000)
  assert.equal(reader.text, stored(room))
  net.framesMax = Infinity
  reader.type('!')
  await clock.pass(3000)
  assert.deepEqual([reader.shown, reader.text], ['Saved', stored(room)])
})

test('[CLIENT-9] without the right to write, unacknowledged text is set aside', async () => {
  const { page, clock, room } = await opened()
  room.refuseWith = 7
  page.type('late')
  await clock.pass(1)
  room.toAll({ type: 'access', rights: 1, cause: 0, reason: 'space is read only' })
  await clock.pass(1)
  assert.deepEqual(page.resets, [{ reason: 'read only', text: 'late' }])
})

test('[CLIENT-9] what was on its way when the right to write went is answered first: only what nobody has is set aside', async () => {
  const { page, clock, room } = await opened()
  room.losesAcks = true
  page.type('arrived')
  await clock.pass(1)
  room.toAll({ type: 'access', rights: 1, cause: 1, reason: '' })
  await clock.pass(1)
  assert.deepEqual([page.resets, page.rights], [[], [false, 1]])
  room.toAll({ type: 'ack', batchId: 1, epoch: 1, seq: 2 })
  await clock.pass(1)
  assert.deepEqual([page.resets, page.shown, page.store.rows.size], [[], 'Saved', 0])
  room.losesAcks = false
  room.toAll({ type: 'access', rights: 2, cause: 0, reason: '' })
  page.type('!')
  await clock.pass(1)
  assert.equal(stored(room), 'T:arrived!')
})

test('[CLIENT-12] whoever is turned away for good keeps the text that was not sent', async () => {
  for (const code of [4403, 4404]) {
    const { page, clock, room } = await opened()
    room.refuseWith = 7
    page.type('mine')
    await clock.pass(1)
    room.disconnectAll(code)
    await clock.pass(1)
    assert.deepEqual([page.refused, page.kept, page.documents], [code, ['mine'], 1])
    assert.deepEqual([page.store.rows.size, [...page.store.kept.values()][0]!.text], [0, 'mine'])
    assert.equal(page.text, 'T:mine', 'the text stays on the screen')
  }
})

test('[CLIENT-10] a frame holds no more than the server takes', async () => {
  const { page, clock, net, room } = await opened()
  net.cut()
  await clock.pass(1)
  for (let i = 0; i < 12; i += 1) {
    page.type('x'.repeat(1 << 20))
    await clock.pass(1)
  }
  net.frames = []
  net.up = true
  page.session.wake()
  await clock.pass(10)
  assert.equal(page.shown, 'Saved')
  assert.equal(stored(room).length, 2 + 12 * (1 << 20))
  assert.ok(net.frames.length > 3)
  for (const frame of net.frames) assert.ok(frame.length <= (4 << 20) + 65_536)
})

test('[CLIENT-11] a connection that does not answer a ping is left', async () => {
  const { page, clock, net, room } = await opened()
  const answer = room.receive.bind(room)
  room.receive = () => undefined
  await clock.pass(29_000)
  assert.equal(net.sockets.length, 1)
  await clock.pass(2000)
  room.receive = answer
  await clock.pass(20_000)
  assert.ok(net.sockets.length > 1)
  assert.equal(page.shown, 'Saved')
})

test('[WIRE-6] the client does not come back after 4400 to 4499, and does after anything else', async () => {
  assert.ok(isFinal(4400) && isFinal(4499) && !isFinal(4500) && !isFinal(1012) && !isFinal(1006))
  const { page, clock, room, net } = await opened()
  room.disconnectAll(1012)
  await clock.pass(2000)
  assert.equal(net.sockets.length, 2)
  room.disconnectAll(4404)
  await clock.pass(100_000)
  assert.equal(net.sockets.length, 2)
  assert.equal(page.refused, 4404)
})

test('[CLIENT-4] four pages, lossy links and a log that fails at times: nothing saved is lost, nothing doubled', async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    let state = seed
    const random = () => ((state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff)
    const room = seeded()
    const net = new Net(room)
    const clock = new FakeClock(random)
    const all = [1, 2, 3, 4].map((n) => new Page(net, clock, new MemoryStore(), `p${n}`))
    await clock.pass(10)
    const typed: string[] = []
    for (let step = 0; step < 120; step += 1) {
      const i = Math.floor(random() * all.length)
      const word = `<${seed}.${step}>`
      if (all[i]!.ydoc) {
        all[i]!.type(word)
        typed.push(word)
      }
      const dice = random()
      room.losesAcks = dice < 0.1
      room.refuseWith = dice > 0.9 ? 7 : null
      if (dice > 0.4 && dice < 0.45) net.cut()
      if (dice > 0.5) net.up = true
      if (dice > 0.45 && dice < 0.5) {
        const old = all[i]!
        old.session.stop()
        all[i] = new Page(net, clock, old.store, `p${i}`)
      }
      await clock.pass(Math.floor(random() * 300))
    }
    Object.assign(room, { losesAcks: false, refuseWith: null })
    net.up = true
    net.cut()
    net.up = true
    await clock.pass(60_000)
    for (const word of typed) assert.equal(stored(room).split(word).length, 2, `${word} of seed ${seed}`)
    for (const page of all) assert.deepEqual([page.text, page.shown], [stored(room), 'Saved'])
  }
})
