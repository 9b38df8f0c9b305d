// Markdown as you type.
import { InputRule, inputRules, textblockTypeInputRule, wrappingInputRule } from 'prosemirror-inputrules'
import type { Plugin } from 'prosemirror-state'
import { TextSelection } from 'prosemirror-state'
import { mark, node } from './commands'
import { languageName } from './nodes/code'

/** `**text**` and the like become a mark when the last sign is typed. */
function markRule(pattern: RegExp, name: string): InputRule {
  return new InputRule(pattern, (state, match, start, end) => {
    const text = match[2] ?? ''
    const before = match[1] ?? ''
    const type = mark(name)
    if (!state.doc.resolve(start).parent.type.allowsMarkType(type)) return null
    const from = start + before.length
    const tr = state.tr
    const open = match[0].indexOf(text, before.length) - before.length
    if (from + open + text.length < end) tr.delete(from + open + text.length, end)
    if (open > 0) tr.delete(from, from + open)
    tr.addMark(from, from + text.length, type.create())
    return tr.removeStoredMark(type)
  })
}

const bareFirst = { bare: 1 }

function listRule(pattern: RegExp, name: string): InputRule {
  const rule = wrappingInputRule(pattern, node(name))
  return new InputRule(pattern, (state, match, start, end) => {
    const handler = (rule as unknown as { handler: (s: typeof state, m: RegExpMatchArray, a: number, b: number) => typeof state.tr | null }).handler
    const tr = handler(state, match, start, end)
    const $at = tr?.selection.$from
    if (tr && $at && $at.parent.type.name === 'paragraph') tr.setNodeMarkup($at.before(), null, { ...$at.parent.attrs, ...bareFirst })
    return tr
  })
}

/** `[] ` and `[x] `, alone or behind a bullet. */
const task = new InputRule(/^\s*\[([ xX]?)\]\s$/, (state, match, start, end) => {
  const $from = state.doc.resolve(start)
  if ($from.parent.type.name !== 'paragraph') return null
  const status = match[1]?.toLowerCase() === 'x' ? 'complete' : 'incomplete'
  const item = $from.depth > 1 ? $from.node(-1) : null
  const content = $from.parent.content.cut(end - $from.start())
  const tasks = node('task_list').create(null, node('task_item').create({ status }, node('paragraph').create(bareFirst, content)))
  const isOnlyItem = item?.type.name === 'list_item' && item.childCount === 1 && $from.node(-2).childCount === 1
  const [from, to] = isOnlyItem ? [$from.before(-2), $from.after(-2)] : [$from.before(), $from.after()]
  if (!isOnlyItem && !$from.node(-1).canReplaceWith($from.index(-1), $from.indexAfter(-1), tasks.type)) return null
  const tr = state.tr.replaceWith(from, to, tasks)
  return tr.setSelection(TextSelection.create(tr.doc, from + 3))
})

const rule = new InputRule(/^(---|___|\*\*\*)$/, (state, _match, start) => {
  const $from = state.doc.resolve(start)
  if ($from.parent.type.name !== 'paragraph' || !$from.node(-1).canReplaceWith($from.index(-1), $from.indexAfter(-1), node('horizontal_rule'))) return null
  const tr = state.tr.replaceWith($from.before(), $from.after(), [node('horizontal_rule').create(), node('paragraph').create()])
  return tr.setSelection(TextSelection.create(tr.doc, $from.before() + 2))
})

const panel = new InputRule(/^:::(info|tip|note|warning)?\s$/, (state, match, start) => {
  const $from = state.doc.resolve(start)
  if ($from.parent.type.name !== 'paragraph') return null
  const tr = state.tr.replaceWith($from.before(), $from.after(), node('panel').create({ name: match[1] ?? 'info' }, node('paragraph').create()))
  return tr.setSelection(TextSelection.create(tr.doc, $from.before() + 2))
})

const expand = new InputRule(/^\+\+\+\s$/, (state, _match, start) => {
  const $from = state.doc.resolve(start)
  if ($from.parent.type.name !== 'paragraph') return null
  const tr = state.tr.replaceWith($from.before(), $from.after(), node('expand').create(null, node('paragraph').create()))
  return tr.setSelection(TextSelection.create(tr.doc, $from.before() + 2))
})

/** `[text](address)`. */
const linkText = new InputRule(/\[([^\]\n]+)\]\(((?:https?:\/\/|mailto:|\/)[^\s)]*)\)$/, (state, match, start, end) => {
  const { parent } = state.doc.resolve(start)
  if (parent.type.spec.code) return null
  const link = mark('link').create({ href: match[2]! })
  return state.tr.replaceWith(start, end, state.schema.text(match[1]!, [link])).removeStoredMark(link)
})

/** An address becomes a link when a space follows it. */
const address = new InputRule(/(^|\s)(https?:\/\/[^\s]*[^\s.,;:!?)])\s$/, (state, match, start, end) => {
  const from = start + match[1]!.length
  const link = mark('link').create({ href: match[2]! })
  if (state.doc.resolve(start).parent.type.spec.code || state.doc.rangeHasMark(from, end, mark('link'))) return null
  return state.tr.addMark(from, end, link).insertText(' ', end).removeMark(end, end + 1, mark('link')).removeStoredMark(link)
})

export function markdownRules(): Plugin {
  return inputRules({
    rules: [
      textblockTypeInputRule(/^(#{1,6})\s$/, node('heading'), (match) => ({ level: match[1]!.length })),
      textblockTypeInputRule(/^h([1-6])\.\s$/, node('heading'), (match) => ({ level: Number(match[1]) })),
      listRule(/^\s*([-*+])\s$/, 'bullet_list'),
      listRule(/^\s*(\d{1,3})[.)]\s$/, 'ordered_list'),
      task,
      wrappingInputRule(/^\s*>\s$/, node('blockquote')),
      textblockTypeInputRule(/^```([\w#+]*)\s$/, node('code_block'), (match) => ({ params: match[1] ? JSON.stringify([['language', languageName(match[1])]]) : null })),
      rule,
      panel,
      expand,
      linkText,
      address,
      markRule(/(^|[\s(])\*\*([^*\s](?:[^*]*[^*\s])?)\*\*$/, 'strong'),
      markRule(/(^|[\s(])__([^_\s](?:[^_]*[^_\s])?)__$/, 'strong'),
      markRule(/(^|[\s(])\*([^*\s](?:[^*]*[^*\s])?)\*$/, 'em'),
      markRule(/(^|[\s(])_([^_\s](?:[^_]*[^_\s])?)_$/, 'em'),
      markRule(/(^|[\s(])~~([^~\s](?:[^~]*[^~\s])?)~~$/, 'strike'),
      markRule(/(^|[^`])`([^`]+)`$/, 'code'),
    ],
  })
}
