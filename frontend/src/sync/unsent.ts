// Text for its author out of edits that the server has not taken.
import * as Y from 'yjs'

/** Stands for what is between two passages of one line and not the author's. */
const GAP = ' … '

type Range = { from: number; to: number }

/** Clocks of the structs in these updates, by client id. */
function rangesOf(updates: Uint8Array[]): Map<number, Range[]> {
  const ranges = new Map<number, Range[]>()
  for (const update of updates) {
    for (const { id, length } of Y.decodeUpdate(update).structs) ranges.set(id.client, [...(ranges.get(id.client) ?? []), { from: id.clock, to: id.clock + length }])
  }
  return ranges
}

/** The text of these edits as it stands in the document that holds them: a line for each text, in the order of the page. */
export function textIn(ydoc: Y.Doc, updates: Uint8Array[]): string {
  const ranges = rangesOf(updates)
  const lines: string[] = []
  const visit = (type: Y.AbstractType<unknown>): void => {
    let line = ''
    let isApart = false
    for (let item = type._start; item !== null; item = item.right) {
      if (item.deleted) continue
      const { content } = item
      if (content instanceof Y.ContentType) visit(content.type as Y.AbstractType<unknown>)
      else if (content instanceof Y.ContentString) {
        const mine = passages(content.str, item.id, ranges)
        for (const passage of mine) {
          line += (line !== '' && (isApart || passage.isApart) ? GAP : '') + passage.text
          isApart = false
        }
        const end = mine.at(-1)
        if (!end || !end.isToEnd) isApart = true
      }
    }
    if (line.trim() !== '') lines.push(line.trim())
  }
  for (const type of ydoc.share.values()) visit(type as Y.AbstractType<unknown>)
  return lines.join('\n')
}

/** The parts of one item's text that lie in the ranges. */
function passages(text: string, id: Y.ID, ranges: Map<number, Range[]>): { text: string; isApart: boolean; isToEnd: boolean }[] {
  const found: { text: string; isApart: boolean; isToEnd: boolean }[] = []
  let last = 0
  for (const { from, to } of (ranges.get(id.client) ?? []).sort((a, b) => a.from - b.from)) {
    const [start, end] = [Math.max(last, from - id.clock), Math.min(text.length, to - id.clock)]
    if (start >= end) continue
    found.push({ text: text.slice(start, end), isApart: start > last, isToEnd: end === text.length })
    last = end
  }
  return found
}

/** The text that was typed in these updates, without their document; what followed each other stays together. */
export function textOf(updates: Uint8Array[]): string {
  const parts: string[] = []
  let next = ''
  for (const update of updates) {
    for (const struct of Y.decodeUpdate(update).structs) {
      if (!(struct instanceof Y.Item) || !(struct.content instanceof Y.ContentString)) continue
      const origin = struct.origin ? `${struct.origin.client}-${struct.origin.clock}` : null
      const text = struct.content.str
      if (parts.length > 0 && origin === next) parts[parts.length - 1] += text
      else parts.push(text)
      next = `${struct.id.client}-${struct.id.clock + struct.length - 1}`
    }
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '').join('\n')
}
