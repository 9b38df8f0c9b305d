import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type Browser, expect, test } from "@playwright/test";
import { Cluster } from "../support/cluster.js";
import { Person, agreed } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { type Database, WikiServer } from "../support/server.js";
import { SmallDisk } from "../support/small-disk.js";

const ROUNDS = 2;
const PIECE_BYTES = 16 * 1024;
const PIECES_MAX = 40;

function occurrences(text: string, word: string): number {
  return text.split(word).length - 1;
}

/** Waits until what was typed last is on disk, or until the server has said again that the disk is full. */
async function isSaved(person: Person, server: WikiServer): Promise<boolean> {
  const before = refusals(server);
  let saved = false;
  await expect(async () => {
    saved = (await person.status.textContent()) === "Saved";
    expect(saved || refusals(server) > before).toBe(true);
  }).toPass({ timeout: 30_000 });
  return saved;
}

/** How often the server has said that there is no space. */
function refusals(server: WikiServer): number {
  return occurrences(server.printed(), "could not be committed");
}

/** Writes until the disk takes no more: what still finds room in what the database holds already is saved, and rightly so. */
async function typeUntilNothingIsSaved(person: Person, server: WikiServer, round: number): Promise<string[]> {
  const words: string[] = [];
  for (let piece = 0; piece < PIECES_MAX; piece++) {
    const word = `piece${round}x${piece}x`;
    words.push(word);
    await person.page.keyboard.insertText(`${word} ${randomBytes(PIECE_BYTES / 2).toString("hex")} `);
    if (!(await isSaved(person, server))) return words;
  }
  throw new Error("the disk never got full");
}

/** Reading goes on: a page, the status, for one who is logged in. */
async function reads(person: Person, server: WikiServer, path: string): Promise<void> {
  for (const address of [path, "/status"]) {
    const answer = await person.context.request.get(server.url + address);
    expect(answer.status(), address).toBe(200);
  }
  const tab = await person.context.newPage();
  await tab.goto(server.url + path);
  await expect(tab.getByRole("heading", { name: "Garden" }).first()).toBeVisible();
  await tab.close();
}

async function fullAndFreeAgain(disk: SmallDisk, server: WikiServer, path: string, ann: Person, bob: Person, round: number): Promise<string[]> {
  disk.fill();
  const words = await typeUntilNothingIsSaved(ann, server, round);
  const lost = words.at(-1)!;
  // Both go on typing; nobody is shown what is not on disk, and nobody is told that it is.
  await bob.type(`bob${round}b `);
  await ann.type(`ann${round}a `);
  words.push(`bob${round}b`, `ann${round}a`);
  await reads(bob, server, path);
  await expect(ann.status).not.toHaveText("Saved");
  expect(await bob.text()).not.toContain(lost);
  disk.free();
  // Without a reload; the pauses between two attempts have grown by now.
  for (const person of [ann, bob]) await expect(person.status).toHaveText("Saved", { timeout: 60_000 });
  return words;
}

async function freshBrowserSees(browser: Browser, server: WikiServer, path: string, words: string[]): Promise<void> {
  const reader = await Person.logIn(browser, server);
  await reader.edit(path);
  const text = await reader.text();
  for (const word of words) expect(occurrences(text, word), word).toBe(1);
  await reader.close();
}

async function start(kind: Database, disk: SmallDisk): Promise<{ server: WikiServer; cluster: Cluster | undefined }> {
  const cluster = kind === "postgres" ? await Cluster.create(disk) : undefined;
  const server = await WikiServer.at(join(disk.folder, "data"), cluster?.url, disk.inside);
  await server.addUser("ann", "Ann Lee", "--admin");
  return { server, cluster };
}

for (const kind of ["sqlite", "postgres"] as Database[]) {
  test(`[LOG-3] [LOG-10] while the disk is full reading goes on and nothing is lost, and then all is saved (${kind})`, async ({ browser }) => {
    test.setTimeout(300_000);
    const disk = await SmallDisk.create(kind === "postgres" ? 160 : 64);
    const { server, cluster } = await start(kind, disk);
    try {
      const path = await garden(server);
      await server.start();
      const [ann, bob] = [await Person.logIn(browser, server), await Person.logIn(browser, server)];
      const words = ["before1x"];
      for (const [n, person] of [ann, bob].entries()) {
        await person.edit(path);
        await person.caretAfter(`Bed ${n + 1}:`);
        await person.type(" ");
      }
      await ann.type("before1x ");
      await ann.saved();
      for (let round = 0; round < ROUNDS; round++) words.push(...(await fullAndFreeAgain(disk, server, path, ann, bob, round)));
      const text = await agreed([ann, bob]);
      for (const word of words) expect(occurrences(text, word), word).toBe(1);
      await ann.close();
      await bob.close();
      await freshBrowserSees(browser, server, path, words);
      await server.kill();
      const checked = await server.cli(["check"]);
      expect(checked.code, checked.stdout + checked.stderr).toBe(0);
      await server.start();
      await freshBrowserSees(browser, server, path, words);
    } finally {
      await server.kill();
      cluster?.stop();
      disk.remove();
    }
  });
}

test("[LOG-3] [LOG-10] PostgreSQL that stops because its write-ahead log has no space loses nothing, and is found again", async ({ browser }) => {
  test.setTimeout(300_000);
  const disk = await SmallDisk.create(160);
  const cluster = await Cluster.create(disk, true);
  const server = await WikiServer.at(join(disk.folder, "data"), cluster.url, disk.inside);
  try {
    await server.addUser("ann", "Ann Lee", "--admin");
    const path = await garden(server);
    await server.start();
    const ann = await Person.logIn(browser, server);
    await ann.edit(path);
    await ann.caretAfter("Bed 1:");
    disk.fill();
    const words = [...(await typeUntilNothingIsSaved(ann, server, 0))];
    await cluster.exhaustLog();
    expect(cluster.runs()).toBe(false);
    disk.free();
    cluster.start();
    await expect(ann.status).toHaveText("Saved", { timeout: 60_000 });
    await ann.close();
    await freshBrowserSees(browser, server, path, words);
    await server.kill();
    const checked = await server.cli(["check"]);
    expect(checked.code, checked.stdout + checked.stderr).toBe(0);
  } finally {
    await server.kill();
    cluster.stop();
    disk.remove();
  }
});
