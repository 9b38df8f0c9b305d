// Copying keeps every attribute; pasting cleans what other programs put there and understands Markdown.
import { DOMParser, DOMSerializer, Fragment, type Node, Slice } from 'prosemirror-model'
import { Plugin } from 'prosemirror-state'
import { yUndoPluginKey } from 'y-prosemirror'
import { markdownToHtml, looksLikeMarkdown } from './markdown'
import { asPasted } from './plugins/containers'
import { schema } from './schema'

/** The usual elements, and beside them the node's name and attributes, so that a paste here loses nothing. */
function serializer(): DOMSerializer {
  const nodes = DOMSerializer.nodesFromSchema(schema)
  const full: typeof nodes = {}
  for (const [name, toDOM] of Object.entries(nodes)) {
    full[name] = name === 'text' ? toDOM : (node: Node) => {
      const { dom, contentDOM } = DOMSerializer.renderSpec(document, toDOM(node))
      const element = dom as HTMLElement
      element.setAttribute('data-node', name)
      element.setAttribute('data-attrs', JSON.stringify(node.attrs))
      if (contentDOM && contentDOM !== dom) contentDOM.setAttribute('data-content', '')
      return contentDOM ? { dom, contentDOM } : { dom }
    }
  }
  return new DOMSerializer(full, DOMSerializer.marksFromSchema(schema))
}

function attrsOf(dom: HTMLElement): Record<string, unknown> | false {
  try {
    return JSON.parse(dom.getAttribute('data-attrs') ?? '') as Record<string, unknown>
  } catch {
    return false
  }
}

function parser(): DOMParser {
  const own = Object.keys(schema.nodes).filter((name) => name !== 'text' && name !== 'doc').map((name) => ({
    node: name,
    tag: `[data-node="${name}"]`,
    priority: 90,
    getAttrs: attrsOf,
    preserveWhitespace: name === 'code_block' ? ('full' as const) : undefined,
    contentElement: (dom: globalThis.Node) => (dom as HTMLElement).querySelector<HTMLElement>('[data-content]') ?? (dom as HTMLElement),
  }))
  const usual = DOMParser.fromSchema(schema).rules
  return new DOMParser(schema, [...own, ...usual])
}

/** Paragraphs that Word draws as items become a list. */
function wordLists(root: HTMLElement): void {
  for (const first of [...root.querySelectorAll<HTMLElement>('p[style*="mso-list"], p.MsoListParagraphCxSpFirst')]) {
    if (!first.isConnected) continue
    const isNumbered = /^\s*(\d+|[a-z]|[ivx]+)[.)]/i.test(first.textContent ?? '')
    const list = document.createElement(isNumbered ? 'ol' : 'ul')
    first.before(list)
    for (let item: Element | null = first; item instanceof HTMLElement && /mso-list|MsoListParagraph/.test(`${item.getAttribute('style')}${item.className}`);) {
      const next: Element | null = item.nextElementSibling
      item.querySelectorAll('[style*="mso-list:Ignore"], [style*="mso-list: Ignore"]').forEach((sign) => sign.remove())
      const li = document.createElement('li')
      li.append(...item.childNodes)
      list.append(li)
      item.remove()
      item = next
    }
  }
}

/** Takes away what other programs add and nobody wants: styles, comments, office tags, tracking and empty spans. */
export function cleaned(html: string): string {
  const { body } = new globalThis.DOMParser().parseFromString(html, 'text/html')
  const isOurs = body.querySelector('[data-node], [data-pm-slice]') !== null
  if (isOurs) return body.innerHTML
  body.querySelectorAll('style, script, meta, link, title, xml, template, colgroup, button, input:not([type=checkbox])').forEach((element) => element.remove())
  wordLists(body)
  for (const element of [...body.querySelectorAll<HTMLElement>('*')]) {
    if (element.tagName.includes(':')) element.replaceWith(...element.childNodes)
    else if (/^H[1-6]$/.test(element.tagName)) element.removeAttribute('style')
    else if (element.tagName === 'A') element.querySelectorAll('[style]').forEach((inside) => inside.removeAttribute('style'))
  }
  return body.innerHTML
}

/** Cells of other programs hold text directly; here a cell holds paragraphs, and tables lose nothing. */
function tidied(slice: Slice): Slice {
  const children: Node[] = []
  slice.content.forEach((node) => children.push(asPasted(node)))
  return new Slice(Fragment.from(children), slice.openStart, slice.openEnd)
}

export function clipboard(): Plugin {
  return new Plugin({
    props: {
      clipboardSerializer: serializer(),
      clipboardParser: parser(),
      transformPastedHTML: cleaned,
      transformPasted: (slice) => tidied(slice),
      clipboardTextParser: (text, $context, plain) => {
        const html = !plain && !$context.parent.type.spec.code && looksLikeMarkdown(text) ? markdownToHtml(text) : null
        if (html === null) return undefined as unknown as Slice
        const { body } = new globalThis.DOMParser().parseFromString(html, 'text/html')
        return DOMParser.fromSchema(schema).parseSlice(body, { context: $context })
      },
      handlePaste: (view, event) => {
        // What is pasted is one step to undo.
        ;(yUndoPluginKey.getState(view.state) as { undoManager?: { stopCapturing(): void } } | undefined)?.undoManager?.stopCapturing()
        // An address pasted over words makes them a link.
        const text = event.clipboardData?.getData('text/plain').trim() ?? ''
        const { from, to, empty } = view.state.selection
        if (empty || !/^https?:\/\/\S+$/.test(text) || view.state.selection.$from.parent.type.spec.code) return false
        view.dispatch(view.state.tr.addMark(from, to, schema.marks.link!.create({ href: text })))
        return true
      },
    },
  })
}
