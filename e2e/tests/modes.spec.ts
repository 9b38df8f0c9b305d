import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";
import { Person, agreed } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { HostileProxy } from "../support/hostile-proxy.js";
import { WikiServer } from "../support/server.js";

const ADMIN = "/admin/collaborative-editing";

let proxy: HostileProxy;
let server: WikiServer;
let path: string;
let id: string;
let ann: Person;
let ben: Person;
/** The administrator, nearer to the server than those who write. */
let root: Person;

/** One server and three people for the whole file; every test writes words of its own into the same page. */
test.beforeAll(async ({ browser }) => {
  proxy = await HostileProxy.create();
  server = await WikiServer.create();
  server.publicUrl = proxy.url;
  proxy.standBefore(server.url);
  await server.addUser("root", "Rosa Root", "--admin");
  await server.addUser("ann", "Ann Lee", "--admin");
  await server.addUser("ben", "Ben Okri");
  await server.start();
  path = await garden(server);
  ann = await Person.logIn(browser, server, "ann", {}, proxy.url);
  ben = await Person.logIn(browser, server, "ben", {}, proxy.url);
  root = await Person.logIn(browser, server, "root");
  await ann.read(path);
  path = new URL(ann.page.url()).pathname;
  id = (await ann.page.locator("wm-page").getAttribute("data-page-id")) ?? "";
});

test.afterEach(async () => {
  proxy.become({});
  for (const person of [ann, ben, root]) await person.page.goto("about:blank");
});

test.afterAll(async () => {
  for (const person of [ann, ben, root]) await person.close();
  await proxy.close();
  await server.remove();
});

async function setMode(mode: "On" | "Read-only" | "Off, one at a time"): Promise<void> {
  await root.read(ADMIN);
  await root.page.getByRole("radio", { name: new RegExp(`^${mode} `) }).check();
  await root.page.getByRole("button", { name: "Change the mode" }).click();
  await expect(root.page.getByText("Saved. Open editors have been told.")).toBeVisible();
}

async function expectWriting(person: Person, can: boolean): Promise<void> {
  await expect(person.body).toHaveAttribute("contenteditable", String(can));
}

