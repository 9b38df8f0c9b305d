// Who else is here. Identity comes from the server; a client sets only its own blob. [PRES-1]
import type { PresenceChange } from './frames'

export interface Person {
  connectionId: number
  user: string
  name: string
  /** 0 to 359. */
  hue: number
  blob: Uint8Array
}

function identity(json: string): { user: string; name: string; hue: number } {
  try {
    const value = JSON.parse(json) as { user?: unknown; name?: unknown; hue?: unknown }
    const user = String(value.user ?? '')
    return { user, name: String(value.name ?? user), hue: Number(value.hue) || 0 }
  } catch {
    return { user: '', name: '', hue: 0 }
  }
}

export class Roster {
  private readonly people = new Map<number, Person>()
  /** Connections of this page, which are not shown: the present one, and one that it has changed over from. */
  private readonly mine = new Set<number>()

  set own(connectionId: number) {
    this.mine.add(connectionId)
  }

  apply(changes: PresenceChange[]): void {
    for (const change of changes) {
      const { connectionId } = change
      if (change.kind === 'gone') this.people.delete(connectionId)
      else if (change.kind === 'joined') this.people.set(connectionId, { connectionId, ...identity(change.identity), blob: change.blob })
      else {
        const person = this.people.get(connectionId)
        if (person) this.people.set(connectionId, { ...person, blob: change.blob })
      }
    }
  }

  clear(): void {
    this.people.clear()
  }

  /** Everybody else, in the order in which they came. */
  get others(): Person[] {
    return [...this.people.values()].filter((person) => !this.mine.has(person.connectionId))
  }
}
