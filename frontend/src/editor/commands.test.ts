import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Node, Schema } from 'prosemirror-model'
import { type Command, EditorState, TextSelection } from 'prosemirror-state'
import * as c from './commands'
import { matching } from './items'
import { looksLikeMarkdown, markdownToHtml } from './markdown'
import { param, withParam, xmlOfSplit } from './params'
import { containers } from './plugins/containers'
import { schema } from './schema'

const n = (name: string, attrs: Record<string, unknown> | null, ...content: Node[]) => schema.node(name, attrs, content)
const text = (s: string) => schema.text(s)
const p = (s: string, attrs: Record<string, unknown> | null = null) => n('paragraph', attrs, ...(s ? [text(s)] : []))
const li = (s: string, ...more: Node[]) => n('list_item', null, p(s, { bare: 1 }), ...more)

/** The document as a small picture: types with their text, `|` for the cursor, `'` for a bare paragraph. */
function picture(state: EditorState): string {
  const { from } = state.selection
  const draw = (node: Node, pos: number): string => {
    if (node.isTextblock) {
      const at = from - pos - 1
      const inside = at >= 0 && at <= node.content.size && state.selection instanceof TextSelection
      const words = node.textContent
      const name = node.type.name === 'paragraph' ? (node.attrs.bare ? "p'" : 'p') : `${node.type.name}${node.attrs.level ?? ''}`
      return `${name}(${inside ? `${words.slice(0, at)}|${words.slice(at)}` : words})`
    }
    const parts: string[] = []
    node.forEach((child, offset) => parts.push(draw(child, pos + 1 + offset)))
    const name = node.type.name.replace('bullet_list', 'ul').replace('list_item', 'li')
    return node.type.name === 'doc' ? parts.join(' ') : `${name}[${parts.join(' ')}]`
  }
  return draw(state.doc, -1)
}

/** The state with the cursor at the end of the text block that holds `at`. */
function stateAt(at: string, ...blocks: Node[]): EditorState {
  const doc = n('doc', null, ...blocks)
  let end = -1
  doc.descendants((node, pos) => {
    if (node.isTextblock && node.textContent === at && end < 0) end = pos + 1 + node.content.size
  })
  return EditorState.create({ doc, selection: TextSelection.create(doc, end), plugins: [containers()] })
}

function check(state: EditorState, commands: Command[], expected: string): void {
  for (const command of commands) assert.ok(command(state, (tr) => (state = state.apply(tr))), picture(state))
  assert.equal(picture(state), expected)
}

test('Enter splits a block, and after a heading starts a paragraph', () => {
  check(stateAt('a', p('a')), [c.enter], 'p(a) p(|)')
  check(stateAt('H', n('heading', { level: 2 }, text('H'))), [c.enter], 'heading2(H) p(|)')
})

test('what names or places a block is not copied to its second half', () => {
  const xml = JSON.stringify({ pre: '\n', attrs: [['class', 'x'], ['ac:local-id', '7']] })
  let state = stateAt('ab', p('ab', { xml }))
  state = state.apply(state.tr.setSelection(TextSelection.create(state.doc, 2)))
  c.enter(state, (tr) => (state = state.apply(tr)))
  assert.equal(state.doc.child(0).attrs.xml, xml)
  assert.equal(state.doc.child(1).attrs.xml, JSON.stringify({ attrs: [['class', 'x']] }))
  assert.equal(xmlOfSplit(JSON.stringify({ pre: ' ' })), null)
})

test('Enter in a list makes an item with text of its own; in an empty item it leaves, level by level', () => {
  const nested = n('bullet_list', null, li('a', n('bullet_list', null, li('b'))))
  check(stateAt('b', nested), [c.enter], "ul[li[p'(a) ul[li[p'(b)] li[p'(|)]]]]")
  check(stateAt('b', nested), [c.enter, c.enter], "ul[li[p'(a) ul[li[p'(b)]]] li[p'(|)]]")
  check(stateAt('b', nested), [c.enter, c.enter, c.enter], "ul[li[p'(a) ul[li[p'(b)]]]] p(|)")
})

