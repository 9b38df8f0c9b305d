// Everything that the slash menu offers, with the words people look for, the names of Confluence macros among them.
import type { Command } from 'prosemirror-state'
import { EMOTICONS } from './nodes/atoms'
import * as c from './commands'

export interface Item {
  title: string
  hint: string
  icon: string
  section: 'Basic' | 'Media' | 'Structure' | 'Dynamic'
  words: string
  run: Command
}

/** What needs more than the text: a file picker, a date picker, a search. */
export interface ItemActions {
  pickImage: Command
  pickDate: Command
  pickStatus: Command
  link: Command
  startSuggestion: (trigger: string) => Command
}

function basic(): Item[] {
  const heading = (level: number): Item => ({
    title: `Heading ${level}`, hint: ['Big section', 'Section', 'Subsection'][level - 1] ?? '', icon: 'heading', section: 'Basic', words: `h${level} title #`, run: c.heading(level),
  })
  return [
    { title: 'Text', hint: 'Plain paragraph', icon: 'text', section: 'Basic', words: 'paragraph normal', run: c.paragraph },
    heading(1), heading(2), heading(3),
    { title: 'Bulleted list', hint: 'A list with bullets', icon: 'bullets', section: 'Basic', words: 'ul unordered points -', run: c.list('bullet_list') },
    { title: 'Numbered list', hint: 'A list with numbers', icon: 'numbers', section: 'Basic', words: 'ol ordered 1.', run: c.list('ordered_list') },
    { title: 'Task list', hint: 'Check boxes', icon: 'task', section: 'Basic', words: 'todo checkbox action item tasklist []', run: c.list('task_list') },
    { title: 'Quote', hint: 'Somebody’s words', icon: 'quote', section: 'Basic', words: 'blockquote citation >', run: c.quote },
    { title: 'Divider', hint: 'A line across', icon: 'rule', section: 'Basic', words: 'hr horizontal rule line ---', run: c.insertBlock(() => c.node('horizontal_rule').create()) },
    { title: 'Code block', hint: 'Code with a language', icon: 'code', section: 'Basic', words: 'snippet noformat preformatted ```', run: c.insertBlock(() => c.node('code_block').create()) },
  ]
}

function structure(): Item[] {
  const panel = (name: string, title: string, hint: string, words: string): Item => ({
    title, hint, icon: 'panel', section: 'Structure', words, run: c.insertBlock(() => c.panelOf(name)),
  })
  const columns = (title: string, kind: string, n: number): Item => ({
    title, hint: 'Side by side on wide screens', icon: 'layout', section: 'Structure', words: 'columns layout section split', run: c.insertBlock(() => c.layoutOf(kind, n)),
  })
  return [
    { title: 'Table', hint: 'Rows and columns', icon: 'table', section: 'Structure', words: 'grid spreadsheet', run: c.insertBlock(() => c.tableOf(3, 3)) },
    panel('info', 'Info panel', 'Good to know', 'note notice callout information macro'),
    panel('tip', 'Tip panel', 'Good advice', 'success hint callout macro'),
    panel('note', 'Note panel', 'Mind this', 'attention callout macro'),
    panel('warning', 'Warning panel', 'Careful', 'danger error callout macro'),
    panel('panel', 'Panel', 'A plain box', 'box callout macro'),
    { title: 'Expand', hint: 'Text that folds away', icon: 'expand', section: 'Structure', words: 'toggle details collapse accordion macro +++', run: c.insertBlock(c.expandNode) },
    columns('Two columns', 'two_equal', 2),
    columns('Three columns', 'three_equal', 3),
    columns('Left sidebar', 'two_left_sidebar', 2),
    columns('Right sidebar', 'two_right_sidebar', 2),
  ]
}

function dynamic(actions: ItemActions): Item[] {
  return [
    { title: 'Image', hint: 'From this device', icon: 'image', section: 'Media', words: 'picture photo upload attachment file screenshot', run: actions.pickImage },
    { title: 'Link', hint: 'To a page or an address', icon: 'link', section: 'Media', words: 'url page include anchor', run: actions.link },
    { title: 'Table of contents', hint: 'From the headings of this page', icon: 'toc', section: 'Dynamic', words: 'toc contents outline macro', run: c.insertBlock(() => c.node('toc').create()) },
    { title: 'Status', hint: 'A coloured word', icon: 'status', section: 'Dynamic', words: 'label lozenge badge macro jira', run: actions.pickStatus },
    { title: 'Date', hint: 'A day', icon: 'date', section: 'Dynamic', words: 'time calendar today //', run: actions.pickDate },
    { title: 'Mention', hint: 'Name a person', icon: 'mention', section: 'Dynamic', words: 'user person profile @', run: actions.startSuggestion('@') },
    { title: 'Emoticon', hint: 'A small picture', icon: 'emoji', section: 'Dynamic', words: 'emoji smiley icon tick cross :', run: actions.startSuggestion(':') },
  ]
}

export function allItems(actions: ItemActions): Item[] {
  return [...basic(), ...structure(), ...dynamic(actions)]
}

/** Best first: the title begins with the query, a word of it does, a synonym does, it occurs somewhere. */
export function matching(items: Item[], query: string): Item[] {
  const q = query.toLowerCase()
  if (q === '') return items
  const score = (item: Item): number => {
    const title = item.title.toLowerCase()
    const words = item.words.toLowerCase()
    if (title.startsWith(q)) return 0
    if (title.split(' ').some((word) => word.startsWith(q))) return 1
    if (words.split(' ').some((word) => word.startsWith(q))) return 2
    return title.includes(q) || words.includes(q) ? 3 : 9
  }
  return items.map((item) => ({ item, at: score(item) })).filter(({ at }) => at < 9).sort((a, b) => a.at - b.at).map(({ item }) => item)
}

export function matchingEmoticons(query: string): [string, string][] {
  return Object.entries(EMOTICONS).filter(([name]) => name.includes(query.toLowerCase()))
}
