import { type Browser, expect, test } from "@playwright/test";
import { Person, agreed } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { type Database, WikiServer } from "../support/server.js";

const ROUNDS = 20;
const CLIENTS = 4;

/** A client that types numbered words and notes which of them its screen has shown as "Saved". */
class Typist {
  private next = 0;
  private durable = 0;

  constructor(
    readonly person: Person,
    private readonly letter: string,
  ) {}

  /** Types until told to stop; after each word it looks at the status that a person would look at. */
  async run(stop: () => boolean): Promise<void> {
    while (!stop()) {
      const word = this.next;
      await this.person.type(`${this.word(word)} `);
      this.next = word + 1;
      // Read after the word was typed: what is shown as saved now includes it. After every second word the typist looks up
      // until it is, as people do; the plug is pulled at any moment all the same.
      let shown = await this.person.status.textContent();
      while (word % 2 === 1 && shown !== "Saved" && !stop()) shown = await this.person.status.textContent();
      if (shown === "Saved") this.durable = this.next;
    }
  }

  /** Words whose keys were pressed. */
  typed(): string[] {
    return Array.from({ length: this.next }, (_, index) => this.word(index));
  }

  /** Words that the screen has shown as saved. */
  saved(): string[] {
    return this.typed().slice(0, this.durable);
  }

  /** No word is part of another, nor of two that stand together. */
  private word(index: number): string {
    return `${this.letter}${index}${this.letter}`;
  }
}

function occurrences(text: string, word: string): number {
  return text.split(word).length - 1;
}

async function typists(browser: Browser, server: WikiServer, path: string, round: number): Promise<Typist[]> {
  const all: Typist[] = [];
  for (let client = 0; client < CLIENTS; client++) {
    const person = await Person.logIn(browser, server);
    await person.edit(path);
    await person.caretAfter(`Bed ${client + 1}:`);
    await person.type(" ");
    all.push(new Typist(person, `${String.fromCharCode(97 + client)}${round}x`));
  }
  return all;
}

/** All type while the plug is pulled at a moment nobody chose; typing goes on a little against the dead server. */
async function pullThePlug(server: WikiServer, all: Typist[]): Promise<void> {
  let stop = false;
  const typing = Promise.all(all.map((typist) => typist.run(() => stop)));
  const moment = 300 + Math.random() * 1_200;
  await all[0]!.person.page.waitForTimeout(moment);
  await server.kill();
  stop = true;
  await typing;
}

async function reconnects(server: WikiServer, all: Typist[]): Promise<void> {
  await server.start();
  for (const typist of all) await typist.person.saved();
  const text = await agreed(all.map((typist) => typist.person));
  for (const typist of all) {
    for (const word of typist.typed()) expect(occurrences(text, word), `${word} after reconnecting`).toBe(1);
  }
}

async function freshBrowserSees(browser: Browser, server: WikiServer, path: string, all: Typist[]): Promise<void> {
  // The typists are gone before the server is back: nobody can send anything again, only the disk remembers.
  for (const typist of all) await typist.person.close();
  await server.start();
  const reader = await Person.logIn(browser, server);
  await reader.edit(path);
  const text = await reader.text();
  for (const typist of all) {
    for (const word of typist.saved()) expect(occurrences(text, word), `${word} was shown as saved`).toBe(1);
  }
  await reader.close();
}

for (const kind of ["sqlite", "postgres"] as Database[]) {
  test(`kill -9 while four people type loses nothing shown as "Saved" (${kind})`, async ({ browser }) => {
    test.setTimeout(600_000);
    const server = await WikiServer.withAdministrator(kind);
    try {
      const path = await garden(server);
      let sawSaved = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const all = await typists(browser, server, path, round);
        await pullThePlug(server, all);
        sawSaved += all.reduce((sum, typist) => sum + typist.saved().length, 0);
        if (round % 2 === 0) {
          await reconnects(server, all);
          for (const typist of all) await typist.person.close();
        } else {
          await freshBrowserSees(browser, server, path, all);
        }
      }
      // The proof is worth something only if words were on disk when the plug was pulled.
      expect(sawSaved).toBeGreaterThan(ROUNDS);
    } finally {
      await server.remove();
    }
  });
}
