// What the editor asks of the server besides the live document.
import type { Authors } from './authors'
import type { Salvaged } from '../sync/salvage'
import type { StoredEdit } from '../sync/store'

export interface FoundPage {
  id: number
  type: string
  title: string
  space: string
  space_name: string
  url: string
}

export interface FoundUser {
  name: string
  full_name: string
}

export interface Attachment {
  id: number
  name: string
  media_type: string
  size: number
  url: string
}

/** What went wrong, in words for the user. */
export class Failed extends Error {}

function token(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? ''
}

function reason(status: number, text: string): Failed {
  try {
    const error = (JSON.parse(text) as { error?: unknown }).error
    if (typeof error === 'string' && error !== '') return new Failed(error)
  } catch {
    // No JSON: the status has to do.
  }
  if (status === 401) return new Failed('You are no longer signed in. Sign in again in another tab, then try again.')
  if (status === 403) return new Failed('You do not have permission for this.')
  if (status === 413) return new Failed('This is larger than the server takes.')
  return new Failed(`The server answered ${status}. Try again in a moment.`)
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init, headers: { accept: 'application/json', 'x-csrf-token': token(), ...init.headers } })
  } catch {
    throw new Failed('The server cannot be reached. Check the connection and try again.')
  }
  const text = await response.text()
  if (!response.ok) throw reason(response.status, text)
  return (text === '' ? {} : JSON.parse(text)) as T
}

function post<T>(path: string, body: unknown): Promise<T> {
  return ask<T>(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
}

export const api = {
  publish: (page: string, message: string, minor_edit: boolean) => post<{ version: number; url: string }>(`/api/pages/${page}/publish`, { message, minor_edit }),
  discard: (page: string) => post<unknown>(`/api/pages/${page}/discard`, {}),
  authors: (page: string) => ask<Authors>(`/api/pages/${page}/authors`),
  searchPages: (q: string, space: string) => ask<FoundPage[]>(`/api/search?q=${encodeURIComponent(q)}&space=${encodeURIComponent(space)}&limit=8`),
  searchUsers: (q: string) => ask<FoundUser[]>(`/api/users?q=${encodeURIComponent(q)}`),
  render: (page_id: number, storage: string) => post<{ html: string }>('/api/render', { page_id, storage }),
}

/** Sends a file to the page's attachments; `onProgress` gets 0 to 1. */
export function upload(page: string, file: File, onProgress: (part: number) => void): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const form = new FormData()
    form.append('file', file, file.name)
    request.open('POST', `/api/pages/${page}/attachments`)
    request.setRequestHeader('x-csrf-token', token())
    request.setRequestHeader('accept', 'application/json')
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0)
    request.onerror = () => reject(new Failed('The server cannot be reached.'))
    request.onload = () => {
      if (request.status < 200 || request.status > 299) return reject(reason(request.status, request.responseText))
      const [first] = JSON.parse(request.responseText) as Attachment[]
      return first ? resolve(first) : reject(new Failed('The server did not keep the file.'))
    }
    request.send(form)
  })
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

/** Asks the server to merge edits of one client id from before the document was replaced. [CLIENT-7] */
export async function mergeOld(page: string, edits: StoredEdit[]): Promise<Salvaged> {
  const [first] = edits
  if (!first) return 'merged'
  const body = { epoch: first.epoch, client_id: first.clientId, proof: hex(first.proof), updates: edits.map(({ update }) => base64(update)) }
  let status: number
  try {
    const response = await fetch(`/api/pages/${page}/offline-edits`, {
      method: 'POST', credentials: 'same-origin', body: JSON.stringify(body),
      headers: { accept: 'application/json', 'content-type': 'application/json', 'x-csrf-token': token() },
    })
    status = response.status
  } catch {
    return 'later'
  }
  if (status >= 200 && status < 300) return 'merged'
  // Not answered for now, or signed out: asked again later.
  return status >= 500 || status === 429 || status === 401 ? 'later' : 'refused'
}

/** The breadcrumbs of the page at this address, as the server draws them. */
export async function crumbsAt(url: string): Promise<Element | null> {
  try {
    const response = await fetch(url, { credentials: 'same-origin' })
    if (!response.ok) return null
    return new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('.toolbar .crumbs')
  } catch {
    return null
  }
}
