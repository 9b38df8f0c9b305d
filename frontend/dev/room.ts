// A document's room in memory that speaks the frames of docs/spec/collab.md: for tests and the development server.
// It keeps nothing and checks little; the real one is crates/collab.
import * as Y from 'yjs'
import { type ClientFrame, decodeClientFrame, encodeServerFrame, type PresenceChange, type ServerFrame } from '../src/sync/frames'
import { PROTOCOL_VERSION, SNAPSHOT_PART_BYTES_MAX } from '../src/sync/limits'

export interface Client {
  send(bytes: Uint8Array<ArrayBuffer>): void
  close(code: number): void
}

interface Member {
  id: number
  client: Client
  identity: string
  blob: Uint8Array
  leased: Set<number>
  joined: boolean
}

function proofOf(clientId: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, (clientId * 2654435761) >>> 0)
  return bytes
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

export class Room {
  epoch = 1
  ydoc = new Y.Doc()
  log: Uint8Array[] = []
  /** Answers every push with this reason while it is not null. */
  refuseWith: number | null = null
  /** Acknowledgements get lost while true. */
  losesAcks = false
  /** Bytes of a snapshot in one frame. */
  partBytes = SNAPSHOT_PART_BYTES_MAX
  /** What WELCOME says of the next to come. */
  rights = 2
  cause = 0
  /** Updates of a tail in one frame, and where its snapshot ends; the whole log by default. */
  tailUpdates = Infinity
  snapshotSeq = Infinity
  private members = new Map<number, Member>()
  private lastConnection = 0
  private lastClient = 1000

  constructor(private readonly seed: (ydoc: Y.Doc) => void = () => undefined) {
    this.ydoc.clientID = 1
    seed(this.ydoc)
    this.log = [Y.encodeStateAsUpdate(this.ydoc)]
  }

  join(client: Client, identity: string): number {
    this.lastConnection += 1
    const id = this.lastConnection
    this.members.set(id, { id, client, identity, blob: new Uint8Array(0), leased: new Set(), joined: false })
    return id
  }

  leave(id: number): void {
    if (this.members.delete(id)) this.toAll({ type: 'presence', changes: [{ connectionId: id, kind: 'gone' }] })
  }

  receive(id: number, bytes: Uint8Array): void {
    const member = this.members.get(id)
    if (!member) return
    const frame = decodeClientFrame(bytes)
    if (frame.type === 'hello') this.hello(member, frame)
    else if (frame.type === 'push') this.push(member, frame.batchId, frame.updates)
    else if (frame.type === 'ping') this.to(member, { type: 'pong', nonce: frame.nonce })
    else if (frame.type === 'presence') {
      member.blob = frame.blob
      this.toAll({ type: 'presence', changes: [{ connectionId: id, kind: 'changed', blob: frame.blob }] }, id)
    }
  }

  /** Replaces the document, as discard does. */
  reset(reason: number): void {
    this.epoch += 1
    this.ydoc = new Y.Doc()
    this.ydoc.clientID = this.epoch
    this.seed(this.ydoc)
    this.log = [Y.encodeStateAsUpdate(this.ydoc)]
    for (const member of this.members.values()) member.joined = false
    this.toAll({ type: 'reset', epoch: this.epoch, reason })
  }

  toAll(frame: ServerFrame, except = 0): void {
    for (const member of this.members.values()) if (member.id !== except) this.to(member, frame)
  }

  disconnectAll(code: number): void {
    for (const member of [...this.members.values()]) {
      this.leave(member.id)
      member.client.close(code)
    }
  }

  private hello(member: Member, frame: Extract<ClientFrame, { type: 'hello' }>): void {
    this.lastClient += 1
    const clientId = this.lastClient
    const leases = frame.leases.filter((lease) => equal(lease.proof, proofOf(lease.clientId)))
    member.leased = new Set([clientId, ...leases.map((lease) => lease.clientId)])
    member.joined = true
    const resumes = frame.resume !== null && frame.resume.epoch === this.epoch && frame.resume.seq <= this.log.length
    this.to(member, {
      type: 'welcome', version: PROTOCOL_VERSION, epoch: this.epoch, headSeq: this.log.length, rights: this.rights, cause: this.cause, connectionId: member.id,
      clientId, proof: proofOf(clientId), updateBytesMax: 4 << 20, mode: resumes ? 0 : 1,
    })
    if (resumes) this.tail(member, frame.resume!.seq)
    else this.snapshot(member)
    this.introduce(member)
  }

  private snapshot(member: Member): void {
    const [epoch, seq] = [this.epoch, Math.min(this.log.length, this.snapshotSeq)]
    const state = Y.mergeUpdates(this.log.slice(0, seq))
    for (let offset = 0; offset < state.length; offset += this.partBytes) {
      const part = state.subarray(offset, offset + this.partBytes)
      this.to(member, { type: 'snapshot', epoch, seq, totalBytes: state.length, offset, part })
    }
    this.tail(member, seq)
  }

  private tail(member: Member, seq: number): void {
    const size = Math.min(this.tailUpdates, this.log.length)
    for (let from = seq; from < this.log.length; from += size) {
      const updates = this.log.slice(from, from + size).map((update) => ({ connectionId: 0, update }))
      this.to(member, { type: 'batch', epoch: this.epoch, firstSeq: from + 1, updates })
    }
  }

  private introduce(member: Member): void {
    const told = (m: Member): PresenceChange => ({ connectionId: m.id, kind: 'joined', identity: m.identity, blob: m.blob })
    this.to(member, { type: 'presence', changes: [...this.members.values()].map(told) })
    this.toAll({ type: 'presence', changes: [told(member)] }, member.id)
  }

  private push(member: Member, batchId: number, updates: Uint8Array[]): void {
    const reason = !member.joined ? 8 : (this.refuseWith ?? this.fault(member, updates))
    if (reason !== null) return this.to(member, { type: 'nack', batchId, reason, message: 'refused' })
    const firstSeq = this.log.length + 1
    for (const update of updates) {
      Y.applyUpdate(this.ydoc, update)
      this.log.push(update)
    }
    const frame: ServerFrame = { type: 'batch', epoch: this.epoch, firstSeq, updates: updates.map((update) => ({ connectionId: member.id, update })) }
    this.toAll(frame)
    if (!this.losesAcks) this.to(member, { type: 'ack', batchId, epoch: this.epoch, seq: this.log.length })
  }

  private fault(member: Member, updates: Uint8Array[]): number | null {
    const known = Y.decodeStateVector(Y.encodeStateVector(this.ydoc))
    for (const update of updates) {
      for (const { id, length } of Y.decodeUpdate(update).structs) {
        if (!member.leased.has(id.client)) return 4
        const have = known.get(id.client) ?? 0
        if (id.clock > have) return 5
        known.set(id.client, Math.max(have, id.clock + length))
      }
    }
    return null
  }

  private to(member: Member, frame: ServerFrame): void {
    member.client.send(encodeServerFrame(frame))
  }
}
