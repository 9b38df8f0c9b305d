// One document, edited together: what docs/spec/collab.md, chapter 6, asks of a client. No browser in here: socket,
// clock and store come from outside.
import * as Y from 'yjs'
import type { Clock } from './clock'
import type { ClientFrame, Lease, ServerFrame, Welcome } from './frames'
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, GAPS_MAX, LEASES_MAX, PRESENCE_BYTES_MAX, PRESENCE_EVERY_MS, PROTOCOL_VERSION, WELCOME_WITHIN_MS } from './limits'
import { type Absence, Link, type Network, type Route } from './link'
import { Outbox } from './outbox'
import { type Person, Roster } from './presence'
import { byAuthor, type MergeOld } from './salvage'
import { SnapshotParts } from './snapshot'
import type { EditStore, StoredEdit } from './store'
import { textIn, textOf } from './unsent'

/** Origin of what came from the server or from the store, in Yjs transactions. */
export const REMOTE = Symbol('remote')

export type Status =
  | { kind: 'loading' }
  | { kind: 'saved' }
  | { kind: 'saving' }
  /** `changes` are those that the store has; `kept` says whether it works. */
  | { kind: 'offline'; changes: number; kept: boolean }

/** The words of the status region; they are contract. */
export function statusText(status: Status): string {
  if (status.kind === 'loading') return ''
  if (status.kind === 'saved') return 'Saved'
  if (status.kind === 'saving') return 'Saving'
  return `Offline, ${status.changes} ${status.changes === 1 ? 'change' : 'changes'} kept on this device`
}

export type ResetReason = 'discarded' | 'rewritten' | 'restored' | 'refused' | 'read only'

export interface SessionEvents {
  /** A document is complete and may be shown and edited; an earlier one is dead. */
  onDocument(ydoc: Y.Doc): void
  /** Changes of others are about to come in: what the reader just did must be read first. */
  beforeRemote(): void
  onStatus(status: Status): void
  onPeople(people: Person[]): void
  /** `cause` is that of WELCOME and ACCESS. */
  onRights(canWrite: boolean, cause: number, reason: string): void
  /** The document was replaced. `text` is what its author had typed and nobody has; empty when nothing was lost. */
  onReset(reason: ResetReason, text: string): void
  /** Text was set aside on this device while the document stays. */
  onKept(text: string): void
  /** Edits from before the document was replaced are part of it again. */
  onMerged(changes: number): void
  onRoute(route: Route | null): void
  onAbsence(absence: Absence): void
  onEvent(event: Record<string, unknown>): void
  onRefused(code: number): void
}

export interface SessionOptions {
  document: string
  network: Network
  /** Asks the server to merge edits of an earlier epoch. */
  mergeOld: MergeOld
  clock: Clock
  store: EditStore
  events: SessionEvents
  /** Differs for every page and tab; names the rows of the store. */
  tab: string
  now_ms: () => number
}

const TIMERS = ['flushTimer', 'helloTimer', 'retryTimer', 'presenceTimer'] as const
/** Close codes and a cause of the protocol. */
const FORBIDDEN = 4403
const GONE = 4404
const ONE_WRITES = 2
const RESET_REASONS: Record<number, ResetReason> = { 1: 'discarded', 2: 'rewritten', 3: 'restored' }

export class Session {
  private ydoc = new Y.Doc()
  private readonly link: Link
  private readonly roster = new Roster()
  private readonly outbox = new Outbox()
  private readonly parts = new SnapshotParts()
  private welcome: Welcome | null = null
  private lease: Lease | null = null
  private leased = new Set<number>()
  /** Of the HELLO on a better way. */
  private leasedNext = new Set<number>()
  private leftovers: StoredEdit[] = []
  private epoch = -1
  private seq = 0
  /** The document is complete up to the head that WELCOME named. */
  private isCaughtUp = false
  private isShown = false
  /** Local updates of this tick. */
  private fresh: Uint8Array[] = []
  private flushTimer: number | null = null
  private helloTimer: number | null = null
  private nackReason: number | null = null
  private retries = 0
  private retryTimer: number | null = null
  private gaps = 0
  /** The connection that the last change came from. */
  private lastAuthor = 0
  private blob: Uint8Array = new Uint8Array(0)
  private presenceTimer: number | null = null
  private isPresenceDue = false
  private edits = 0
  private storeFails = false
  private stopped = false

