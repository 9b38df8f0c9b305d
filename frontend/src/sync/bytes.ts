// Reading and writing of the numbers, bytes and texts of a frame; see docs/spec/collab.md, WIRE-2 and WIRE-3.

/** Why bytes are no frame; the same words as in fixtures/protocol. */
export type Refusal = 'empty' | 'unknown_type' | 'truncated' | 'trailing' | 'bad_number' | 'bad_text' | 'bad_value' | 'too_large'

/** Bytes that are no frame. */
export class Refused extends Error {
  constructor(readonly reason: Refusal) {
    super(`not a frame: ${reason}`)
  }
}

const MAX_NUMBER_BYTES = 8

export class Reader {
  private at = 0
  constructor(private readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.at
  }

  byte(): number {
    const value = this.bytes[this.at]
    if (value === undefined) throw new Refused('truncated')
    this.at += 1
    return value
  }

  /** LEB128, at most 2^53 - 1. */
  uint(): number {
    let value = 0
    let factor = 1
    for (let i = 0; i < MAX_NUMBER_BYTES; i += 1) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (value > Number.MAX_SAFE_INTEGER) throw new Refused('bad_number')
      if (byte < 0x80) return value
      factor *= 128
    }
    throw new Refused('bad_number')
  }

  /** A value out of a list `from..=to`. */
  choice(from: number, to: number): number {
    const value = this.uint()
    if (value < from || value > to) throw new Refused('bad_value')
    return value
  }

  /** A count of things of at least `each` bytes: what cannot be there is refused before anything is reserved. */
  count(max: number, each: number): number {
    const value = this.uint()
    if (value > max) throw new Refused('too_large')
    if (value * each > this.left) throw new Refused('truncated')
    return value
  }

  raw(max: number): Uint8Array {
    const length = this.uint()
    if (length > max) throw new Refused('too_large')
    if (length > this.left) throw new Refused('truncated')
    this.at += length
    return this.bytes.slice(this.at - length, this.at)
  }

  text(max: number): string {
    const bytes = this.raw(max)
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      throw new Refused('bad_text')
    }
  }

  end(): void {
    if (this.left > 0) throw new Refused('trailing')
  }
}

export class Writer {
  private buffer = new Uint8Array(256)
  private length = 0

  private reserve(more: number): void {
    if (this.length + more <= this.buffer.length) return
    const next = new Uint8Array(Math.max(this.buffer.length * 2, this.length + more))
    next.set(this.buffer.subarray(0, this.length))
    this.buffer = next
  }

  byte(value: number): this {
    this.reserve(1)
    this.buffer[this.length] = value
    this.length += 1
    return this
  }

  uint(value: number): this {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 128) | 0x80)
      rest = Math.floor(rest / 128)
    }
    return this.byte(rest)
  }

  raw(bytes: Uint8Array): this {
    this.uint(bytes.length)
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  text(value: string): this {
    return this.raw(new TextEncoder().encode(value))
  }

  done(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length)
  }
}
