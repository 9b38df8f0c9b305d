// Where edits wait on this device until the server has them, and text that could not be sent until its author has it.

/** One edit, made by one client id of one document and user. */
export interface StoredEdit {
  key: string
  /** Edits are sent in this order. */
  order: number
  epoch: number
  clientId: number
  proof: Uint8Array
  update: Uint8Array
  /** How many changes of the author it holds. */
  changes: number
}

/** Text that was set aside when its document went away. */
export interface KeptText {
  key: string
  text: string
  at_ms: number
}

/** The device's memory of one document and user. Every promise settles after the data is durable. */
export interface EditStore {
  edits(): Promise<StoredEdit[]>
  keep(edit: StoredEdit): Promise<void>
  forget(keys: string[]): Promise<void>
  texts(): Promise<KeptText[]>
  keepText(text: KeptText): Promise<void>
  forgetText(key: string): Promise<void>
}

const DATABASE = 'watersmeet'
const EDITS = 'edits'
const TEXTS = 'texts'

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => {
      for (const name of [EDITS, TEXTS]) request.result.createObjectStore(name, { keyPath: 'key' }).createIndex('scope', 'scope')
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('the store is blocked by another tab'))
  })
}

/** IndexedDB. Several tabs may use it at once: each edit has its own row. */
export class DeviceStore implements EditStore {
  private database: Promise<IDBDatabase> | null = null

  constructor(private readonly scope: string) {}

  edits(): Promise<StoredEdit[]> {
    return this.all<StoredEdit>(EDITS)
  }

  keep(edit: StoredEdit): Promise<void> {
    return this.change(EDITS, (store) => store.put({ ...edit, scope: this.scope }))
  }

  forget(keys: string[]): Promise<void> {
    return this.change(EDITS, (store) => keys.forEach((key) => store.delete(key)))
  }

  texts(): Promise<KeptText[]> {
    return this.all<KeptText>(TEXTS)
  }

  keepText(text: KeptText): Promise<void> {
    return this.change(TEXTS, (store) => store.put({ ...text, scope: this.scope }))
  }

  forgetText(key: string): Promise<void> {
    return this.change(TEXTS, (store) => store.delete(key))
  }

  private open(): Promise<IDBDatabase> {
    this.database ??= opened()
    return this.database
  }

  private async all<T>(name: string): Promise<T[]> {
    const database = await this.open()
    return new Promise((resolve, reject) => {
      const request = database.transaction(name).objectStore(name).index('scope').getAll(this.scope)
      request.onsuccess = () => resolve(request.result as T[])
      request.onerror = () => reject(request.error)
    })
  }

  private async change(name: string, action: (store: IDBObjectStore) => unknown): Promise<void> {
    const database = await this.open()
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(name, 'readwrite', { durability: 'strict' })
      action(transaction.objectStore(name))
      transaction.oncomplete = () => resolve()
      transaction.onabort = transaction.onerror = () => reject(transaction.error)
    })
  }
}
