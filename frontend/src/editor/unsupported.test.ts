import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from 'prosemirror-model'
import { initProseMirrorDoc, updateYFragment } from 'y-prosemirror'
import * as Y from 'yjs'
import { schema } from './schema'

type Mapping = Map<Y.AbstractType<unknown>, Node | Node[]>

/** A shared document, and the editor's view of it. */
class Pair {
  readonly ydoc = new Y.Doc()
  readonly body = this.ydoc.getXmlFragment('default')
  private meta: { mapping: Mapping; isOMark: Map<unknown, boolean> } = { mapping: new Map(), isOMark: new Map() }
  doc!: Node

  constructor(content: (Y.XmlElement | Y.XmlText)[]) {
    this.body.insert(0, content)
    this.show()
  }
  show(): void {
    const { doc, meta } = initProseMirrorDoc(this.body, schema)
    this.doc = doc
    this.meta = meta as typeof this.meta
  }
  /** Replaces the top-level children of the editor's document and writes the difference. */
  edit(change: (children: Node[]) => Node[]): void {
    const children: Node[] = []
    this.doc.forEach((node) => children.push(node))
    this.doc = this.doc.copy(this.doc.content.cut(0, 0).append(schema.node('doc', null, change(children)).content))
    updateYFragment(this.ydoc, this.body, this.doc, this.meta as never)
  }
  get xml(): string {
    return this.body.toString()
  }
}

function element(name: string, attrs: Record<string, string>, ...children: (Y.XmlElement | Y.XmlText | string)[]): Y.XmlElement {
  const type = new Y.XmlElement(name)
  for (const [key, value] of Object.entries(attrs)) type.setAttribute(key, value)
  type.insert(0, children.map((child) => (typeof child === 'string' ? new Y.XmlText(child) : child)))
  return type
}
const p = (text: string) => schema.node('paragraph', null, text ? [schema.text(text)] : [])
const idOf = (type: unknown) => {
  const item = (type as Y.XmlElement)._item!
  return `${item.id.client}-${item.id.clock}`
}
const unknown = () => element('diagram', { kind: 'flow' }, element('shape', { x: '1' }), 'inside')

test('showing a document never changes it, whatever it holds', () => {
  const before = [
    unknown(),
    element('paragraph', {}, 'a', element('widget', { n: '1' }), 'b'),
    element('bullet_list', {}, element('list_item', {}, element('paragraph', {}, 'x')), element('odd', {})),
    element('code_block', {}, element('paragraph', {}, 'not text')),
    new Y.XmlText('text at the root'),
    element('table', {}, element('paragraph', {}, 'no row')),
  ]
  const pair = new Pair(before)
  const state = Y.encodeStateVector(pair.ydoc)
  const xml = pair.xml
  pair.show()
  pair.edit((children) => children)
  assert.equal(pair.xml, xml)
  assert.deepEqual(Y.encodeStateVector(pair.ydoc), state)
  assert.deepEqual(pair.doc.content.content.map((n) => n.type.name), ['unsupported', 'paragraph', 'bullet_list', 'unsupported', 'unsupported', 'unsupported'])
  assert.equal(pair.doc.child(1).child(1).type.name, 'unsupported_inline')
  assert.equal(pair.doc.child(2).child(1).type.name, 'unsupported')
})

test('an unknown element between edited paragraphs keeps its identity', () => {
  const pair = new Pair([element('paragraph', {}, 'one'), unknown(), element('paragraph', {}, 'two')])
  const id = idOf(pair.body.get(1))
  pair.edit(([, placeholder]) => [p('one and a half'), p('new'), placeholder!, p('two, changed')])
  assert.equal(pair.body.length, 4)
  assert.equal(idOf(pair.body.get(2)), id)
  pair.edit(([a, b, placeholder]) => [schema.node('heading', { level: 2 }, a!.content), b!, placeholder!, p(''), p('x')])
  assert.equal(idOf(pair.body.get(2)), id)
  assert.match(pair.xml, /<diagram kind="flow"><shape x="1"><\/shape>inside<\/diagram>/)
})