  constructor(private readonly options: SessionOptions) {
    this.link = new Link(options.network, options.clock, {
      onOpen: () => this.hello(),
      onFrame: (frame) => this.receive(frame),
      onDown: () => this.down(),
      onRefused: (code) => this.refused(code),
      onBetter: () => this.helloForBetter(),
      onChange: (welcome) => this.changeOver(welcome),
      onRoute: (route) => options.events.onRoute(route),
      onAbsence: (absence) => options.events.onAbsence(absence),
    })
    this.listen()
  }

  /** Reads what earlier pages left on this device, then connects. */
  async start(): Promise<void> {
    try {
      const found = await this.options.store.edits()
      this.leftovers = found.sort((a, b) => a.order - b.order)
    } catch {
      this.storeFails = true
    }
    if (!this.stopped) this.link.start()
  }

  /** Sends what can be sent now and ends the connection. What is not acknowledged stays in the store. */
  stop(): void {
    this.flush()
    this.stopped = true
    for (const name of TIMERS) this.cancel(name)
    this.link.stop()
  }

  /** The network or the page came back. */
  wake(): void {
    this.link.wake()
  }

  /** The browser says that there is no network. */
  networkLost(): void {
    this.link.lost()
  }

  /** 1: may I write; 2: I let somebody else write. */
  ask(what: 1 | 2): void {
    this.flush()
    this.link.send({ type: 'ask', what })
  }

  /** After `onRefused`, e.g. when the user has logged in again. */
  retry(): void {
    this.link.start()
  }

  get canWrite(): boolean {
    return this.welcome === null || this.welcome.rights === 2
  }

  get people(): Person[] {
    return this.roster.others
  }

  /** Who wrote last, or the only other one; null: hard to say. */
  get writer(): Person | null {
    const { others } = this.roster
    const users = new Set(others.map(({ user, connectionId }) => user || connectionId))
    return others.find(({ connectionId }) => connectionId === this.lastAuthor) ?? (users.size === 1 ? others[0]! : null)
  }

  get status(): Status {
    const changes = this.outbox.changes + this.fresh.length
    if (!this.isShown) return { kind: 'loading' }
    if (this.welcome === null) return { kind: 'offline', changes: this.outbox.changesKept, kept: !this.storeFails }
    return changes === 0 ? { kind: 'saved' } : { kind: 'saving' }
  }

  /** Whether everything typed would survive the end of this page. */
  get isSafe(): boolean {
    return this.fresh.length === 0 && this.outbox.isKept
  }

  /** Resolves when everything typed is acknowledged; rejects when that cannot be waited for. */
  whenSaved(): Promise<void> {
    this.flush()
    if (this.status.kind === 'saved') return Promise.resolve()
    return new Promise((resolve) => this.savedWaiters.push(resolve))
  }
  private savedWaiters: (() => void)[] = []

  /** Sets this connection's presence; the newest wins, sent at most every 60 ms. */
  setPresence(blob: Uint8Array): void {
    if (blob.length > PRESENCE_BYTES_MAX) return
    this.blob = blob
    this.isPresenceDue = true
    this.sendPresence()
  }

  // --- local edits

