import { type Browser, expect, test } from "@playwright/test";
import { Person, agreed } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { type Hostility, HostileProxy } from "../support/hostile-proxy.js";
import { WikiServer } from "../support/server.js";

let proxy: HostileProxy;
let server: WikiServer;
let path: string;
let ann: Person;
let ben: Person;

/** One server and two people for the whole file; every test writes words of its own into the same page. */
test.beforeAll(async ({ browser }) => {
  proxy = await HostileProxy.create();
  server = await WikiServer.create();
  server.publicUrl = proxy.url;
  proxy.standBefore(server.url);
  await server.addUser("ann", "Ann Lee", "--admin");
  await server.addUser("ben", "Ben Okri");
  await server.start();
  path = await garden(server);
  ann = await logIn(browser, "ann");
  ben = await logIn(browser, "ben");
  // The address that old ones lead to: it keeps what is asked for behind it.
  await ann.read(path);
  path = new URL(ann.page.url()).pathname;
});

test.afterEach(async () => {
  proxy.become({});
  for (const person of [ann, ben]) {
    if (person.page.url().startsWith(proxy.url)) await person.page.evaluate(() => localStorage.clear());
    await person.page.goto("about:blank");
  }
});

test.afterAll(async () => {
  await ann.close();
  await ben.close();
  await proxy.close();
  await server.remove();
});

async function logIn(browser: Browser, name: string): Promise<Person> {
  return Person.logIn(browser, server, name, {}, proxy.url);
}

/** The word in the presence bar for the way that a person's changes take. */
function way(person: Person) {
  return person.page.getByRole("button", { name: /^Connection: / });
}

async function edit(person: Person, query = ""): Promise<void> {
  await person.edit(`${path}${query}`);
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
  ["?transport=event-stream", /Event stream/],
  ["?transport=long-poll", /Long poll/],
];

test("two people write together over each transport", async () => {
  for (const [index, [query, shown]] of WAYS.entries()) {
    await edit(ann, query);
    await edit(ben, query);
    await expect(way(ann)).toHaveAccessibleName(shown);
    await expect(way(ben)).toHaveAccessibleName(shown);
    await ann.caretAfter("Bed 1: beans");
    await ben.caretAfter("Bed 2: carrots");
    await Promise.all([ann.type(` <ann${index}>`), ben.type(` <ben${index}>`)]);
    const text = await agreed([ann, ben]);
    expectOnce(text, [`<ann${index}>`, `<ben${index}>`]);
    await ann.saved();
    await ben.saved();
  }
});

const PROXIES: [name: string, hostility: Partial<Hostility>, shown: RegExp][] = [
  ["strips Upgrade", { stripsUpgrade: true }, /Event stream/],
  ["strips Upgrade and buffers", { stripsUpgrade: true, buffers: true }, /Long poll/],
  ["strips Upgrade and forbids event streams", { stripsUpgrade: true, forbidsEventStreams: true }, /Long poll/],
  ["delays", { delay_ms: 150 }, /Direct \d{3} ms/],
  ["cuts every connection after some seconds", { cutsAfter_ms: 3000 }, /Direct/],
  ["cuts in the middle of frames", { dropsAfter_bytes: 15_000 }, /Direct/],
  ["cuts event streams in the middle of frames", { stripsUpgrade: true, dropsAfter_bytes: 15_000 }, /Event stream/],
];

for (const [index, [name, hostility, shown]] of PROXIES.entries()) {
  test(`two people write together through a proxy that ${name}`, async () => {
    await ann.read(path);
    await ben.read(path);
    // What cuts by the byte begins when the page is there: a page larger than any connection's share never would be.
    proxy.become({ ...hostility, dropsAfter_bytes: 0 });
    await ann.open();
    await ben.open();
    proxy.become(hostility);
    await expect(way(ann)).toHaveAccessibleName(shown);
    await ann.caretAfter("Bed 3: onions");
    await ben.caretAfter("Bed 4:");
    const [left, right] = [typing(ann, `a${index}x`), typing(ben, `b${index}x`)];
    await further(left, 8);
    await further(right, 8);
    const words = [...(await left.stop()), ...(await right.stop())];
    await ann.saved();
    await ben.saved();
    expectOnce(await agreed([ann, ben]), words);
  });
}

test("changing over to a better way while typing loses and doubles nothing", async () => {
  await ann.read(path);
  await ben.read(path);
  proxy.become({ stripsUpgrade: true });
  await ann.open();
  await ben.open();
  await expect(way(ann)).toHaveAccessibleName(/Event stream/);
  await ann.caretAfter("Bed 1: beans");
  await ben.caretAfter("Bed 2: carrots");
  const [left, right] = [typing(ann, "oax"), typing(ben, "obx")];
  await further(left, 10);
  proxy.become({});
  await expect(way(ann)).toHaveAccessibleName(/Direct/, { timeout: 30_000 });
  await expect(way(ben)).toHaveAccessibleName(/Direct/, { timeout: 30_000 });
  await further(left, 10);
  const words = [...(await left.stop()), ...(await right.stop())];
  await ann.saved();
  await ben.saved();
  expectOnce(await agreed([ann, ben]), words);
});

test("connections that are cut while people type lose and double nothing", async () => {
  await edit(ann);
  await edit(ben, "?transport=event-stream");
  await ann.caretAfter("Bed 1: beans");
  await ben.caretAfter("Bed 2: carrots");
  const [left, right] = [typing(ann, "cax"), typing(ben, "cbx")];
  for (let cuts = 0; cuts < 4; cuts += 1) {
    await further(left, 6);
    proxy.cut();
  }
  await further(right, 6);
  const words = [...(await left.stop()), ...(await right.stop())];
  await ann.saved();
  await ben.saved();
  expectOnce(await agreed([ann, ben]), words);
});

test("the presence bar says why no better way is used", async () => {
  await ann.read(path);
  proxy.become({ stripsUpgrade: true, buffers: true });
  await ann.open();
  await way(ann).click();
  const about = ann.page.getByRole("dialog", { name: "Connection" });
  await expect(about).toContainText("WebSocket did not answer at /synchrony; a proxy in between may not forward it.");
  await expect(about).toContainText(/Event stream .*(did not answer|arrives late)/);
});
