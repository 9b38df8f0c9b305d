// A page with one of everything.
import * as Y from 'yjs'

type Child = string | Y.XmlElement | Y.XmlText

function e(name: string, attrs: Record<string, string | number>, ...children: Child[]): Y.XmlElement {
  const type = new Y.XmlElement(name)
  for (const [key, value] of Object.entries(attrs)) type.setAttribute(key, value as string)
  type.insert(0, children.map((child) => (typeof child === 'string' ? new Y.XmlText(child) : child)))
  return type
}

function rich(...delta: { insert: string; attributes?: Record<string, unknown> }[]): Y.XmlText {
  const text = new Y.XmlText()
  text.applyDelta(delta)
  return text
}

const p = (...children: Child[]) => e('paragraph', {}, ...children)
const bare = (...children: Child[]) => e('paragraph', { bare: 1 }, ...children)
const params = (...pairs: [string, string][]) => JSON.stringify(pairs)
const strong = { strong: { xml: null } }

function table(): Y.XmlElement {
  const row = (cell: string, ...texts: string[]) => e('table_row', {}, ...texts.map((text) => e(cell, { colspan: 1, rowspan: 1 }, bare(text))))
  return e('table', {}, row('table_header', 'River', 'Length', 'Mouth'), row('table_cell', 'Aller', '211 km', 'Weser'), row('table_cell', 'Leine', '281 km', 'Aller'))
}

function everything(): Y.XmlElement[] {
  return [
    p(rich({ insert: 'Two rivers meet here. This page shows ' }, { insert: 'everything', attributes: strong }, { insert: ' that can be written, in\n   one place, with a ' }, { insert: 'link', attributes: { link: { href: 'https://example.org', xml: null } } }, { insert: ' and ' }, { insert: 'code', attributes: { code: { xml: null } } }, { insert: '.' })),
    e('heading', { level: 2 }, 'Lists'),
    e('bullet_list', {}, e('list_item', {}, bare('Upstream'), e('bullet_list', {}, e('list_item', {}, bare('Spring')))), e('list_item', {}, bare('Downstream'))),
    e('task_list', {}, e('task_item', { status: 'complete', id: '1' }, bare('Measure the water')), e('task_item', { status: 'incomplete', id: '2' }, bare('Write it down, ', e('mention', { resource: JSON.stringify({ type: 'user', username: 'bob' }) }), ' until ', e('date', { datetime: '2026-12-01' })))),
    e('heading', { level: 2 }, 'Panels and code'),
    e('panel', { name: 'info' }, p('The confluence is ', e('status', { params: params(['colour', 'Green'], ['title', 'open']) }), ' all year ', e('emoticon', { name: 'smile' }))),
    e('panel', { name: 'warning', params: params(['title', 'High water']) }, p('Stay off the lower path in spring.')),
    e('code_block', { macro: 'code', params: params(['language', 'rust']) }, 'fn meet(a: River, b: River) -> River {\n    a + b\n}'),
    e('expand', { params: params(['title', 'Older measurements']) }, p('None are kept.')),
    table(),
    e('layout', {}, e('layout_section', { kind: 'two_equal' }, e('layout_cell', {}, p('Left bank')), e('layout_cell', {}, p('Right bank')))),
    e('preserved_block', { source: '<ac:structured-macro ac:name="roadmap"/>', label: 'roadmap' }),
    e('blockquote', {}, p('You cannot step twice into the same river.')),
    e('toc', {}),
    e('diagram', { kind: 'newer' }, 'from a newer editor'),
    p('The end.'),
  ]
}

export function seed(ydoc: Y.Doc, blocks: number): void {
  ydoc.getText('title').insert(0, 'Where the rivers meet')
  const many = Array.from({ length: blocks }, (_, i) => p(`Paragraph ${i + 1}. The water is cold and clear, and the fish are few.`))
  ydoc.getXmlFragment('default').insert(0, [...everything(), ...many])
}
