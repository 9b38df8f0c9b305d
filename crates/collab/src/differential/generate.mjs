// The JavaScript side of the differential test: plays editing sessions with the real Yjs and writes what came of them.
// Arguments: the node_modules folder, the first seed, how many, the step between seeds. Output, per scenario (numbers are
// 32 bits, lowest byte first): seed · flags (1: edits may cut a character in half, 2: the replicas of Yjs end with the same text
// under different marks) · number of updates · of each: length and bytes, length and the clock ranges that Yjs finds in it ·
// length and the content at the end, in which the marks of a run stand between two control characters.
import { webcrypto } from 'node:crypto'
import { writeSync } from 'node:fs'
import { join } from 'node:path'

// Every replica is given its client id; real randomness would take half of the time.
webcrypto.getRandomValues = array => array
// The module form: the other reaches its imports through getters, which is slow.
const Y = await import(join(process.argv[2], 'yjs/dist/yjs.mjs'))
const [first, count, step] = process.argv.slice(3).map(Number)

// mulberry32
function generator (state) {
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % limit
  }
}

const WORDS = ['a', 'tide', ' ', 'é', '🌊', '👩🏽‍🚒', 'x😀', 'y\n', 'Ω mega', '0123456789']
const MARKS = ['strong', 'em', 'link', 'comment--1f2e3d4c']
const BLOCKS = ['paragraph', 'heading', 'bullet_list', 'table_cell', 'panel']
const ATTRIBUTES = ['level', 'id', 'xml', 'checked', 'grid']

class Session {
  constructor (seed) {
    this.random = generator(seed)
    this.cuts = this.random(10) === 0
    this.vague = false
    this.log = []
    this.ids = new Set()
    const server = this.replica(1 + this.random(1_000))
    this.edit(server, () => {
      server.title.insert(0, 'Harbour')
      for (let n = 1 + this.random(3); n > 0; n--) server.body.insert(0, [this.block()])
    })
    this.push(server)
    this.people = Array.from({ length: 2 + this.random(3) }, () => this.join())
  }

  pick (list) { return list[this.random(list.length)] }

  replica (client) {
    const doc = new Y.Doc()
    doc.clientID = client
    const person = { doc, outbox: [], seen: 0, body: doc.getXmlFragment('default'), title: doc.getText('title'), undo: null, busy: false }
    doc.on('update', (update, origin) => { if (origin !== this) person.outbox.push(update) })
    return person
  }

  // Somebody comes: with the log from the beginning, or with a snapshot.
  join () {
    let client
    do client = this.random(3) === 0 ? 1_001 + this.random(50) : 2 ** 31 + this.random(2 ** 31); while (this.ids.has(client))
    this.ids.add(client)
    const person = this.replica(client)
    if (this.random(2) === 0) {
      Y.applyUpdate(person.doc, this.state(), this)
      person.seen = this.log.length
    } else this.pull(person)
    if (this.random(3) === 0) person.undo = new Y.UndoManager([person.body, person.title], { trackedOrigins: new Set([person]), captureTimeout: 0 })
    return person
  }

  whole () {
    const doc = new Y.Doc()
    for (const update of this.log) Y.applyUpdate(doc, update)
    return doc
  }

  state () { return Y.encodeStateAsUpdate(this.whole()) }

  edit (person, change) { person.doc.transact(change, person) }

  push (person) {
    const updates = person.outbox.splice(0)
    if (updates.length === 0) return
    switch (this.random(4)) {
      case 0: this.log.push(Y.mergeUpdates(updates)); break
      case 1: this.log.push(Y.encodeStateAsUpdate(person.doc, Y.encodeStateVector(this.whole()))); break
      default: this.log.push(...updates)
    }
  }

  pull (person) {
    const news = this.log.slice(person.seen)
    person.seen = this.log.length
    if (news.length === 0) return
    if (this.random(3) === 0) Y.applyUpdate(person.doc, Y.mergeUpdates(news), this)
    else person.doc.transact(() => news.forEach(update => Y.applyUpdate(person.doc, update, this)), this)
  }

  // Everything below the body, the body first.
  containers (person) {
    const all = [person.body]
    for (let i = 0; i < all.length && i < 40; i++) all.push(...all[i].toArray().filter(child => child instanceof Y.XmlElement))
    return all
  }

  texts (person) {
    const texts = this.containers(person).flatMap(parent => parent.toArray().filter(child => child instanceof Y.XmlText))
    return [...texts, person.title]
  }

  place (text, limit = text.length) {
    const at = this.random(Math.min(limit, text.length) + 1)
    if (this.cuts || at === 0) return at
    const unit = units(text)[at - 1]
    return unit >= 0xd800 && unit < 0xdc00 ? at - 1 : at
  }

