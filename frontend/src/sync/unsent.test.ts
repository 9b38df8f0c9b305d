import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { textIn, textOf } from './unsent'

/** A page of two paragraphs; `edit` is what nobody else has. */
function page(edit: (first: Y.XmlText, second: Y.XmlText, body: Y.XmlFragment) => void): { ydoc: Y.Doc; updates: Uint8Array[] } {
  const ydoc = new Y.Doc()
  const body = ydoc.getXmlFragment('default')
  const [first, second] = [new Y.XmlText('one two'), new Y.XmlText('three')]
  const paragraph = (text: Y.XmlText) => {
    const element = new Y.XmlElement('paragraph')
    element.insert(0, [text])
    return element
  }
  body.insert(0, [paragraph(first), paragraph(second)])
  const updates: Uint8Array[] = []
  ydoc.on('update', (update: Uint8Array) => updates.push(update))
  edit(first, second, body)
  return { ydoc, updates }
}

test('[CLIENT-12] text that was not sent is kept in the order of the page, a line for each paragraph', () => {
  const { ydoc, updates } = page((first, second) => {
    second.insert(5, ' four')
    first.insert(3, ' and a half')
    first.insert(0, 'Zero ')
    first.insert(first.length, ' ends')
  })
  assert.equal(textIn(ydoc, updates), 'Zero  …  and a half …  ends\nfour')
})

test('[CLIENT-12] what the author took out again is not kept, and a client id that goes on counts from where it was', () => {
  const { ydoc, updates } = page((first) => {
    first.insert(7, ' kept')
    first.insert(12, ' gone')
    first.delete(12, 5)
  })
  assert.equal(textIn(ydoc, updates), 'kept')
  assert.equal(textIn(ydoc, []), '')
})

test('[CLIENT-12] without the document the words are found all the same', () => {
  const { updates } = page((first) => {
    first.insert(7, ' kept')
    first.insert(12, ' too')
  })
  assert.equal(textOf(updates), 'kept too')
})
