import assert from 'node:assert/strict'
import test from 'node:test'
import { writers } from './authors'

const authors = {
  people: [{ user: 'ann', name: 'Ann' }, { user: 'bob', name: 'Bob' }],
  clients: { 7: 1 },
  origin: { client_id: 3, runs: [[2, 4, 0], [6, 1, null], [9, 2, 1]] as [number, number, number | null][] },
}

test('[WHO-6] a client id has one author; the text of the beginning is cut where its author changes', () => {
  assert.deepEqual(writers(authors, 7, 100, 5), [{ units: 5, by: 1 }])
  assert.deepEqual(writers(authors, 8, 0, 5), [{ units: 5, by: -1 }])
  assert.deepEqual(writers(authors, 3, 4, 4), [{ units: 2, by: 0 }, { units: 1, by: -1 }, { units: 1, by: -1 }])
  assert.deepEqual(writers(authors, 3, 9, 9), [{ units: 2, by: 1 }, { units: 7, by: -1 }])
  assert.deepEqual(writers(authors, 3, 3, 2), [{ units: 2, by: 0 }])
})
