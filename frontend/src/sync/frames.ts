// The frames of docs/spec/collab.md, chapter 1, in both directions.
import { Reader, Refused, Writer } from './bytes'
import * as limits from './limits'

export interface Lease {
  clientId: number
  proof: Uint8Array
}

export type ClientFrame =
  | { type: 'hello'; version: number; document: string; resume: { epoch: number; seq: number } | null; leases: Lease[] }
  | { type: 'push'; batchId: number; updates: Uint8Array[] }
  | { type: 'presence'; blob: Uint8Array }
  | { type: 'ping'; nonce: number; rttMs: number }
  | { type: 'auth'; token: string }
  /** 1: may I write; 2: I let go. */
  | { type: 'ask'; what: number }

export interface Welcome {
  type: 'welcome'
  version: number
  epoch: number
  headSeq: number
  rights: number
  /** Why not more: 0 permission, 1 read-only mode, 2 somebody else writes, 3 as many write as may. */
  cause: number
  connectionId: number
  clientId: number
  proof: Uint8Array
  updateBytesMax: number
  mode: number
}

export type PresenceChange =
  | { connectionId: number; kind: 'gone' }
  | { connectionId: number; kind: 'joined'; identity: string; blob: Uint8Array }
  | { connectionId: number; kind: 'changed'; blob: Uint8Array }

export type ServerFrame =
  | Welcome
  | { type: 'snapshot'; epoch: number; seq: number; totalBytes: number; offset: number; part: Uint8Array }
  | { type: 'batch'; epoch: number; firstSeq: number; updates: { connectionId: number; update: Uint8Array }[] }
  | { type: 'ack'; batchId: number; epoch: number; seq: number }
  | { type: 'nack'; batchId: number; reason: number; message: string }
  | { type: 'presence'; changes: PresenceChange[] }
  | { type: 'access'; rights: number; cause: number; reason: string }
  | { type: 'reset'; epoch: number; reason: number }
  | { type: 'pong'; nonce: number }
  | { type: 'event'; json: string }

const ANY = Number.MAX_SAFE_INTEGER

function times<T>(n: number, make: () => T): T[] {
  const list: T[] = []
  for (let i = 0; i < n; i += 1) list.push(make())
  return list
}

function proof(r: Reader): Uint8Array {
  const bytes = r.raw(ANY)
  if (bytes.length !== limits.PROOF_BYTES) throw new Refused('bad_value')
  return bytes
}

function decode<T>(bytes: Uint8Array, readers: Record<number, (r: Reader) => T>): T {
  if (bytes.length === 0) throw new Refused('empty')
  const r = new Reader(bytes)
  const read = readers[r.byte()]
  if (!read) throw new Refused('unknown_type')
  const frame = read(r)
  r.end()
  return frame
}

const CLIENT_READERS: Record<number, (r: Reader) => ClientFrame> = {
  0x01: (r) => ({
    type: 'hello',
    version: r.uint(),
    document: r.text(limits.DOCUMENT_NAME_BYTES_MAX),
    resume: r.choice(0, 1) === 1 ? { epoch: r.uint(), seq: r.uint() } : null,
    leases: times(r.count(limits.LEASES_MAX, 0), () => ({ clientId: r.uint(), proof: proof(r) })),
  }),
  0x02: (r) => {
    const batchId = r.uint()
    const n = r.count(limits.UPDATES_PER_PUSH_MAX, 0)
    if (n === 0) throw new Refused('bad_value')
    return { type: 'push', batchId, updates: times(n, () => r.raw(ANY)) }
  },
  0x03: (r) => ({ type: 'presence', blob: r.raw(limits.PRESENCE_BYTES_MAX) }),
  0x04: (r) => ({ type: 'ping', nonce: r.uint(), rttMs: r.uint() }),
  0x05: (r) => ({ type: 'auth', token: r.text(limits.TOKEN_BYTES_MAX) }),
  0x06: (r) => ({ type: 'ask', what: r.choice(1, 2) }),
}

function presenceChange(r: Reader): PresenceChange {
  const connectionId = r.uint()
  const kind = r.choice(0, 2)
  if (kind === 0) return { connectionId, kind: 'gone' }
  if (kind === 1) return { connectionId, kind: 'joined', identity: r.text(ANY), blob: r.raw(limits.PRESENCE_BYTES_MAX) }
  return { connectionId, kind: 'changed', blob: r.raw(limits.PRESENCE_BYTES_MAX) }
}

function snapshotPart(r: Reader): ServerFrame {
  const [epoch, seq, totalBytes, offset] = [r.uint(), r.uint(), r.uint(), r.uint()]
  const part = r.raw(limits.SNAPSHOT_PART_BYTES_MAX)
  if (offset + part.length > totalBytes) throw new Refused('bad_value')
  return { type: 'snapshot', epoch, seq, totalBytes, offset, part }
}

