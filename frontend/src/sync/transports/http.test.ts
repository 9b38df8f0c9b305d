import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../dev/fake-clock'
import { Reader, Writer } from '../bytes'
import type { End } from '../link'
import { EventReader, EventStream } from './event-stream'
import type { HttpSession, HttpWay } from './http-session'
import { LongPoll } from './long-poll'

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (value: string) => new TextEncoder().encode(value)
type Stream = ReadableStreamDefaultController<Uint8Array>

/** The server's half of a session, with a network in front that can fail in every way. */
class FakeServer {
  readonly got: string[] = []
  readonly requests: string[] = []
  readonly authorization = new Set<string>()
  private sent: Uint8Array[] = []
  private stream: Stream | null = null
  private polls: (() => void)[] = []
  private closing: End | null = null
  /** Requests of these legs fail: before they arrive, or their answer gets lost. */
  lost = new Set<string>()
  unanswered = new Set<string>()
  /** Status of every answer instead of the usual one. */
  status = 0
  holdsBack = false
  /** Sessions that were ended by their client. */
  left = 0
  confirmed = 0
  /** What requests after the end are answered with. */
  gone: End | null = null

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const at = new URL(url, 'http://x')
    const leg = at.pathname.split('/').at(-2)!
    const q = (name: string) => Number(at.searchParams.get(name))
    this.requests.push(`${leg}${at.search}`)
    this.authorization.add(new Headers(init.headers).get('authorization') ?? '')
    if (this.lost.has(leg)) throw new TypeError('network')
    if (q('end') === 1) this.left += 1
    this.confirmed = Math.max(this.confirmed, q('received'))
    if (this.gone && leg === 'send') return Response.json(this.gone, { status: 410 })
    if (this.status !== 0) return new Response('', { status: this.status })
    if (leg === 'stream') return this.streamFrom(q('received'), init.signal!)
    if (leg === 'send') this.accept(q('first'), new Uint8Array(init.body as ArrayBuffer))
    if (this.unanswered.has(leg)) throw new TypeError('network')
    if (leg === 'send') return Response.json({ received: this.got.length })
    return this.poll(q('received'), q('wait'), init.signal!)
  }
  say(value: string): void {
    this.sent.push(bytes(value))
    if (!this.holdsBack) this.event(this.sent.length)
    for (const wake of this.polls.splice(0)) wake()
  }
  heartbeat(): void {
    this.stream?.enqueue(bytes(':\n\n'))
  }
  finish(end: End): void {
    this.closing = end
    this.stream?.enqueue(bytes(`event: close\ndata: ${JSON.stringify(end)}\n\n`))
    for (const wake of this.polls.splice(0)) wake()
  }
  cut(): void {
    this.stream?.error(new TypeError('network'))
    this.stream = null
  }
  private event(n: number): void {
    this.stream?.enqueue(bytes(`id: ${n}\ndata: ${Buffer.from(this.sent[n - 1]!).toString('base64')}\n\n`))
  }
  private accept(first: number, body: Uint8Array): void {
    const r = new Reader(body)
    for (let n = first; r.left > 0; n += 1) {
      const frame = r.raw(1 << 20)
      if (n === this.got.length + 1) this.got.push(text(frame))
    }
  }
  private streamFrom(received: number, signal: AbortSignal): Response {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => { this.stream = controller } })
    signal.addEventListener('abort', () => this.cut())
    if (!this.holdsBack) {
      this.stream!.enqueue(bytes(`: ${' '.repeat(2048)}\n\n`))
      for (let n = received + 1; n <= this.sent.length; n += 1) this.event(n)
    }
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  }
  private async poll(received: number, wait: number, signal: AbortSignal): Promise<Response> {
    if (this.sent.length <= received && !this.closing && wait > 0) {
      await new Promise<void>((resolve, reject) => {
        this.polls.push(resolve)
        signal.addEventListener('abort', () => reject(new TypeError('aborted')))
      })
    }
    const w = new Writer()
    if (this.closing) return new Response(w.uint(1).uint(this.closing.code).text(this.closing.reason).done())
    w.uint(0).uint(received + 1)
    for (const frame of this.sent.slice(received)) w.raw(frame)
    return new Response(w.done())
  }
}

function opened(Kind: new (way: HttpWay) => HttpSession, server = new FakeServer()) {
  const clock = new FakeClock(() => 0.5, 6)
  const socket = new Kind({ base: 'http://x/v1', session: 'ab'.repeat(16), token: () => 'tok', fetch: server.fetch, clock })
  const seen = { open: 0, frames: [] as string[], ends: [] as End[] }
  socket.onopen = () => { seen.open += 1 }
  socket.onmessage = ({ data }) => seen.frames.push(text(new Uint8Array(data as ArrayBuffer)))
  socket.onclose = (end) => seen.ends.push(end as End)
  return { clock, socket, server, seen }
}

