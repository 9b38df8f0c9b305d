import { type Browser, expect, test } from "@playwright/test";
import { Person, agreed } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { TwoProcesses } from "../support/roles.js";

let both: TwoProcesses;
let path: string;
let ann: Person;
let ben: Person;

test.beforeAll(async ({ browser }) => {
  both = await TwoProcesses.start();
  path = await garden(both.wiki);
  ann = await Person.logIn(browser, both.wiki, "ann");
  ben = await Person.logIn(browser, both.wiki, "ben");
  // The address that old ones lead to: it keeps what is asked for behind it.
  await ann.read(path);
  path = new URL(ann.page.url()).pathname;
  await everybody("may edit");
});

test.afterEach(async () => {
  for (const person of [ann, ben]) {
    if (person.page.url().startsWith(both.wiki.url)) await person.page.evaluate(() => localStorage.clear());
    await person.page.goto("about:blank");
  }
});

test.afterAll(async () => {
  await ann.close();
  await ben.close();
  await both.remove();
});

/** Gives everybody a right in the space, or only that to read. */
async function everybody(right: "may read" | "may edit", by: Person = ann): Promise<void> {
  await by.read("/spaces/GARDEN/settings");
  await by.page.getByLabel("Right", { exact: true }).selectOption({ label: right });
  await by.page.getByRole("button", { name: "Give", exact: true }).click();
  await expect(by.page.getByText("Saved.")).toBeVisible();
}

/** The word in the presence bar for the way that a person's changes take. */
function way(person: Person) {
  return person.page.getByRole("button", { name: /^Connection: / });
}

/** Types numbered words until told to stop, and gives them. */
function typing(person: Person, letter: string): { stop(): Promise<string[]>; count(): number } {
  const words: string[] = [];
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const word = `${letter}${words.length}${letter}`;
      words.push(word);
      await person.type(`${word} `);
    }
  })();
  return {
    count: () => words.length,
    stop: async () => {
      isOver = true;
      await running;
      return words;
    },
  };
}

/** Waits until so many more words were typed. */
async function further(typist: { count(): number }, words: number): Promise<void> {
  const goal = typist.count() + words;
  await expect.poll(() => typist.count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(goal);
}

function expectOnce(text: string, words: string[]): void {
  for (const word of words) expect(text.split(word).length - 1, word).toBe(1);
}

const WAYS: [query: string, shown: RegExp][] = [
  ["?transport=websocket&path=direct", /Direct/],
  ["?transport=websocket&path=proxy", /Through the internal proxy/],
  ["?transport=event-stream&path=direct", /Event stream/],
  ["?transport=event-stream&path=proxy", /Event stream/],
  ["?transport=long-poll&path=direct", /Long poll/],
  ["?transport=long-poll&path=proxy", /Long poll/],
];

for (const [index, [query, shown]] of WAYS.entries()) {
  test(`two people write together over two processes with ${query} [ROLE-8]`, async () => {
    await ann.edit(`${path}${query}`);
    await ben.edit(`${path}${query}`);
    await expect(way(ann)).toHaveAccessibleName(shown);
    await expect(way(ben)).toHaveAccessibleName(shown);
    await ann.caretAfter("Bed 1: beans");
    await ben.caretAfter("Bed 2: carrots");
    await Promise.all([ann.type(` <ann${index}>`), ben.type(` <ben${index}>`)]);
    await expect(ann.body).toContainText(`<ben${index}>`);
    expectOnce(await agreed([ann, ben]), [`<ann${index}>`, `<ben${index}>`]);
    await ann.saved();
    await ben.saved();
  });
}

for (const [index, query] of ["?path=direct", "?path=proxy"].entries()) {
  test(`the engine is killed and comes back under typing, nothing is lost or doubled, ${query} [ROLE-10]`, async () => {
    await ann.edit(`${path}${query}`);
    await ben.edit(`${path}${query}`);
    await ann.caretAfter("Bed 3: onions");
    await ben.caretAfter("Bed 4:");
    const [left, right] = [typing(ann, `ka${index}x`), typing(ben, `kb${index}x`)];
    await further(left, 6);
    await both.sync.kill();
    await further(left, 4);
    // Reading goes on meanwhile.
    const page = await ann.context.request.get(`${both.wiki.url}${path}`);
    expect(page.status()).toBe(200);
    await both.sync.start();
    await further(right, 6);
    const words = [...(await left.stop()), ...(await right.stop())];
    await expect(ann.status).toHaveText("Saved", { timeout: 40_000 });
    await expect(ben.status).toHaveText("Saved", { timeout: 40_000 });
    expectOnce(await agreed([ann, ben]), words);
  });

  test(`the wiki is killed and comes back under typing, nothing is lost or doubled, ${query} [ROLE-10]`, async () => {
    await ann.edit(`${path}${query}`);
    await ben.edit(`${path}${query}`);
    await ann.caretAfter("Bed 3: onions");
    await ben.caretAfter("Bed 4:");
    const [left, right] = [typing(ann, `wa${index}x`), typing(ben, `wb${index}x`)];
    await further(left, 6);
    await both.wiki.kill();
    await further(left, 6);
    await both.wiki.start();
    await further(right, 6);
    const words = [...(await left.stop()), ...(await right.stop())];
    await expect(ann.status).toHaveText("Saved", { timeout: 40_000 });
    await expect(ben.status).toHaveText("Saved", { timeout: 40_000 });
    expectOnce(await agreed([ann, ben]), words);
  });
}

test("a publish in the wiki's process reaches editors in the engine's, and holds everybody's words [ROLE-1]", async ({ browser }) => {
  await ann.edit(path);
  await ben.edit(path);
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" <published>");
  await expect(ben.body).toContainText("<published>");
  await ann.saved();
  const other = await Person.logIn(browser, both.wiki, "ann");
  await other.edit(path);
  const told = expect(ben.page.getByText(/published version \d+/)).toBeVisible();
  await other.publish("for all");
  await told;
  await ben.read(path);
  await expect(ben.page.getByRole("main")).toContainText("<published>");
  await other.close();
});