test('two unknown elements of one kind keep their identities through insertions on all sides', () => {
  const pair = new Pair([unknown(), element('paragraph', {}, 'x'), unknown()])
  const [first, , last] = pair.body.toArray().map(idOf)
  pair.edit(([a, , b]) => [p('0'), a!, p('1'), p('2'), b!, p('3')])
  assert.equal(idOf(pair.body.get(1)), first)
  assert.equal(idOf(pair.body.get(4)), last)
})

test('an unknown inline element survives typing on both sides of it', () => {
  const pair = new Pair([element('paragraph', {}, 'a', element('widget', { n: '1' }), 'b')])
  const paragraph = pair.body.get(0) as Y.XmlElement
  const id = idOf(paragraph.get(1))
  pair.edit(([node]) => [schema.node('paragraph', null, [schema.text('aa'), node!.child(1), schema.text('bb')])])
  assert.equal(idOf(paragraph.get(1)), id)
  assert.equal(paragraph.toString(), '<paragraph>aa<widget n="1"></widget>bb</paragraph>')
})

test('a placeholder that the user moves into another block arrives whole', () => {
  const pair = new Pair([unknown(), element('blockquote', {}, element('paragraph', {}, 'q'))])
  pair.edit(([placeholder, quote]) => [schema.node('blockquote', null, [quote!.child(0), placeholder!])])
  assert.equal(pair.xml, '<blockquote><paragraph>q</paragraph><diagram kind="flow"><shape x="1"></shape>inside</diagram></blockquote>')
})

test('a placeholder that the user deletes is deleted', () => {
  const pair = new Pair([element('paragraph', {}, 'one'), unknown()])
  pair.edit(([a]) => [a!])
  assert.equal(pair.xml, '<paragraph>one</paragraph>')
})

test('unknown attributes of known elements survive edits, splits and moves', () => {
  const pair = new Pair([element('paragraph', { mood: 'calm' }, 'one'), element('paragraph', {}, 'two')])
  pair.edit(([a, b]) => [schema.node('paragraph', a!.attrs, [schema.text('one!')]), b!])
  assert.equal(pair.xml, '<paragraph mood="calm">one!</paragraph><paragraph>two</paragraph>')
  pair.edit(([a, b]) => [b!, a!])
  assert.equal(pair.xml, '<paragraph>two</paragraph><paragraph mood="calm">one!</paragraph>')
  pair.edit(([b, a]) => [b!, schema.node('paragraph', null, a!.content)])
  assert.match(pair.xml, /mood="calm"/)
})

test('unknown marks and unknown attributes of marks survive edits of their text', () => {
  const text = new Y.XmlText()
  text.applyDelta([
    { insert: 'plain ' },
    { insert: 'glow', attributes: { glow: { power: 3 }, strong: { xml: null } } },
    { insert: 'link', attributes: { link: { href: '/x', xml: null, hint: 'kept' } } },
  ])
  const pair = new Pair([element('paragraph', {}, text)])
  pair.edit(([node]) => {
    const parts = node!.content.content
    return [node!.copy(schema.node('paragraph', null, [schema.text('plainer '), ...parts.slice(1)]).content)]
  })
  const delta = ((pair.body.get(0) as Y.XmlElement).get(0) as Y.XmlText).toDelta() as unknown[]
  assert.deepEqual(delta, [
    { insert: 'plainer ' },
    { insert: 'glow', attributes: { glow: { power: 3 }, strong: { xml: null } } },
    { insert: 'link', attributes: { link: { href: '/x', xml: null, hint: 'kept' } } },
  ])
})

test('what a newer client adds while this one edits stays, and both end equal', () => {
  const pair = new Pair([element('paragraph', {}, 'one'), element('paragraph', {}, 'two')])
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(pair.ydoc))
  other.getXmlFragment('default').insert(1, [unknown()])
  pair.edit(([a]) => [a!, p('edited meanwhile')])
  Y.applyUpdate(pair.ydoc, Y.encodeStateAsUpdate(other))
  pair.show()
  pair.edit((children) => [...children, p('later')])
  Y.applyUpdate(other, Y.encodeStateAsUpdate(pair.ydoc))
  assert.equal(other.getXmlFragment('default').toString(), pair.xml)
  assert.match(pair.xml, /<diagram kind="flow">/)
})
