// Edits of an epoch that is over.
import type { StoredEdit } from './store'

/** `later`: the server could not be asked; the edits stay on the device. */
export type Salvaged = 'merged' | 'refused' | 'later'

/** Asks the server to merge edits of one epoch and client id; never rejects. */
export type MergeOld = (edits: StoredEdit[]) => Promise<Salvaged>

/** Edits by epoch and client id, each group in the order in which its edits were made. */
export function byAuthor(edits: StoredEdit[]): StoredEdit[][] {
  const groups = new Map<string, StoredEdit[]>()
  for (const edit of edits) {
    const name = `${edit.epoch}:${edit.clientId}`
    groups.set(name, [...(groups.get(name) ?? []), edit])
  }
  return [...groups.values()]
}