const SERVER_READERS: Record<number, (r: Reader) => ServerFrame> = {
  0x81: (r) => ({
    type: 'welcome',
    version: r.choice(limits.PROTOCOL_VERSION, limits.PROTOCOL_VERSION),
    epoch: r.uint(),
    headSeq: r.uint(),
    rights: r.choice(0, 2),
    cause: r.choice(0, 3),
    connectionId: r.uint(),
    clientId: r.uint(),
    proof: proof(r),
    updateBytesMax: r.uint(),
    mode: r.choice(0, 1),
  }),
  0x82: snapshotPart,
  0x83: (r) => ({
    type: 'batch',
    epoch: r.uint(),
    firstSeq: r.uint(),
    updates: times(r.count(ANY, 2), () => ({ connectionId: r.uint(), update: r.raw(ANY) })),
  }),
  0x84: (r) => ({ type: 'ack', batchId: r.uint(), epoch: r.uint(), seq: r.uint() }),
  0x85: (r) => ({ type: 'nack', batchId: r.uint(), reason: r.choice(1, 8), message: r.text(ANY) }),
  0x86: (r) => ({ type: 'presence', changes: times(r.count(ANY, 2), () => presenceChange(r)) }),
  0x87: (r) => ({ type: 'access', rights: r.choice(0, 2), cause: r.choice(0, 3), reason: r.text(ANY) }),
  0x88: (r) => ({ type: 'reset', epoch: r.uint(), reason: r.choice(1, 3) }),
  0x89: (r) => ({ type: 'pong', nonce: r.uint() }),
  0x8a: (r) => ({ type: 'event', json: r.text(ANY) }),
}

/** Throws `Refused`. */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  return decode(bytes, SERVER_READERS)
}

/** Throws `Refused`. For tests and the development server. */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  return decode(bytes, CLIENT_READERS)
}

export function encodeClientFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  const w = new Writer()
  switch (frame.type) {
    case 'hello':
      w.byte(0x01).uint(frame.version).text(frame.document).uint(frame.resume ? 1 : 0)
      if (frame.resume) w.uint(frame.resume.epoch).uint(frame.resume.seq)
      w.uint(frame.leases.length)
      for (const lease of frame.leases) w.uint(lease.clientId).raw(lease.proof)
      break
    case 'push':
      w.byte(0x02).uint(frame.batchId).uint(frame.updates.length)
      for (const update of frame.updates) w.raw(update)
      break
    case 'presence':
      w.byte(0x03).raw(frame.blob)
      break
    case 'ping':
      w.byte(0x04).uint(frame.nonce).uint(frame.rttMs)
      break
    case 'auth':
      w.byte(0x05).text(frame.token)
      break
    case 'ask':
      w.byte(0x06).uint(frame.what)
  }
  return w.done()
}

function writePresence(w: Writer, changes: PresenceChange[]): void {
  w.byte(0x86).uint(changes.length)
  for (const change of changes) {
    w.uint(change.connectionId).uint(change.kind === 'gone' ? 0 : change.kind === 'joined' ? 1 : 2)
    if (change.kind === 'joined') w.text(change.identity)
    if (change.kind !== 'gone') w.raw(change.blob)
  }
}

function writeWelcome(w: Writer, frame: Welcome): void {
  w.byte(0x81).uint(frame.version).uint(frame.epoch).uint(frame.headSeq).uint(frame.rights).uint(frame.cause)
  w.uint(frame.connectionId).uint(frame.clientId).raw(frame.proof).uint(frame.updateBytesMax).uint(frame.mode)
}

/** For tests and the development server. */
export function encodeServerFrame(frame: ServerFrame): Uint8Array<ArrayBuffer> {
  const w = new Writer()
  switch (frame.type) {
    case 'welcome':
      writeWelcome(w, frame)
      break
    case 'snapshot':
      w.byte(0x82).uint(frame.epoch).uint(frame.seq).uint(frame.totalBytes).uint(frame.offset).raw(frame.part)
      break
    case 'batch':
      w.byte(0x83).uint(frame.epoch).uint(frame.firstSeq).uint(frame.updates.length)
      for (const { connectionId, update } of frame.updates) w.uint(connectionId).raw(update)
      break
    case 'ack':
      w.byte(0x84).uint(frame.batchId).uint(frame.epoch).uint(frame.seq)
      break
    case 'nack':
      w.byte(0x85).uint(frame.batchId).uint(frame.reason).text(frame.message)
      break
    case 'presence':
      writePresence(w, frame.changes)
      break
    case 'access':
      w.byte(0x87).uint(frame.rights).uint(frame.cause).text(frame.reason)
      break
    case 'reset':
      w.byte(0x88).uint(frame.epoch).uint(frame.reason)
      break
    case 'pong':
      w.byte(0x89).uint(frame.nonce)
      break
    case 'event':
      w.byte(0x8a).text(frame.json)
  }
  return w.done()
}