test("a right taken away in the wiki's process reaches the engine's within a second [ROLE-1]", async ({ browser }) => {
  await ben.edit(path);
  await ben.caretAfter("Bed 2: carrots");
  await ben.type(" <kept>");
  await ben.saved();
  const admin = await Person.logIn(browser, both.wiki, "ann");
  await admin.read("/spaces/GARDEN/settings");
  await admin.page.getByLabel("Right", { exact: true }).selectOption({ label: "may read" });
  const taken = admin.page.waitForResponse((response) => response.request().method() === "POST");
  await admin.page.getByRole("button", { name: "Give", exact: true }).click();
  await taken;
  await expect(ben.body).toHaveAttribute("contenteditable", "false", { timeout: 1_000 });
  await everybody("may edit", admin);
  await expect(ben.body).toHaveAttribute("contenteditable", "true");
  await admin.close();
});

test("while the engine is down pages are read and commented, and it says so where editors ask [ROLE-10]", async () => {
  await ann.read(path);
  const id = /\/pages\/(\d+)/.exec(path)?.[1];
  const connection = async () => (await ann.context.request.get(`${both.wiki.url}/api/pages/${id}/connection`)).json();
  expect((await connection()).sync).not.toBe("down");
  await both.sync.kill();
  try {
    await expect.poll(async () => (await connection()).sync, { timeout: 5_000 }).toBe("down");
    await ann.read(path);
    await expect(ann.page.getByRole("main")).toContainText("Bed 1: beans");
    await ann.page.getByLabel("Add a comment").fill("Written while the engine is down.");
    await ann.page.getByRole("button", { name: "Comment", exact: true }).click();
    await expect(ann.page.getByText("Written while the engine is down.")).toBeVisible();
  } finally {
    await both.sync.start();
  }
  await expect.poll(async () => (await connection()).sync, { timeout: 5_000 }).not.toBe("down");
});

test("with the internal proxy off its path is 404 and no browser tries it [ROLE-8]", async ({ browser }) => {
  const alone = await TwoProcesses.start("--sync-proxy", "off");
  try {
    const page = await garden(alone.wiki);
    const person = await tracked(browser, alone);
    await person.who.edit(page);
    await person.who.caretAfter("Bed 1: beans");
    await person.who.type(" <direct>");
    await person.who.saved();
    await alone.sync.kill();
    await expect(person.who.status).toHaveText(/^Offline/, { timeout: 30_000 });
    await alone.sync.start();
    await expect(person.who.status).toHaveText("Saved", { timeout: 40_000 });
    expect(person.asked.filter((url) => url.includes("synchrony-proxy"))).toEqual([]);
    const answer = await person.who.context.request.get(`${alone.wiki.url}/synchrony-proxy/heartbeat`);
    expect(answer.status()).toBe(404);
    await person.who.close();
  } finally {
    await alone.remove();
  }
});

/** A person whose browser's requests are noted. */
async function tracked(browser: Browser, where: TwoProcesses): Promise<{ who: Person; asked: string[] }> {
  const who = await Person.logIn(browser, where.wiki, "ann");
  const asked: string[] = [];
  who.page.on("request", (request) => asked.push(request.url()));
  who.page.on("websocket", (socket) => asked.push(socket.url()));
  return { who, asked };
}
