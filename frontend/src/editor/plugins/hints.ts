// A grey hint in the empty line with the cursor, and in an empty page.
import { Plugin } from 'prosemirror-state'
import { Decoration, DecorationSet } from 'prosemirror-view'

export function hints(): Plugin {
  return new Plugin({
    props: {
      decorations: (state) => {
        const { $from, empty } = state.selection
        const here = $from.parent
        if (!empty || !here.isTextblock || here.content.size > 0 || here.type.spec.code) return null
        const isAlone = state.doc.childCount === 1 && $from.depth === 1
        const text = here.type.name === 'heading' ? `Heading ${here.attrs.level}` : isAlone ? 'Write, or press / for everything else' : $from.depth === 1 ? 'Press / to insert' : ''
        return text === '' ? null : DecorationSet.create(state.doc, [Decoration.node($from.before(), $from.after(), { class: 'hint', 'data-hint': text })])
      },
    },
  })
}
