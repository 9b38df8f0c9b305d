// Code blocks: the macros `code` and `noformat`, with a choice of language.
import type { NodeView, NodeViewConstructor } from 'prosemirror-view'
import { param, withParam } from '../params'
import type { NodeLook } from '../schema'

/** Names that the code macro takes. */
const LANGUAGES = [
  '', 'text', 'actionscript3', 'bash', 'c#', 'coldfusion', 'cpp', 'css', 'delphi', 'diff', 'erlang', 'go', 'groovy', 'html', 'java', 'javafx',
  'javascript', 'json', 'kotlin', 'perl', 'php', 'powershell', 'python', 'ruby', 'rust', 'sass', 'scala', 'sql', 'swift', 'typescript', 'vb', 'xml', 'yaml',
]

const ALIASES: Record<string, string> = { js: 'javascript', ts: 'typescript', py: 'python', sh: 'bash', shell: 'bash', rs: 'rust', yml: 'yaml', rb: 'ruby', kt: 'kotlin', cs: 'c#', 'c++': 'cpp', htm: 'html' }

/** The macro's name of a language that was typed after three back ticks. */
export function languageName(typed: string): string {
  return ALIASES[typed.toLowerCase()] ?? typed.toLowerCase()
}

function language(dom: HTMLElement): string {
  const source = `${dom.className} ${dom.querySelector('code')?.className ?? ''}`
  return languageName(/(?:language|lang|brush)[-:]\s*([\w#+]+)/.exec(source)?.[1] ?? '')
}

export const codeBlock: NodeLook = {
  code: true,
  defining: true,
  parseDOM: [{
    tag: 'pre',
    preserveWhitespace: 'full',
    getAttrs: (dom) => ({ params: withParam({}, 'language', language(dom)) }),
  }],
  toDOM: (node) => {
    const name = param(node.attrs, 'language')
    return ['pre', ['code', name ? { class: `language-${name}` } : {}, 0]]
  },
}

function option(name: string): HTMLOptionElement {
  const element = document.createElement('option')
  element.value = name
  element.textContent = name || 'Plain text'
  return element
}

/** The code with a small header that names the language. */
export const codeBlockView: NodeViewConstructor = (initial, view, getPos): NodeView => {
  let node = initial
  const dom = document.createElement('div')
  const header = document.createElement('div')
  const select = document.createElement('select')
  const pre = document.createElement('pre')
  const contentDOM = document.createElement('code')
  dom.className = 'code-block'
  header.className = 'code-head'
  header.contentEditable = 'false'
  select.setAttribute('aria-label', 'Language of the code')
  pre.spellcheck = false
  select.append(...LANGUAGES.map(option))
  header.append(select)
  pre.append(contentDOM)
  dom.append(header, pre)
  const show = () => {
    const name = param(node.attrs, 'language')
    if (![...select.options].some((o) => o.value === name)) select.append(option(name))
    select.value = name
    select.hidden = node.attrs.macro !== 'code'
    select.disabled = !view.editable
  }
  select.addEventListener('change', () => {
    const pos = getPos()
    if (pos !== undefined) view.dispatch(view.state.tr.setNodeAttribute(pos, 'params', withParam(node.attrs, 'language', select.value)))
    view.focus()
  })
  show()
  return {
    dom,
    contentDOM,
    update(next) {
      if (next.type !== node.type) return false
      node = next
      show()
      return true
    },
    stopEvent: (event) => header.contains(event.target as Node | null),
    ignoreMutation: (mutation) => mutation.type !== 'selection' && !contentDOM.contains(mutation.target),
  }
}
