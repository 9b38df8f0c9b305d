import assert from 'node:assert/strict'
import { test } from 'node:test'
import { difference } from './difference'

test('the difference between two titles is one deletion and one insertion', () => {
  assert.deepEqual(difference('abc', 'abXc'), { at: 2, remove: 0, insert: 'X' })
  assert.deepEqual(difference('abc', 'ac'), { at: 1, remove: 1, insert: '' })
  assert.deepEqual(difference('aa', 'aaa'), { at: 2, remove: 0, insert: 'a' })
  assert.deepEqual(difference('one', 'two'), { at: 0, remove: 3, insert: 'two' })
  assert.deepEqual(difference('', ''), { at: 0, remove: 0, insert: '' })
})
