import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Refused } from './bytes'
import { decodeClientFrame, decodeServerFrame, encodeClientFrame, encodeServerFrame } from './frames'

declare const FRONTEND_ROOT: string

interface Vector {
  name: string
  direction: 'client' | 'server'
  hex: string
  frame?: unknown
  refused?: string
}

const file = join(FRONTEND_ROOT, '..', 'fixtures', 'protocol', 'frames.json')
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The frame in the words of the vectors: snake case, bytes as hex. */
function spoken(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(spoken)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [snake(key), spoken(v)]))
}

test('[WIRE-4] every vector decodes to its frame and encodes to its bytes; [WIRE-3] the others are refused', () => {
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] }
  assert.ok(vectors.length > 40)
  for (const { name, direction, hex, frame, refused } of vectors) {
    const bytes = bytesOf(hex)
    const decode = direction === 'client' ? decodeClientFrame : decodeServerFrame
    if (refused !== undefined) {
      assert.throws(() => decode(bytes), (error) => error instanceof Refused && error.reason === refused, name)
      continue
    }
    assert.deepEqual(spoken(decode(bytes)), frame, name)
    const again = direction === 'client' ? encodeClientFrame(decodeClientFrame(bytes)) : encodeServerFrame(decodeServerFrame(bytes))
    assert.equal(Buffer.from(again).toString('hex'), hex, name)
  }
})
