// The compact JSON texts that nodes carry as attributes: macro parameters, resources, and how the source was spelled.
import type { Attrs } from 'prosemirror-model'

type Pairs = [string, string][]

/** What a link, image or mention points to; attribute names of the storage format without `ri:`. */
export interface Resource {
  type: string
  [name: string]: unknown
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return null
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function pairs(text: unknown): Pairs {
  const value = parsed(text)
  if (!Array.isArray(value)) return []
  return value.filter((pair): pair is [string, string] => Array.isArray(pair) && pair.length === 2)
}

/** A macro parameter; empty when absent. */
export function param(attrs: Attrs, name: string): string {
  return String(pairs(attrs.params).find(([key]) => key === name)?.[1] ?? '')
}

/** The `params` text with one parameter set, or removed when the value is empty; the order of the others stays. */
export function withParam(attrs: Attrs, name: string, value: string): string | null {
  const all = pairs(attrs.params)
  const rest = all.filter(([key]) => key !== name)
  if (value !== '') {
    const at = all.findIndex(([key]) => key === name)
    rest.splice(at < 0 ? rest.length : at, 0, [name, value])
  }
  return rest.length > 0 ? JSON.stringify(rest) : null
}

/** The attribute `resource`, or null when there is none. */
export function resource(attrs: Attrs): Resource | null {
  const value = parsed(attrs.resource)
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Resource) : null
}

/** An attribute of the source element beyond the typed ones, e.g. `ac:width`. */
export function sourceAttribute(attrs: Attrs, name: string): string {
  const xml = parsed(attrs.xml) as { attrs?: unknown } | null
  const list = Array.isArray(xml?.attrs) ? (xml.attrs as unknown[]) : []
  const pair = list.find((p): p is [string, string] => Array.isArray(p) && p[0] === name)
  return pair ? String(pair[1]) : ''
}

/** Attributes of a source element that name one thing only, and so must not be copied. */
const IDENTIFIERS = new Set(['id', 'ac:macro-id', 'ac:local-id', 'local-id', 'data-local-id'])

/**
 * The `xml` text for a second block made by splitting one: what belongs to the place of the first (white space, ids)
 * is left out, what belongs to its look (class, style) stays.
 */
export function xmlOfSplit(xml: unknown): string | null {
  const value = parsed(xml) as { attrs?: unknown; tag?: unknown } | null
  if (value === null) return null
  const kept: Record<string, unknown> = {}
  if (Array.isArray(value.attrs)) {
    const attrs = (value.attrs as unknown[]).filter((p) => Array.isArray(p) && !IDENTIFIERS.has(String(p[0])))
    if (attrs.length > 0) kept.attrs = attrs
  }
  if (value.tag !== undefined) kept.tag = value.tag
  return Object.keys(kept).length > 0 ? JSON.stringify(kept) : null
}

/** A new identifier for a task. */
export function newUuid(): string {
  return crypto.randomUUID()
}