for (const Kind of [EventStream, LongPoll]) {
  const leg = Kind === EventStream ? 'stream' : 'poll'

  test(`[TRANS-20] ${Kind.name}: frames go both ways in order, with the token`, async () => {
    const { clock, socket, server, seen } = opened(Kind)
    await clock.pass(10)
    assert.equal(seen.open, 1)
    socket.send(bytes('one'))
    socket.send(bytes('two'))
    server.say('hello')
    await clock.pass(10)
    server.say('again')
    socket.send(bytes('three'))
    await clock.pass(10)
    assert.deepEqual(server.got, ['one', 'two', 'three'])
    assert.deepEqual(seen.frames, ['hello', 'again'])
    assert.deepEqual([...server.authorization], ['Bearer tok'])
    socket.close()
    await clock.pass(10)
    assert.equal(seen.ends.length, 1)
  })

  test(`[TRANS-20] ${Kind.name}: what the network loses is sent again within the session, and arrives once`, async () => {
    const { clock, socket, server, seen } = opened(Kind)
    await clock.pass(10)
    server.lost.add('send')
    socket.send(bytes('one'))
    await clock.pass(500)
    server.lost.clear()
    server.unanswered.add('send')
    socket.send(bytes('two'))
    await clock.pass(3000)
    server.unanswered.clear()
    await clock.pass(5000)
    assert.deepEqual(server.got, ['one', 'two'])
    server.lost.add(leg)
    server.cut()
    server.say('a')
    server.say('b')
    await clock.pass(3000)
    server.lost.clear()
    server.say('c')
    await clock.pass(5000)
    assert.deepEqual(seen.frames, ['a', 'b', 'c'])
    assert.deepEqual(seen.ends, [])
  })

  test(`[TRANS-20] ${Kind.name}: a session that cannot be kept up ends`, async () => {
    const { clock, socket, server, seen } = opened(Kind)
    await clock.pass(10)
    server.lost.add('send')
    socket.send(bytes('one'))
    await clock.pass(40_000)
    assert.equal(seen.ends.length, 1)
    assert.equal(seen.ends[0]!.code, 1006)
  })

  test(`[TRANS-20] ${Kind.name}: the server's end has its code and reason; statuses end it too`, async () => {
    const { clock, server, seen } = opened(Kind)
    await clock.pass(10)
    server.finish({ code: 1013, reason: 'retry_after_ms=700' })
    await clock.pass(10)
    assert.deepEqual(seen.ends.map(({ code, reason }) => [code, reason]), [[1013, 'retry_after_ms=700']])
    for (const [status, code] of [[401, 4401], [403, 1006], [404, 1006], [409, 1006], [503, 1006]] as const) {
      const refusing = new FakeServer()
      refusing.status = status
      const other = opened(Kind, refusing)
      await other.clock.pass(100)
      assert.deepEqual(other.seen.ends.map((end) => end.code), [code])
      assert.equal(other.seen.open, 0)
    }
  })
}

for (const Kind of [EventStream, LongPoll]) {
  test(`[TRANS-20] ${Kind.name}: what has come is confirmed without being asked, and a client that goes says so with its last frames`, async () => {
    const { clock, socket, server } = opened(Kind)
    await clock.pass(10)
    server.say('one')
    server.say('two')
    await clock.pass(1100)
    assert.equal(server.confirmed, 2)
    const { length } = server.requests
    await clock.pass(10_000)
    assert.equal(server.requests.length, length, 'nothing is confirmed twice')
    socket.send(bytes('last words'))
    socket.close()
    await clock.pass(10)
    assert.deepEqual([server.left, server.got], [1, ['last words']])
  })

  test(`[TRANS-20] ${Kind.name}: an answer after the end says how it ended`, async () => {
    const { clock, socket, server, seen } = opened(Kind)
    await clock.pass(10)
    server.gone = { code: 4403, reason: 'no right to read' }
    socket.send(bytes('late'))
    await clock.pass(10)
    assert.deepEqual(seen.ends.map(({ code, reason }) => [code, reason]), [[4403, 'no right to read']])
  })
}

test('[TRANS-20] an event stream in a page whose timers sleep is kept awake by what comes in', async () => {
  const { clock, server } = opened(EventStream)
  await clock.pass(10)
  await clock.pass(30_000)
  const { length } = server.requests
  server.heartbeat()
  await clock.pass(10)
  server.heartbeat()
  await clock.pass(10)
  assert.deepEqual(server.requests.slice(length), ['send?first=1&received=0'])
})

test('[TRANS-24] an event stream whose first bytes are held back is left after a second', async () => {
  const server = new FakeServer()
  server.holdsBack = true
  const { clock, seen } = opened(EventStream, server)
  await clock.pass(900)
  assert.deepEqual(seen.ends, [])
  await clock.pass(200)
  assert.deepEqual([seen.open, seen.ends], [0, [{ code: 1006, reason: 'held back' }]])
})

test('[TRANS-20] events are found however the bytes are cut', () => {
  const whole = bytes(': pad\n\nid: 7\r\ndata: aGk=\r\n\r\n: heartbeat\n\nevent: close\ndata: {"code":1012}\n\n')
  for (let size = 1; size < whole.length; size += 3) {
    const reader = new EventReader()
    const events = []
    for (let at = 0; at < whole.length; at += size) events.push(...reader.push(whole.subarray(at, at + size)))
    assert.deepEqual(events, [{ id: 7, event: 'message', data: 'aGk=' }, { id: 0, event: 'close', data: '{"code":1012}' }])
  }
})