  range (text) {
    const [a, b] = [this.place(text), this.place(text)].sort((x, y) => x - y)
    return [a, b - a]
  }

  value () {
    return this.pick([true, 3, 'v' + this.random(9), null, 1.5, -7, [1, 'two', { three: 3 }], { align: 'left', width: 40 }, '🌊'])
  }

  marks () {
    const marks = {}
    for (let n = this.random(3); n > 0; n--) {
      const mark = this.pick(MARKS)
      marks[mark] = mark === 'link' ? { href: `https://example.org/${this.random(3)}` } : this.random(4) === 0 ? null : {}
    }
    return marks
  }

  text () {
    const text = new Y.XmlText()
    const delta = []
    for (let n = this.random(3); n >= 0; n--) delta.push({ insert: this.pick(WORDS), attributes: this.marks() })
    text.applyDelta(delta)
    return text
  }

  block (depth = 0) {
    const block = new Y.XmlElement(this.pick(BLOCKS))
    for (let n = this.random(3); n > 0; n--) block.setAttribute(this.pick(ATTRIBUTES), this.value())
    const children = []
    for (let n = this.random(3); n > 0; n--) children.push(depth < 3 && this.random(3) === 0 ? this.block(depth + 1) : this.text())
    block.insert(0, children)
    return block
  }

  // A paragraph is split: its tail goes into a new one behind it.
  split (person) {
    const text = this.pick(this.texts(person))
    const block = text.parent
    if (!(block instanceof Y.XmlElement) || block.parent === null) return
    const at = this.place(text)
    const tail = tailOf(text.toDelta(), at)
    text.delete(at, text.length - at)
    const second = new Y.XmlElement(block.nodeName)
    const moved = new Y.XmlText()
    moved.applyDelta(tail)
    second.insert(0, [moved])
    for (const [name, value] of Object.entries(block.getAttributes())) second.setAttribute(name, value)
    const siblings = block.parent.toArray()
    block.parent.insert(siblings.indexOf(block) + 1, [second])
  }

  // A paragraph becomes a heading: another element with the same text takes its place.
  retype (person) {
    const parent = this.pick(this.containers(person))
    const at = this.random(Math.max(1, parent.length))
    const old = parent.get(at)
    if (!(old instanceof Y.XmlElement)) return
    const other = new Y.XmlElement(this.pick(BLOCKS))
    other.insert(0, old.toArray().filter(child => child instanceof Y.XmlText).map(child => {
      const copy = new Y.XmlText()
      copy.applyDelta(child.toDelta())
      return copy
    }))
    parent.delete(at, 1)
    parent.insert(at, [other])
  }

  change (person) {
    const text = this.pick(this.texts(person))
    const parent = this.pick(this.containers(person))
    switch (this.random(16)) {
      case 0: case 1: case 2: case 3: text.insert(this.place(text), this.pick(WORDS), this.random(3) === 0 ? this.marks() : undefined); break
      case 4: case 5: { const [at, length] = this.range(text); text.delete(at, Math.min(length, this.cuts ? 4 : length)); break }
      case 6: case 7: { const [at, length] = this.range(text); text.format(at, length, this.marks()); break }
      case 8: parent.insert(this.random(parent.length + 1), [this.block(2)]); break
      case 9: if (parent.length > 0) { const at = this.random(parent.length); parent.delete(at, Math.min(parent.length - at, 1 + this.random(2))) } break
      case 10: if (parent !== person.body) parent.setAttribute(this.pick(ATTRIBUTES), this.value()); break
      case 11: if (parent !== person.body) parent.removeAttribute(this.pick(ATTRIBUTES)); break
      case 12: this.split(person); break
      case 13: this.retype(person); break
      case 14: text.applyDelta([{ retain: this.place(text) }, { insert: this.pick(WORDS), attributes: this.marks() }]); break
      default: if (text !== person.title) text.insertEmbed(this.place(text), { image: this.pick(WORDS) }); break
    }
  }

  step () {
    const person = this.pick(this.people)
    switch (this.random(10)) {
      case 0: case 1: this.push(person); break
      case 2: case 3: this.pull(person); break
      case 4: if (person.undo !== null) this.random(3) === 0 ? person.undo.redo() : person.undo.undo(); break
      case 5: if (this.people.length < 5 && this.random(6) === 0) this.people.push(this.join()); break
      default: this.edit(person, () => { for (let n = 1 + this.random(2); n > 0; n--) this.change(person) })
    }
  }

