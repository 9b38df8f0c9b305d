// The edits that the server has not acknowledged, in the order they were made, and the batches they travel in.
import { FRAME_MARGIN_BYTES, IN_FLIGHT_MAX, UPDATES_PER_PUSH_MAX } from './limits'
import type { StoredEdit } from './store'

interface Waiting {
  edit: StoredEdit
  /** The batch it is under way in. */
  batch: number | null
  /** The store has it. */
  kept: boolean
}

/** A batch to be sent. */
export interface Batch {
  id: number
  updates: Uint8Array[]
}

export class Outbox {
  private waiting: Waiting[] = []
  private readonly inFlight = new Set<number>()
  private lastBatch = 0

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** Changes of the author that are not acknowledged. */
  get changes(): number {
    return this.waiting.reduce((sum, { edit }) => sum + edit.changes, 0)
  }

  /** Those of them that the store has. */
  get changesKept(): number {
    return this.waiting.reduce((sum, { edit, kept }) => sum + (kept ? edit.changes : 0), 0)
  }

  /** Whether everything here would survive the end of this page. */
  get isKept(): boolean {
    return this.waiting.every(({ kept }) => kept)
  }

  get edits(): StoredEdit[] {
    return this.waiting.map(({ edit }) => edit)
  }

  get batchesInFlight(): number {
    return this.inFlight.size
  }

  add(edit: StoredEdit, kept = false): void {
    this.waiting.push({ edit, batch: null, kept })
  }

  markKept(key: string): void {
    const found = this.waiting.find(({ edit }) => edit.key === key)
    if (found) found.kept = true
  }

  /** The next batch, or null when nothing waits or enough is under way. Only client ids in `leased` may travel. */
  next(updateBytesMax: number, leased: ReadonlySet<number>): Batch | null {
    if (this.inFlight.size >= IN_FLIGHT_MAX) return null
    const from = this.waiting.findIndex((w) => w.batch === null)
    const first = this.waiting[from]
    if (!first || !leased.has(first.edit.clientId) || first.edit.update.length > updateBytesMax) return null
    const id = (this.lastBatch += 1)
    const updates: Uint8Array[] = []
    let bytes = 0
    for (const w of this.waiting.slice(from, from + UPDATES_PER_PUSH_MAX)) {
      bytes += w.edit.update.length + 8
      const tooMuch = updates.length > 0 && bytes > updateBytesMax + FRAME_MARGIN_BYTES - 64
      if (tooMuch || w.edit.update.length > updateBytesMax || !leased.has(w.edit.clientId)) break
      w.batch = id
      updates.push(w.edit.update)
    }
    this.inFlight.add(id)
    return { id, updates }
  }

  /** The batch is durable: gives the store keys that may be forgotten. */
  acknowledged(batch: number): string[] {
    this.inFlight.delete(batch)
    const done = this.waiting.filter((w) => w.batch === batch)
    this.waiting = this.waiting.filter((w) => w.batch !== batch)
    return done.map(({ edit }) => edit.key)
  }

  /** Whether the batch was one of these. */
  refused(batch: number): boolean {
    return this.inFlight.delete(batch)
  }

  /** Nothing is under way any more: all that is not acknowledged is to be sent again. */
  rewind(): void {
    this.inFlight.clear()
    for (const w of this.waiting) w.batch = null
  }

  /** Takes everything out. */
  drain(): StoredEdit[] {
    const all = this.edits
    this.waiting = []
    this.inFlight.clear()
    return all
  }

  /** Whether the next edit alone is larger than the server takes. */
  isBlocked(updateBytesMax: number): boolean {
    const first = this.waiting.find((w) => w.batch === null)
    return first !== undefined && first.edit.update.length > updateBytesMax
  }
}