  private listen(): void {
    const ydoc = this.ydoc
    ydoc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === REMOTE || ydoc !== this.ydoc) return
      this.fresh.push(update)
      this.flushTimer ??= this.options.clock.after(0, () => this.flush())
      if (this.fresh.length === 1) this.report()
    })
  }

  /** Gathers the updates of this tick into one edit: into the store, and on its way. */
  private flush(): void {
    this.cancel('flushTimer')
    if (this.fresh.length === 0 || !this.lease) return
    const update = this.fresh.length === 1 ? this.fresh[0]! : Y.mergeUpdates(this.fresh)
    this.edits += 1
    const edit: StoredEdit = {
      key: `${this.options.tab}:${this.edits}`,
      order: this.options.now_ms() * 1000 + (this.edits % 1000),
      epoch: this.epoch,
      clientId: this.lease.clientId,
      proof: this.lease.proof,
      update,
      changes: this.fresh.length,
    }
    this.fresh = []
    this.outbox.add(edit)
    this.keep(edit)
    this.pump()
    this.report()
  }

  private keep(edit: StoredEdit): void {
    this.options.store.keep(edit).then(
      () => {
        this.outbox.markKept(edit.key)
        // It may have been acknowledged while it was being written.
        if (!this.outbox.edits.includes(edit)) this.forget([edit.key])
        this.report()
      },
      () => {
        this.storeFails = true
        this.report()
      },
    )
  }

  private forget(keys: string[]): void {
    if (keys.length > 0) this.options.store.forget(keys).catch(() => undefined)
  }

  /** Sends what may be sent. Nothing before the tail up to WELCOME's head is applied. [CLIENT-4] */
  private pump(): void {
    for (let max = this.pushBytesMax(); max > 0; max = this.pushBytesMax()) {
      const batch = this.outbox.next(max, this.leased)
      if (batch) this.link.send({ type: 'push', batchId: batch.id, updates: batch.updates })
      else {
        if (this.outbox.isBlocked(max) && this.outbox.batchesInFlight === 0) this.startAfresh('refused')
        return
      }
    }
  }

  /** How large an update may be now; 0 when nothing may be sent. */
  private pushBytesMax(): number {
    if (!this.welcome || !this.isCaughtUp || this.welcome.rights < 2) return 0
    return this.nackReason === null && this.retryTimer === null ? this.welcome.updateBytesMax : 0
  }

  // --- connection

  private hello(): void {
    const { frame, leased } = this.helloFrame()
    this.leased = leased
    this.cancel('helloTimer')
    this.helloTimer = this.options.clock.after(WELCOME_WITHIN_MS, () => this.link.reconnect())
    this.link.send(frame)
  }

  private helloFrame(): { frame: ClientFrame; leased: Set<number> } {
    const leases: Lease[] = this.lease ? [this.lease] : []
    for (const { clientId, proof, epoch } of [...this.leftovers, ...this.outbox.edits]) {
      const isKnown = leases.some((lease) => lease.clientId === clientId)
      if (!isKnown && leases.length < LEASES_MAX && (this.epoch < 0 || epoch === this.epoch)) leases.push({ clientId, proof })
    }
    // What came before a connection broke is not asked for again, also while the document is not complete.
    const resume = this.epoch >= 0 && (this.isShown || this.seq > 0) ? { epoch: this.epoch, seq: this.seq } : null
    return {
      frame: { type: 'hello', version: PROTOCOL_VERSION, document: this.options.document, resume, leases },
      leased: new Set(leases.map((lease) => lease.clientId)),
    }
  }

  // --- changing over to a better way [TRANS-27]

  private helloForBetter(): ClientFrame | null {
    if (!this.welcome || !this.isCaughtUp) return null
    const { frame, leased } = this.helloFrame()
    this.leasedNext = leased
    return frame
  }

  /** What is not acknowledged is sent again on the better way; that is safe by ROOM-4. */
  private changeOver(welcome: Welcome): boolean {
    if (!this.welcome || !this.isCaughtUp || welcome.epoch !== this.epoch) return false
    // The place among the writers belongs to the connection: it is not given up for a faster one.
    if (welcome.rights < this.welcome.rights && welcome.cause >= ONE_WRITES) return false
    this.leased = this.leasedNext
    this.isCaughtUp = false
    this.nackReason = null
    this.parts.clear()
    this.outbox.rewind()
    this.cancel('retryTimer')
    this.roster.clear()
    return true
  }

  private down(): void {
    this.welcome = null
    this.isCaughtUp = false
    this.nackReason = null
    this.parts.clear()
    this.outbox.rewind()
    this.cancel('retryTimer')
    this.cancel('helloTimer')
    this.roster.clear()
    this.options.events.onPeople([])
    this.report()
  }

  private refused(code: number): void {
    this.down()
    // Where this person may write no more, what was not sent is kept for them as text.
    if (code === FORBIDDEN || code === GONE) {
      this.flush()
      const text = this.setAside([...this.leftovers.splice(0), ...this.outbox.drain()])
      if (text !== '') this.options.events.onKept(text)
      this.report()
    }
    this.options.events.onRefused(code)
  }

  private receive(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        return this.onWelcome(frame)
      case 'snapshot':
        return this.onSnapshot(frame)
      case 'batch':
        return this.onBatch(frame.epoch, frame.firstSeq, frame.updates)
      case 'ack':
        return this.onAck(frame.batchId)
      case 'nack':
        return this.onNack(frame.batchId, frame.reason)
      case 'presence':
        this.roster.apply(frame.changes)
        return this.options.events.onPeople(this.roster.others)
      case 'access':
        return this.onAccess(frame.rights, frame.cause, frame.reason)
      case 'reset':
        return this.onResetFrame(frame.epoch, frame.reason)
      case 'event':
        return this.onEvent(frame.json)
      case 'pong':
    }
  }

  private onWelcome(welcome: Welcome): void {
    this.welcome = welcome
    this.cancel('helloTimer')
    this.link.settled()
    this.roster.own = welcome.connectionId
    // A snapshot follows: our place is its place, also when the log has gone back (a restored backup).
    if (welcome.mode === 1) this.seq = 0
    this.leased.add(welcome.clientId)
    if (this.isShown && welcome.epoch !== this.epoch) this.drop('rewritten')
    if (!this.isShown) {
      if (this.epoch >= 0 && welcome.epoch !== this.epoch) this.replaceDocument()
      this.epoch = welcome.epoch
      this.lease = { clientId: welcome.clientId, proof: welcome.proof }
      this.ydoc.clientID = welcome.clientId
    }
    this.isCaughtUp = false
    this.options.events.onRights(welcome.rights === 2, welcome.cause, '')
    if (welcome.mode === 0) this.checkCaughtUp()
    this.isPresenceDue = this.blob.length > 0
    this.sendPresence()
    this.report()
  }

  private onSnapshot(part: Extract<ServerFrame, { type: 'snapshot' }>): void {
    if (part.epoch !== this.epoch) return
    let state: Uint8Array | null
    try {
      state = this.parts.take(part)
    } catch {
      return this.link.reconnect()
    }
    if (state === null) return
    this.options.events.beforeRemote()
    Y.applyUpdate(this.ydoc, state, REMOTE)
    this.seq = Math.max(this.seq, part.seq)
    this.checkCaughtUp()
  }

  private onBatch(epoch: number, firstSeq: number, updates: { connectionId: number; update: Uint8Array }[]): void {
    if (epoch !== this.epoch) return
    if (firstSeq > this.seq + 1) return this.link.reconnect()
    this.options.events.beforeRemote()
    this.ydoc.transact(() => {
      for (const { update } of updates.slice(this.seq + 1 - firstSeq)) Y.applyUpdate(this.ydoc, update, REMOTE)
    }, REMOTE)
    this.seq = Math.max(this.seq, firstSeq + updates.length - 1)
    this.lastAuthor = updates.at(-1)?.connectionId ?? this.lastAuthor
    if (!this.isCaughtUp) this.checkCaughtUp()
  }

  private checkCaughtUp(): void {
    if (!this.welcome || this.isCaughtUp || this.seq < this.welcome.headSeq) return
    this.isCaughtUp = true
    this.takeLeftovers()
    if (!this.isShown) {
      this.isShown = true
      this.options.events.onDocument(this.ydoc)
    }
    this.pump()
    this.settleRights()
    this.report()
  }

  /** What earlier pages left: shown again and sent, or merged or set aside when its document is gone. */
  private takeLeftovers(): void {
    // More client ids than one HELLO names: the rest waits for the next page.
    const mine = this.leftovers.filter((edit) => edit.epoch === this.epoch && this.leased.has(edit.clientId))
    const others = this.leftovers.filter((edit) => edit.epoch !== this.epoch)
    this.leftovers = []
    for (const edit of mine) {
      try {
        Y.applyUpdate(this.ydoc, edit.update, REMOTE)
        this.outbox.add(edit, true)
      } catch {
        others.push(edit)
      }
    }
    void this.salvage(others)
  }

  /** Edits of an earlier epoch: the server merges them, or they are kept as text. [CLIENT-7] */
  private async salvage(edits: StoredEdit[]): Promise<void> {
    for (const group of byAuthor(edits)) {
      const outcome = await this.options.mergeOld(group)
      if (outcome === 'merged') {
        this.forget(group.map((edit) => edit.key))
        this.options.events.onMerged(group.reduce((sum, edit) => sum + edit.changes, 0))
      } else if (outcome === 'refused') {
        const text = this.setAside(group)
        if (text !== '') this.options.events.onKept(text)
      } else this.leftovers.push(...group)
    }
  }

  // --- answers

  private onAck(batch: number): void {
    this.forget(this.outbox.acknowledged(batch))
    this.retries = 0
    this.gaps = 0
    this.settleNack()
    this.pump()
    this.settleRights()
    this.report()
  }

  private onNack(batch: number, reason: number): void {
    if (!this.outbox.refused(batch)) return
    this.nackReason ??= reason
    this.settleNack()
    this.report()
  }

  /** Once all batches under way are answered, the first reason decides. [CLIENT-6] */
  private settleNack(): void {
    if (this.nackReason === null || this.outbox.batchesInFlight > 0) return
    const reason = this.nackReason
    this.nackReason = null
    this.outbox.rewind()
    if (reason === 6 || reason === 7) this.retryLater()
    else if (reason === 5 && this.gaps < GAPS_MAX) {
      this.gaps += 1
      this.link.reconnect()
    } else if (reason === 8) this.retryLater()
    else this.startAfresh(reason === 1 ? 'read only' : 'refused')
  }

  private retryLater(): void {
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.retries, 16))
    this.retries += 1
    this.retryTimer = this.options.clock.after(longest * (0.5 + this.options.clock.random() / 2), () => {
      this.retryTimer = null
      this.pump()
    })
  }

  private onAccess(rights: number, cause: number, reason: string): void {
    if (!this.welcome) return
    this.welcome = { ...this.welcome, rights, cause }
    this.flush()
    this.options.events.onRights(rights === 2, cause, reason)
    this.pump()
    this.settleRights()
  }

  /** Without the right to write, what is not acknowledged is set aside, once all that is under way is answered. [CLIENT-9] */
  private settleRights(): void {
    if (!this.welcome || this.welcome.rights === 2 || !this.isCaughtUp) return
    if (!this.outbox.isEmpty && this.outbox.batchesInFlight === 0) this.startAfresh('read only')
  }

  private onResetFrame(epoch: number, reason: number): void {
    if (epoch === this.epoch) return
    this.drop(RESET_REASONS[reason] ?? 'rewritten')
    this.welcome = null
    this.hello()
  }

  private onEvent(json: string): void {
    try {
      this.options.events.onEvent(JSON.parse(json) as Record<string, unknown>)
    } catch {
      // An event that is no JSON says nothing.
    }
  }

  // --- a document goes away

  /** Sets what is not acknowledged aside, drops the document and joins afresh on a new connection. */
  private startAfresh(reason: ResetReason): void {
    this.drop(reason)
    this.link.reconnect()
  }

  private drop(reason: ResetReason): void {
    this.flush()
    const edits = this.outbox.drain()
    const mayMerge = reason === 'rewritten' || reason === 'restored'
    const text = mayMerge ? '' : this.setAside(edits)
    // Merged after WELCOME has named the new epoch.
    if (mayMerge) this.leftovers.push(...edits)
    this.replaceDocument()
    this.cancel('retryTimer')
    this.retries = 0
    this.lease = null
    this.epoch = -1
    this.gaps = 0
    this.nackReason = null
    this.isShown = false
    this.isCaughtUp = false
    this.options.events.onReset(reason, text)
    this.report()
  }

  private replaceDocument(): void {
    this.ydoc.destroy()
    this.ydoc = new Y.Doc()
    this.seq = 0
    this.listen()
  }

  /** Moves edits from the outbox's store to the store of texts. */
  private setAside(edits: StoredEdit[]): string {
    if (edits.length === 0) return ''
    let text = ''
    try {
      const updates = edits.map((edit) => edit.update)
      const isHere = this.isShown && edits.every((edit) => edit.epoch === this.epoch)
      text = isHere ? textIn(this.ydoc, updates) : textOf(updates)
    } catch {
      // Not readable: nothing that could be shown.
    }
    const keys = edits.map((edit) => edit.key)
    if (text === '') this.forget(keys)
    else {
      const kept = { key: keys[0]!, text, at_ms: this.options.now_ms() }
      this.options.store.keepText(kept).then(() => this.forget(keys), () => undefined)
    }
    return text
  }

  // --- outward

  private cancel(name: (typeof TIMERS)[number]): void {
    const timer = this[name]
    if (timer !== null) this.options.clock.cancel(timer)
    this[name] = null
  }

  private sendPresence(): void {
    if (!this.welcome || !this.isPresenceDue || this.presenceTimer !== null) return
    this.isPresenceDue = false
    this.link.send({ type: 'presence', blob: this.blob })
    this.presenceTimer = this.options.clock.after(PRESENCE_EVERY_MS, () => {
      this.presenceTimer = null
      this.sendPresence()
    })
  }

  private report(): void {
    const status = this.status
    if (status.kind === 'saved') for (const resolve of this.savedWaiters.splice(0)) resolve()
    this.options.events.onStatus(status)
  }
}
