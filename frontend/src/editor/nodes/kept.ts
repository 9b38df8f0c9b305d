// What this editor shows but does not edit: preserved source, the contents macro, and content newer than this editor.
import type { Node } from 'prosemirror-model'
import type { NodeView, NodeViewConstructor } from 'prosemirror-view'
import type { NodeLook } from '../schema'

/** How a preserved piece may be shown as its reader will see it; empty when that is not known. */
export type Preview = (source: string) => Promise<string>

export const toc: NodeLook = {
  parseDOM: [{ tag: 'div.toc-placeholder' }],
  toDOM: () => ['div', { class: 'kept toc-placeholder' }, ['span', { class: 'kept-label' }, 'Table of contents'], ['span', { class: 'kept-note' }, 'made from the headings of this page']],
}

function keptAttrs(dom: HTMLElement): { source: string; label: string } | false {
  const source = dom.dataset.source
  return source ? { source, label: dom.dataset.label ?? '' } : false
}

function data(node: Node): Record<string, string> {
  return { 'data-source': String(node.attrs.source), 'data-label': String(node.attrs.label) }
}

export const preservedBlock: NodeLook = {
  draggable: true,
  parseDOM: [{ tag: 'div.preserved[data-source]', priority: 70, getAttrs: keptAttrs }],
  toDOM: (node) => ['div', { class: 'preserved', ...data(node) }, String(node.attrs.label)],
}

export const preservedInline: NodeLook = {
  draggable: true,
  parseDOM: [{ tag: 'span.preserved[data-source]', priority: 70, getAttrs: keptAttrs }],
  toDOM: (node) => ['span', { class: 'preserved', ...data(node) }, String(node.attrs.label)],
}

function readShape(dom: HTMLElement): { shape: unknown } | false {
  try {
    return { shape: JSON.parse(dom.dataset.shape ?? '') as unknown }
  } catch {
    return false
  }
}

export const unsupported: NodeLook = {
  draggable: true,
  parseDOM: [{ tag: '[data-shape]', priority: 70, getAttrs: readShape }],
  toDOM: (node) => {
    const tag = node.isInline ? 'span' : 'div'
    const name = String((node.attrs.shape as { name?: string } | null)?.name ?? 'content')
    return [tag, { class: 'preserved unsupported', 'data-shape': JSON.stringify(node.attrs.shape) }, `${name} (newer than this editor)`]
  },
}

/** A labelled box that shows, where possible, what the reader will see. */
export const preservedView = (preview: Preview): NodeViewConstructor => (node): NodeView => {
  const dom = document.createElement('div')
  const label = document.createElement('span')
  const shown = document.createElement('div')
  const source = String(node.attrs.source)
  dom.className = 'kept preserved-block'
  dom.contentEditable = 'false'
  label.className = 'kept-label'
  label.textContent = String(node.attrs.label) || 'Preserved content'
  shown.className = 'kept-preview'
  shown.inert = true
  dom.append(label, shown)
  let alive = true
  preview(source).then(
    (html) => {
      if (!alive || html === '') return
      const parsed = new DOMParser().parseFromString(html, 'text/html')
      shown.replaceChildren(...parsed.body.childNodes)
    },
    () => undefined,
  )
  return {
    dom,
    update: (next) => next.type === node.type && next.attrs.source === source,
    stopEvent: () => false,
    ignoreMutation: () => true,
    destroy: () => {
      alive = false
    },
  }
}