async function axe(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const lines = found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" | ")}`);
  expect(lines, page.url()).toEqual([]);
}

/** The same page in light and in dark. */
async function axeInBoth(person: Person, address: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await person.page.emulateMedia({ colorScheme });
    await person.read(address);
    await axe(person.page);
  }
  await person.page.emulateMedia({ colorScheme: null });
}

test("the modes reach open editors, and no word is lost on the way through all of them", async () => {
  await ann.edit(path);
  await ben.edit(path);
  await ann.caretAfter("Bed 1: beans");
  await ben.caretAfter("Bed 2: carrots");
  await ann.type(" one-ann");
  await ben.type(" one-ben");
  await ann.saved();
  await ben.saved();
  await expect(ann.body).toContainText("one-ben");

  // Read-only, while the last words are on their way.
  proxy.become({ delay_ms: 1500 });
  await ben.type(" on-the-way");
  await setMode("Read-only");
  for (const person of [ann, ben]) {
    await expect(person.page.locator(".editor-strip")).toContainText(/read-only/i);
    await expectWriting(person, false);
  }
  const unsent = ben.page.getByRole("region", { name: "Unsent text" });
  await expect(unsent).toBeVisible();
  proxy.become({});
  await ann.body.click();
  await ann.type("typed-in-vain");
  for (const person of [ann, ben]) {
    await expect(person.body).toContainText("one-ann");
    await expect(person.body).toContainText("one-ben");
    await expect(person.body).not.toContainText("typed-in-vain");
  }

  // Off: one writes, the other asks, and the writer hands over.
  await setMode("Off, one at a time");
  await expect(async () => {
    const both = await Promise.all([ann, ben].map((person) => person.body.getAttribute("contenteditable")));
    expect(both.filter((can) => can === "true").length).toBe(1);
  }).toPass({ timeout: 10_000 });
  const [holder, other] = (await ann.body.getAttribute("contenteditable")) === "true" ? [ann, ben] : [ben, ann];
  const names = { ann: "Ann Lee", ben: "Ben Okri" } as Record<string, string>;
  await holder.caretAfter("Bed 3: onions");
  await holder.type(" two-holder");
  await expect(other.body).toContainText("two-holder");
  await expect(other.page.getByText(`${names[holder.name]} is editing`)).toBeVisible();
  await other.page.getByRole("button", { name: "Ask to edit" }).click();
  await expect(other.page.getByText("You have asked.")).toBeVisible();
  await holder.page.getByRole("button", { name: `Let ${names[other.name]} edit` }).click();
  await expectWriting(other, true);
  await expectWriting(holder, false);
  await expect(holder.page.getByText(`${names[other.name]} is editing`)).toBeVisible();
  await other.caretAfter("Bed 4:");
  await other.type(" two-other");
  await other.saved();
  await expect(holder.body).toContainText("two-other");

  // On: both write, and who has unsent text puts it back.
  await setMode("On");
  await expectWriting(holder, true);
  await expectWriting(other, true);
  await ben.caretAfter("Bed 2: carrots");
  await unsent.getByRole("button", { name: "View" }).click();
  await unsent.getByRole("button", { name: "Put back" }).click();
  await expect(unsent).toBeHidden();
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" three-ann");
  await ben.type(" three-ben");
  await ben.saved();
  await agreed([ann, ben]);
  await ann.publish();
  for (const word of ["one-ann", "one-ben", "on-the-way", "two-holder", "two-other", "three-ann", "three-ben"]) {
    await expect(ann.page.locator('[data-part="body"]')).toContainText(word);
  }
});

test("beyond the cap people watch, and a place that becomes free goes to who asked first", async ({ browser }) => {
  await server.stop();
  server.environment = { WATERSMEET_SYNC_WRITERS_MAX: "1" };
  await server.start();
  const cleo = await Person.logIn(browser, server, "root", {}, proxy.url);
  await ann.edit(path);
  await ben.edit(path);
  await cleo.edit(path);
  await expectWriting(ann, true);
  for (const person of [ben, cleo]) {
    await expectWriting(person, false);
    await expect(person.page.getByText("You watch live")).toBeVisible();
  }
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" cap-ann");
  await expect(cleo.body).toContainText("cap-ann");
  await cleo.page.getByRole("button", { name: "Ask to write" }).click();
  await expect(ann.page.getByText("Rosa Root asks to edit.")).toBeVisible();
  await ben.page.getByRole("button", { name: "Ask to write" }).click();
  await expect(ben.page.getByText("You have asked.")).toBeVisible();
  await ann.page.getByRole("button", { name: "Close", exact: true }).first().click();
  await expectWriting(cleo, true);
  await expectWriting(ben, false);
  await cleo.caretAfter("Bed 2: carrots");
  await cleo.type(" cap-cleo");
  await cleo.saved();
  await cleo.close();
  await expectWriting(ben, true);
  await expect(ben.body).toContainText("cap-cleo");
  await ben.page.goto("about:blank");
  await server.stop();
  server.environment = {};
  await server.start();
});

/** Runs the test of the paths and gives each line. */
async function testPaths(person: Person): Promise<string[]> {
  const button = person.page.locator("[data-path-test-start]");
  await button.click();
  await expect(button).toBeDisabled();
  await expect(button).toBeEnabled({ timeout: 40_000 });
  const lines = await person.page.locator(".path-steps li").allInnerTexts();
  return lines.map((line) => line.replaceAll(/\s+/g, " "));
}

test("the administrator sees who edits by which way, and tests the path", async () => {
  await ann.edit(`${path}?transport=websocket&path=direct`);
  await ben.edit(`${path}?transport=event-stream&path=proxy`);
  await root.read(ADMIN);
  const rows = root.page.getByRole("region", { name: "Connections" }).getByRole("row");
  await expect(rows.filter({ hasText: "Ann Lee" })).toHaveText(/Garden.*WebSocket.*direct.*\d ms/);
  await expect(rows.filter({ hasText: "Ben Okri" })).toHaveText(/event stream.*internal proxy.*\d ms/);

  // Through the proxy that stands in front, as those who write.
  await ann.read(ADMIN);
  const plain = await testPaths(ann);
  expect(plain.length).toBe(12);
  for (const line of plain) expect(line).toMatch(/^Works /);
  await axe(ann.page);
  proxy.become({ stripsUpgrade: true, buffers: true });
  const faults = (await testPaths(ann)).filter((line) => !line.startsWith("Works"));
  expect(faults.length).toBe(4);
  for (const line of faults) expect(line).toMatch(/^Fails (WebSocket refused: the proxy in front does not forward the upgrade|Event stream all events came at once)/);
  proxy.become({});

  await server.stop();
  server.environment = { WATERSMEET_SYNC_TRANSPORTS: "long-poll" };
  await server.start();
  await ann.read(ADMIN);
  const off = (await testPaths(ann)).filter((line) => !line.startsWith("Works"));
  expect(off.length).toBe(4);
  for (const line of off) expect(line).toMatch(/^Look (WebSocket|Event stream) switched off by the setting/);
  await server.stop();
  server.environment = {};
  await server.start();
  await axeInBoth(root, ADMIN);
});

test("the draft's history: an earlier state, one person's moments, and back to a moment in open editors", async () => {
  await ann.edit(path);
  await ben.edit(path);
  for (const [person, place, word] of [[ann, "Bed 1: beans", "<t-ann-1>"], [ben, "Bed 2: carrots", "<t-ben-1>"], [ann, "Bed 3: onions", "<t-ann-2>"], [ben, "Bed 4:", "<t-ben-2>"]] as const) {
    await person.caretAfter(place);
    await person.type(` ${word}`);
    await person.saved();
    await expect((person === ann ? ben : ann).body).toContainText(word);
  }
  await ann.page.getByRole("button", { name: "More actions" }).click();
  await ann.page.getByRole("menuitem", { name: "Who wrote this" }).click();
  const writers = ann.page.getByRole("dialog", { name: "Contributors to this page" });
  await expect(writers).toContainText("Ann Lee");
  await expect(writers).toContainText("Ben Okri");
  await writers.getByRole("button", { name: "Close" }).click();

  await root.read(`/content/${id}/draft`);
  const label = root.page.locator("[data-travel-label]");
  const body = root.page.locator("[data-travel-body]");
  const slider = root.page.getByRole("slider", { name: "Moment of the draft" });
  await expect(slider).toBeEnabled();
  await expect(label).toContainText("Ben Okri");
  await expect(body).toContainText("<t-ben-2>");
  await slider.focus();
  await root.page.keyboard.press("ArrowLeft");
  await expect(label).toContainText("Ann Lee");
  await expect(body).toContainText("<t-ann-2>");
  await expect(body).not.toContainText("<t-ben-2>");
  await root.page.getByRole("button", { name: "Ben Okri" }).click();
  await expect(label).toContainText("Ben Okri");
  for (const step of ["Earlier", "Later", "Earlier"]) {
    await root.page.getByRole("button", { name: step, exact: true }).click();
    await expect(label).toContainText("Ben Okri");
  }
  // The keyboard keeps to that person as well.
  await slider.focus();
  await root.page.keyboard.press("End");
  await expect(label).toContainText("Ben Okri");
  await root.page.keyboard.press("ArrowLeft");
  await expect(label).toContainText("Ben Okri");
  await expect(body).toContainText("<t-ben-1>");
  await expect(body).not.toContainText("<t-ann-2>");
  root.page.once("dialog", (sure) => void sure.accept());
  await root.page.getByRole("button", { name: "Restore this moment" }).click();
  for (const person of [ann, ben]) {
    await expect(person.body).not.toContainText("<t-ann-2>");
    await expect(person.body).toContainText("<t-ben-1>");
  }
  await axeInBoth(root, `/content/${id}/draft`);

  await ann.saved();
  await ann.publish();
  await ann.read(`/content/${id}/authors`);
  const shares = ann.page.getByRole("list", { name: "Authors and their share of the text" });
  await expect(shares).toContainText(/Ann Lee.*%/);
  await expect(shares).toContainText(/Ben Okri.*%/);
  const passages = ann.page.locator(".wiki-body [data-by]");
  await expect(passages.filter({ hasText: "<t-ann-1>" })).toHaveCount(1);
  await expect(passages.filter({ hasText: "<t-ben-1>" })).toHaveCount(1);
  const by = (word: string) => passages.filter({ hasText: word }).getAttribute("data-by");
  expect(await by("<t-ann-1>")).not.toBe(await by("<t-ben-1>"));
  await axeInBoth(ann, `/content/${id}/authors`);
});

test("what was typed offline across a rewriting is merged, and kept as a local draft where it overlaps", async () => {
  await ann.edit(path);
  await ben.edit(path);
  await ben.context.setOffline(true);
  await ben.caretAfter("Bed 2: carrots");
  await ben.type(" from-the-train");
  await expect(ben.status).toHaveText(/^Offline, /);
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" meanwhile");
  await ann.saved();
  await ann.page.goto("about:blank");
  await expect(async () => {
    const outcome = await server.cli(["page", "compact", id]);
    expect(outcome.code, outcome.stderr).toBe(0);
  }).toPass({ timeout: 15_000 });
  const handedIn = ben.page.waitForResponse((response) => response.url().endsWith("/offline-edits"));
  await ben.context.setOffline(false);
  expect((await handedIn).status()).toBe(200);
  await expect(ben.body).toContainText("from-the-train");
  await expect(ben.body).toContainText("meanwhile");
  await ben.saved();
  await ann.edit(path);
  await expect(ann.body).toContainText("from-the-train");

  // The passage in which ben writes goes away with the draft.
  await ben.context.setOffline(true);
  await ben.caretAfter("from-the-train");
  await ben.type(" and-the-bus");
  await expect(ben.status).toHaveText(/^Offline, /);
  await ann.page.getByRole("button", { name: "More actions" }).click();
  await ann.page.getByRole("menuitem", { name: /^Discard/ }).click();
  await ann.page.getByRole("button", { name: "Discard changes" }).click();
  await expect(ann.body).toBeHidden();
  const refused = ben.page.waitForResponse((response) => response.url().endsWith("/offline-edits"));
  await ben.context.setOffline(false);
  expect((await refused).status()).toBe(409);
  const unsent = ben.page.getByRole("region", { name: "Unsent text" });
  await expect(unsent).toBeVisible();
  await unsent.getByRole("button", { name: "View" }).click();
  await expect(unsent.getByLabel("Your text")).toContainText("and-the-bus");
  await expect(ben.body).not.toContainText("from-the-train");
});
