// Lists with bullets, numbers and check boxes.
import type { NodeView, NodeViewConstructor } from 'prosemirror-view'
import type { NodeLook } from '../schema'

export const bulletList: NodeLook = { parseDOM: [{ tag: 'ul' }], toDOM: () => ['ul', 0] }
export const orderedList: NodeLook = { parseDOM: [{ tag: 'ol' }], toDOM: () => ['ol', 0] }
export const listItem: NodeLook = { defining: true, parseDOM: [{ tag: 'li' }], toDOM: () => ['li', 0] }

export const taskList: NodeLook = {
  parseDOM: [{ tag: 'ul.task-list', priority: 60 }, { tag: 'ul[data-type="taskList"]', priority: 60 }, { tag: 'ul.contains-task-list', priority: 60 }],
  toDOM: () => ['ul', { class: 'task-list' }, 0],
}

function isDone(dom: HTMLElement): boolean {
  const box = dom.querySelector<HTMLInputElement>(':scope > input[type=checkbox], :scope > label > input[type=checkbox], :scope > p > input[type=checkbox]')
  return box?.checked === true || box?.hasAttribute('checked') === true || dom.dataset.checked === 'true'
}

export const taskItem: NodeLook = {
  defining: true,
  parseDOM: ['ul.task-list > li', 'ul[data-type="taskList"] > li', 'li.task-list-item'].map((tag) => ({
    tag,
    priority: 60,
    // A pasted task is a new one: it gets no identifier of another.
    getAttrs: (dom: HTMLElement) => ({ status: isDone(dom) ? 'complete' : 'incomplete' }),
  })),
  toDOM: (node) => {
    const box: Record<string, string> = { type: 'checkbox' }
    if (node.attrs.status === 'complete') box.checked = ''
    return ['li', ['input', box], ['div', { class: 'task-content' }, 0]]
  },
}

/** A check box that everybody may tick, beside the task's content. */
export const taskItemView: NodeViewConstructor = (initial, view, getPos): NodeView => {
  let node = initial
  const dom = document.createElement('li')
  const box = document.createElement('input')
  const contentDOM = document.createElement('div')
  box.type = 'checkbox'
  box.contentEditable = 'false'
  contentDOM.className = 'task-content'
  dom.append(box, contentDOM)
  const show = () => {
    box.checked = node.attrs.status === 'complete'
    box.disabled = !view.editable
    box.setAttribute('aria-label', `Task: ${node.textContent.slice(0, 80) || 'empty'}`)
  }
  box.addEventListener('change', () => {
    const pos = getPos()
    if (pos === undefined || !view.editable) return show()
    view.dispatch(view.state.tr.setNodeAttribute(pos, 'status', box.checked ? 'complete' : 'incomplete'))
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
    stopEvent: (event) => event.target === box,
    ignoreMutation: (mutation) => mutation.type !== 'selection' && !contentDOM.contains(mutation.target),
  }
}
