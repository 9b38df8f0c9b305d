// Whose the text of a live document is, by client id and clock.

/** Whose the client ids of a live document are. */
export interface Authors {
  people: { user: string; name: string }[]
  /** Client id -> index of its person. */
  clients: Record<string, number>
  /** The text with which the live document began: runs of clock, UTF-16 units, index of a person. */
  origin: { client_id: number; runs: [number, number, number | null][] } | null
}

/** Who wrote units of text with this client id from this clock on, cut where the author changes. */
export function writers(authors: Authors, client: number, clock: number, units: number): { units: number; by: number }[] {
  if (authors.origin?.client_id !== client) return [{ units, by: authors.clients[String(client)] ?? -1 }]
  const pieces: { units: number; by: number }[] = []
  let at = clock
  const end = clock + units
  for (const [start, length, by] of authors.origin.runs) {
    if (start + length <= at) continue
    if (start > at || at >= end) break
    const taken = Math.min(end, start + length) - at
    pieces.push({ units: taken, by: by ?? -1 })
    at += taken
  }
  if (at < end) pieces.push({ units: end - at, by: -1 })
  return pieces
}
