import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Route } from '../sync/link'
import type { Candidate } from '../sync/transports/connection'
import { about, absenceText, accessText, place, routeText, whyNotBetter } from './messages'

const DIRECT: Candidate = { transport: 'websocket', path: 'direct', url: 'https://wiki.example/synchrony/v1' }
const PROXY: Candidate = { transport: 'websocket', path: 'internal proxy', url: '/synchrony-proxy/v1' }
const STREAM: Candidate = { ...DIRECT, transport: 'event-stream' }
const POLL: Candidate = { ...DIRECT, transport: 'long-poll' }
const route = (candidate: Candidate, more: Partial<Route> = {}): Route => ({
  candidate, rtt_ms: 12, failures: [], allowed: ['websocket', 'event-stream', 'long-poll'], wanted: { transport: '', path: '' }, ...more,
})

test('[CLIENT-13] a word and a round trip for every way', () => {
  const words = [DIRECT, PROXY, STREAM, POLL].map((candidate) => routeText({ candidate, rtt_ms: 12 }))
  assert.deepEqual(words, ['Direct 12 ms', 'Through the internal proxy 12 ms', 'Event stream 12 ms', 'Long poll 12 ms'])
  assert.equal(routeText({ candidate: DIRECT, rtt_ms: 0 }), 'Direct')
})

test('[CLIENT-13] why no better way is used', () => {
  const noAnswer = { candidate: DIRECT, end: { code: 1006, reason: 'no answer' } }
  const held = { candidate: STREAM, end: { code: 1006, reason: 'held back' } }
  const why = (candidate: Candidate, more: Partial<Route> = {}) => whyNotBetter(route(candidate, more), 'wiki.example')
  assert.deepEqual(why(DIRECT), [])
  assert.deepEqual(why(STREAM, { failures: [noAnswer, noAnswer] }), ['WebSocket did not answer at /synchrony; a proxy in between may not forward it.'])
  assert.match(why(POLL, { failures: [held] })[0]!, /^Event stream at \/synchrony arrives late/)
  assert.deepEqual(why(DIRECT, { failures: [held] }), [], 'a worse way needs no reason')
  const beside = { candidate: PROXY, end: { code: 1006, reason: '' } }
  assert.deepEqual([why(DIRECT, { failures: [beside] }), why(PROXY, { failures: [noAnswer] }).length], [[], 1])
  assert.deepEqual(why(POLL, { allowed: ['long-poll', 'event-stream'] }), ['WebSocket is switched off by the administrator.'])
  assert.equal(why(POLL, { wanted: { transport: 'long-poll', path: '' } }).length, 1)
  assert.match(about(PROXY), /wiki’s own address/)
})

test('addresses are short where they are the wiki’s own', () => {
  assert.equal(place('/synchrony/v1', 'wiki'), '/synchrony')
  assert.equal(place('https://sync.example/synchrony/v1', 'wiki'), 'sync.example/synchrony')
})

test('[CLIENT-5] the strip says what is wrong and how much is kept', () => {
  assert.deepEqual(absenceText('offline', { kind: 'offline', changes: 1, kept: true }), ['You are offline.', '1 change is kept on this device and sent as soon as you are connected again.'])
  assert.match(absenceText('engine', { kind: 'offline', changes: 0, kept: true })[0], /wiki answers/)
  assert.match(absenceText('offline', { kind: 'offline', changes: 2, kept: false })[1], /leave this page open/)
})

test('[CLIENT-9] what stands between a person and writing', () => {
  assert.deepEqual(accessText(2, '', 'Ann'), { text: 'Ann is editing; one person writes at a time.', ask: 'Ask to edit' })
  assert.equal(accessText(2, 'you let somebody else write').text, 'You let somebody else write. Somebody else is editing; one person writes at a time.')
  assert.equal(accessText(2, 'one person writes at a time; you may ask to write', 'Ann').text, 'Ann is editing; one person writes at a time.')
  assert.equal(accessText(3, '').ask, 'Ask to write')
  assert.deepEqual(accessText(0, 'the space is archived'), { text: 'Read-only: the space is archived', ask: '' })
})