test('a list command makes, converts and takes away a list', () => {
  check(stateAt('a', p('a')), [c.list('bullet_list')], "ul[li[p'(a|)]]")
  check(stateAt('a', n('bullet_list', null, li('a'))), [c.list('ordered_list')], "ordered_li[p'(a|)]".replace('ordered_li', 'ordered_list[li') + ']')
  check(stateAt('a', n('bullet_list', null, li('a'))), [c.list('bullet_list')], 'p(a|)')
})

test('a new task is open and has no identifier of the task it was split from', () => {
  const task = n('task_item', { id: '7', uuid: 'u', status: 'complete' }, p('t', { bare: 1 }))
  let state = stateAt('t', n('task_list', null, task))
  c.enter(state, (tr) => (state = state.apply(tr)))
  const [first, second] = state.doc.child(0).content.content
  assert.deepEqual([first!.attrs.id, first!.attrs.status], ['7', 'complete'])
  assert.deepEqual([second!.attrs.id, second!.attrs.uuid, second!.attrs.status], [null, null, 'incomplete'])
})

test('an empty paragraph at the end of a panel leaves the panel', () => {
  check(stateAt('a', n('panel', null, p('a'))), [c.enter, c.enter], 'panel[p(a)] p(|)')
})

test('a container that was emptied gets a paragraph to write in', () => {
  let state = stateAt('a', n('panel', null, p('a')))
  state = state.apply(state.tr.delete(1, 4))
  assert.equal(picture(state), 'panel[p(|)]')
  state = state.apply(state.tr.delete(0, state.doc.content.size))
  assert.equal(picture(state), 'p(|)')
})

test('blocks move among their neighbours with the cursor', () => {
  check(stateAt('b', p('a'), p('b')), [c.moveBlock(-1)], 'p(b|) p(a)')
  check(stateAt('a', n('bullet_list', null, li('a'), li('b'))), [c.moveBlock(1)], "ul[li[p'(b)] li[p'(a|)]]")
  assert.equal(c.moveBlock(1)(stateAt('b', p('a'), p('b'))), false)
})

test('a block is inserted in place of an empty paragraph, else behind', () => {
  check(stateAt('', p('')), [c.insertBlock(() => c.panelOf('info'))], 'panel[p(|)]')
  check(stateAt('a', p('a')), [c.insertBlock(() => c.node('horizontal_rule').create())], 'p(a) horizontal_rule[] p(|)')
})

test('parameters keep their order and vanish when empty', () => {
  const params = JSON.stringify([['a', '1'], ['b', '2']])
  assert.equal(withParam({ params }, 'a', 'x'), JSON.stringify([['a', 'x'], ['b', '2']]))
  assert.equal(withParam({ params: JSON.stringify([['a', '1']]) }, 'a', ''), null)
  assert.equal(param({ params: 'no json' }, 'a'), '')
})

test('the slash menu finds blocks by the names of macros', () => {
  const item = (title: string, words: string) => ({ title, words, hint: '', icon: '', section: 'Basic' as const, run: () => true })
  const items = [item('Table', 'grid'), item('Table of contents', 'toc outline'), item('Info panel', 'notice')]
  const titles = (query: string) => matching(items, query).map(({ title }) => title)
  assert.deepEqual(titles('toc'), ['Table of contents'])
  assert.deepEqual(titles('table'), ['Table', 'Table of contents'])
  assert.deepEqual(titles('panel'), ['Info panel'])
  assert.deepEqual(titles('zzz'), [])
})

test('pasted Markdown becomes blocks, and no HTML in it comes alive', () => {
  assert.ok(looksLikeMarkdown('# T') && looksLikeMarkdown('a **b** c') && !looksLikeMarkdown('3 * 4 = 12, ok?'))
  assert.equal(markdownToHtml('# A *b*'), '<h1>A <em>b</em></h1>')
  assert.equal(markdownToHtml('- a\n  - b\n- c'), '<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>')
  assert.equal(markdownToHtml('|a|b|\n|-|-|\n|1|2|'), '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>')
  assert.equal(markdownToHtml('<img src=x onerror=1>'), '<p>&lt;img src=x onerror=1&gt;</p>')
})

test('the schema of the editor has the content of the shared one', () => {
  assert.ok(schema instanceof Schema)
  assert.equal(schema.nodes.table_cell!.spec.content, 'block*')
  assert.deepEqual(Object.keys(schema.nodes.image!.spec.attrs ?? {}), ['resource', 'wrap', 'xml', 'beyond'])
})