  play () {
    for (let n = 6 + this.random(24); n > 0; n--) this.step()
    let rounds = 0
    do {
      for (const person of this.people) this.push(person)
      for (const person of this.people) this.pull(person)
      if (rounds++ > 20) throw new Error('the replicas never come to rest')
    } while (this.people.some(person => person.outbox.length > 0 || person.seen < this.log.length))
    const content = contentOf(this.whole())
    for (const person of this.people) {
      const own = contentOf(person.doc)
      if (own !== content) this.vague = true
      if (!this.cuts && bare(own) !== bare(content)) return `Yjs does not agree with itself:\n${content}\n${own}`
      person.undo?.destroy()
      person.doc.destroy()
    }
    return content
  }
}

// The code units of a text; an embedded thing counts as one.
function units (text) {
  const all = []
  for (const { insert } of text.toDelta()) {
    if (typeof insert === 'string') for (let i = 0; i < insert.length; i++) all.push(insert.charCodeAt(i))
    else all.push(0)
  }
  return all
}

function tailOf (delta, at) {
  const tail = []
  for (const { insert, attributes } of delta) {
    const length = typeof insert === 'string' ? insert.length : 1
    if (at < length) tail.push({ insert: typeof insert === 'string' ? insert.slice(at) : insert, attributes })
    at = Math.max(0, at - length)
  }
  return tail
}

function plain (value) {
  if (Array.isArray(value)) return `[${value.map(plain).join()}]`
  if (value !== null && typeof value === 'object') return `{${Object.keys(value).sort().map(key => `${key}:${plain(value[key])}`).join()}}`
  return typeof value === 'string' ? `'${value}'` : String(value)
}

function runs (delta) {
  let out = ''
  let last
  for (const { insert, attributes } of delta) {
    const marks = plain(Object.fromEntries(Object.entries(attributes ?? {}).filter(([, value]) => value !== null)))
    if (marks !== last) out += `\x01${marks}\x02`
    last = marks
    out += typeof insert === 'string' ? insert : `<${plain(insert)}>`
  }
  return `"${out}"`
}

function node (child) {
  if (child instanceof Y.XmlText) return runs(child.toDelta())
  const attributes = Object.entries(child.getAttributes()).map(([name, value]) => ` ${name}=${plain(value)}`).sort()
  return `<${child.nodeName}${attributes.join('')}>${child.toArray().map(node).join('')}</>`
}

function contentOf (doc) {
  return `${runs(doc.getText('title').toDelta())}\n${doc.getXmlFragment('default').toArray().map(node).join('\n')}`
}

function bare (content) { return content.replace(/\x01[^\x02]*\x02/g, '') }

function joined (ranges) {
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const all = []
  for (const [client, start, end] of ranges) {
    const last = all.at(-1)
    if (last !== undefined && last[0] === client && start <= last[2]) last[2] = Math.max(last[2], end)
    else all.push([client, start, end])
  }
  return all.map(range => range.join(':')).join()
}

// What Yjs finds in an update: the clocks it brings, those it deletes, and the highest it refers to of each client.
function ranges (update) {
  const { structs, ds } = Y.decodeUpdate(update)
  const brings = structs.filter(struct => struct.constructor.name !== 'Skip').map(({ id, length }) => [id.client, id.clock, id.clock + length])
  const deletes = [...ds.clients].flatMap(([client, items]) => items.map(({ clock, len }) => [client, clock, clock + len]))
  const needs = new Map()
  for (const { origin, rightOrigin, parent } of structs) {
    for (const id of [origin, rightOrigin, parent]) {
      if (id instanceof Y.ID) needs.set(id.client, Math.max(needs.get(id.client) ?? 0, id.clock))
    }
  }
  const referred = [...needs].sort((a, b) => a[0] - b[0]).map(need => need.join(':')).join()
  return `${joined(brings)};${joined(deletes)};${referred}`
}

let pieces = []
let held = 0

function put (piece) {
  pieces.push(piece)
  held += piece.length
}

function number (value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  put(bytes)
}

function bytes (value) {
  number(value.length)
  put(value)
}

function flush () {
  const all = Buffer.concat(pieces)
  for (let at = 0; at < all.length;) {
    try {
      at += writeSync(1, all, at)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
    }
  }
  pieces = []
  held = 0
}

for (let n = 0; n < count; n++) {
  const seed = first + n * step
  const session = new Session(seed)
  const content = session.play()
  number(seed)
  number((session.cuts ? 1 : 0) | (session.vague ? 2 : 0))
  number(session.log.length)
  for (const update of session.log) {
    bytes(update)
    bytes(Buffer.from(ranges(update)))
  }
  bytes(Buffer.from(content))
  if (held > 256 * 1024) flush()
}
flush()
