// The JavaScript side of the differential test: reads requests as JSON lines, answers each with one JSON line.
// Argument 1: the node_modules folder. Argument 2: the shared schema.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const require = createRequire(`${process.argv[2]}/`)
const Y = require('yjs')
const { Schema } = require('prosemirror-model')
const { Transform } = require('prosemirror-transform')
const binding = require('y-prosemirror')

const shared = JSON.parse(readFileSync(process.argv[3], 'utf8'))

const defaults = (...groups) => {
  const attrs = {}
  for (const [name, value] of Object.entries(Object.assign({}, ...groups))) attrs[name] = { default: value }
  return attrs
}

const nodes = {}
for (const [name, { attrs, ...node }] of Object.entries(shared.nodes)) {
  const every = node.inline ? { ...shared.every_inline_atom, ...shared.every_node } : shared.every_node
  nodes[name] = name === 'doc' || name === 'text' ? node : { ...node, attrs: defaults(attrs, every) }
}
const marks = {}
for (const [name, { attrs, ...mark }] of Object.entries(shared.marks)) {
  marks[name] = { ...mark, attrs: defaults(attrs, shared.every_mark) }
}
const schema = new Schema({ nodes, marks })

const bytes = text => new Uint8Array(Buffer.from(text, 'base64'))
const text = update => Buffer.from(update).toString('base64')

function load (updates, client) {
  const doc = new Y.Doc()
  if (client !== undefined) doc.clientID = client
  for (const update of updates) Y.applyUpdate(doc, bytes(update))
  return doc
}

// Reading may mend the document it reads, so each reading gets a document of its own.
function read (updates) {
  const doc = load(updates)
  const before = text(Y.encodeStateVector(doc))
  const root = binding.yXmlFragmentToProseMirrorRootNode(doc.getXmlFragment('default'), schema)
  root.check()
  const untouched = before === text(Y.encodeStateVector(doc)) && doc.store.pendingStructs === null
  return { json: root.toJSON(), title: doc.getText('title').toString(), untouched }
}

function seed ({ json, title, client }) {
  const doc = load([], client)
  doc.transact(() => {
    doc.getText('title').insert(0, title)
    binding.prosemirrorJSONToYXmlFragment(schema, json, doc.getXmlFragment('default'))
  })
  return { update: text(Y.encodeStateAsUpdate(doc)) }
}

// A small generator of numbers (mulberry32), so that a failing case can be run again.
function generator (state) {
  return limit => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % limit
  }
}

const pick = (random, list) => list[random(list.length)]

// A position that does not stand between the two halves of a character.
function position (random, doc) {
  const at = random(doc.content.size + 1)
  const found = doc.resolve(at)
  const before = found.nodeBefore?.isText ? found.nodeBefore.text.charCodeAt(found.nodeBefore.text.length - 1) : 0
  return before >= 0xd800 && before < 0xdc00 ? at - 1 : at
}

const attributes = {
  link: random => ({ href: `https://example.org/${random(3)}` }),
  resource_link: random => ({ resource: `{"type":"page","content-title":"P${random(3)}"}` }),
  comment_marker: random => ({ ref: `r${random(4)}` }),
  styled: random => ({ xml: `{"attrs":[["class","c${random(4)}"]]}` })
}

function edit (random, transform) {
  const [a, b] = [position(random, transform.doc), position(random, transform.doc)].sort((x, y) => x - y)
  const mark = schema.marks[pick(random, Object.keys(shared.marks))]
  switch (random(8)) {
    case 0: case 1: return transform.insert(a, schema.text(pick(random, ['x', ' word', '😀', 'ä\n'])))
    case 2: return transform.delete(a, Math.min(b, a + 12))
    case 3: return transform.addMark(a, b, mark.create(attributes[mark.name]?.(random)))
    case 4: return transform.removeMark(a, b, mark)
    case 5: return transform.split(a, 1 + random(2))
    case 6: return transform.insert(a, pick(random, [schema.node('hard_break'), schema.node('paragraph'), schema.node('status'), schema.node('bullet_list', null, [schema.node('list_item')])]))
    default: {
      const node = transform.doc.nodeAt(a)
      if (node === null || node.isText || node.attrs.level === undefined) return transform.delete(a, a + 1)
      return transform.setNodeMarkup(a, null, { ...node.attrs, level: 1 + random(6) })
    }
  }
}

function change ({ updates, number, client }) {
  const random = generator(number)
  const doc = load(updates, client)
  const fragment = doc.getXmlFragment('default')
  const meta = { mapping: new Map(), isOMark: new Map() }
  const before = Y.encodeStateVector(doc)
  let root = binding.yXmlFragmentToProseMirrorRootNode(fragment, schema)
  for (let n = 1 + random(6); n > 0; n--) {
    const transform = new Transform(root)
    try {
      edit(random, transform)
      transform.doc.check()
    } catch {
      continue
    }
    root = transform.doc
    binding.updateYFragment(doc, fragment, root, meta)
  }
  const update = text(Y.encodeStateAsUpdate(doc, before))
  return { update, state: text(Y.encodeStateAsUpdate(doc)), ...read([...updates, update]) }
}

const answers = { read: ({ updates }) => read(updates), seed, change }

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  let answer
  try {
    answer = answers[request.op](request)
  } catch (error) {
    answer = { error: String(error.stack) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
