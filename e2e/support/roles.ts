import { WikiServer } from "./server.js";

/** The wiki and the sync engine as two processes over one PostgreSQL, each at an address of its own. */
export class TwoProcesses {
  private constructor(
    readonly wiki: WikiServer,
    readonly sync: WikiServer,
  ) {}

  /** Both running, with the administrator `ann` and the person `ben`. */
  static async start(...wikiFlags: string[]): Promise<TwoProcesses> {
    const wiki = await WikiServer.create("postgres");
    const sync = await wiki.beside();
    const both = new TwoProcesses(wiki, sync);
    sync.publicUrl = wiki.url;
    sync.flags = ["--role", "sync", "--sync-port", new URL(sync.url).port];
    wiki.flags = ["--role", "wiki", "--sync-internal-url", `${sync.url}/synchrony`, "--sync-service-url", `${sync.url}/synchrony/v1`, ...wikiFlags];
    await wiki.addUser("ann", "Ann Lee", "--admin");
    await wiki.addUser("ben", "Ben Okri");
    await sync.start();
    await wiki.start();
    return both;
  }

  async remove(): Promise<void> {
    await this.sync.kill();
    await this.wiki.remove();
  }
}
