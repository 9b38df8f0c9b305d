// Panels (info, tip, note, warning, panel), expands, layouts: blocks that hold blocks.
import type { NodeView, NodeViewConstructor } from 'prosemirror-view'
import { param, withParam } from '../params'
import type { NodeLook } from '../schema'

export const PANEL_KINDS = ['info', 'tip', 'note', 'warning', 'panel']

function panelKind(dom: HTMLElement): string {
  return PANEL_KINDS.find((kind) => dom.classList.contains(`panel-${kind}`)) ?? 'panel'
}

export const panel: NodeLook = {
  defining: true,
  parseDOM: [{ tag: 'div.panel', getAttrs: (dom) => ({ name: panelKind(dom) }) }],
  toDOM: (node) => {
    const name = String(node.attrs.name)
    const attrs: Record<string, string> = { class: PANEL_KINDS.includes(name) ? `panel panel-${name}` : 'panel' }
    return ['div', attrs, 0]
  },
}

export const expand: NodeLook = {
  defining: true,
  isolating: true,
  parseDOM: [{
    tag: 'details',
    contentElement: (dom) => {
      const box = document.createElement('div')
      for (const child of [...dom.childNodes]) if (child.nodeName !== 'SUMMARY') box.append(child.cloneNode(true))
      return box
    },
    getAttrs: (dom) => ({ params: withParam({}, 'title', dom.querySelector('summary')?.textContent?.trim() ?? '') }),
  }],
  toDOM: (node) => ['details', { open: '' }, ['summary', param(node.attrs, 'title')], ['div', 0]],
}

/** One text parameter of a macro as a field above the content. */
function titled(className: string, label: string, parameter: string, hint: string): NodeViewConstructor {
  return (initial, view, getPos): NodeView => {
    let node = initial
    const dom = document.createElement('div')
    const field = document.createElement('input')
    const contentDOM = document.createElement('div')
    field.type = 'text'
    field.className = `${className}-title`
    field.placeholder = hint
    field.setAttribute('aria-label', label)
    contentDOM.className = `${className}-content`
    dom.append(field, contentDOM)
    const show = () => {
      dom.className = PANEL_KINDS.includes(String(node.attrs.name)) ? `${className} ${className}-${node.attrs.name}` : className
      field.readOnly = !view.editable
      const value = param(node.attrs, parameter)
      if (field.value !== value) field.value = value
      field.hidden = className === 'panel' && value === ''
    }
    field.addEventListener('input', () => {
      const pos = getPos()
      if (pos !== undefined) view.dispatch(view.state.tr.setNodeAttribute(pos, 'params', withParam(node.attrs, parameter, field.value)))
    })
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' || event.key === 'ArrowDown') {
        event.preventDefault()
        view.focus()
      }
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
      stopEvent: (event) => event.target === field,
      ignoreMutation: (mutation) => mutation.type !== 'selection' && !contentDOM.contains(mutation.target),
    }
  }
}

export const expandView = titled('expand', 'Title of the expand', 'title', 'Click here to expand…')
export const panelView = titled('panel', 'Title of the panel', 'title', 'Title')

export const layout: NodeLook = { isolating: true, toDOM: () => ['div', { class: 'layout' }, 0] }
export const layoutSection: NodeLook = {
  toDOM: (node) => ['div', { class: `layout-section layout-${String(node.attrs.kind).replaceAll('_', '-')}` }, 0],
}
export const layoutCell: NodeLook = { isolating: true, toDOM: () => ['div', { class: 'layout-cell' }, 0] }
