// A snapshot comes in parts; docs/spec/collab.md, WIRE-12.
import type { ServerFrame } from './frames'

type Part = Extract<ServerFrame, { type: 'snapshot' }>

/** Puts a snapshot together from its parts. */
export class SnapshotParts {
  private of: { epoch: number; seq: number } | null = null
  private state = new Uint8Array(0)
  private filled = 0

  /** The whole snapshot with its last part; null while parts are missing. Throws when a part does not follow the one before. */
  take(part: Part): Uint8Array | null {
    if (part.offset === 0) {
      this.of = { epoch: part.epoch, seq: part.seq }
      this.state = new Uint8Array(part.totalBytes)
      this.filled = 0
    }
    const follows = this.of?.epoch === part.epoch && this.of.seq === part.seq && part.offset === this.filled && part.totalBytes === this.state.length
    if (!follows) throw new Error('a part of the snapshot is missing')
    this.state.set(part.part, part.offset)
    this.filled += part.part.length
    if (this.filled < part.totalBytes) return null
    const whole = this.state
    this.clear()
    return whole
  }

  clear(): void {
    this.of = null
    this.state = new Uint8Array(0)
    this.filled = 0
  }
}
