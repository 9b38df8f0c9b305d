import { expect, test } from "@playwright/test";
import { Person, agreed } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { WikiServer } from "../support/server.js";

let server: WikiServer;
let path: string;

test.beforeEach(async () => {
  server = await WikiServer.withAdministrator();
  await server.addUser("ben", "Ben Okri");
  path = await garden(server);
});

test.afterEach(async () => {
  await server.remove();
});

/** Both type at the same moment, letter by letter, so that their letters interleave on the way. */
async function typeTogether(first: Person, second: Person, left: string, right: string): Promise<void> {
  await Promise.all([first.page.keyboard.type(left, { delay: 15 }), second.page.keyboard.type(right, { delay: 15 })]);
}

test("two people type at once in a paragraph, a table and a list, and all copies end equal", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  const ben = await Person.logIn(browser, server, "ben");
  await ann.edit(path);
  await ben.edit(path);

  const places: [string, string][] = [
    ["Bed 1: beans", "paragraph"],
    ["May", "table"],
    ["Water in the morning", "list"],
  ];
  for (const [place, where] of places) {
    await ann.caretAfter(place);
    await ben.caretAfter(place);
    await typeTogether(ann, ben, `<ann-${where}>`, `%ben-${where};`);
  }

  const text = await agreed([ann, ben]);
  for (const [, where] of places) {
    for (const letter of new Set(`ann-${where}`)) expect(text).toContain(letter);
    expect([...text].filter((letter) => letter === "<")).toHaveLength(places.length);
    expect([...text].filter((letter) => letter === ";")).toHaveLength(places.length);
  }

  const cleo = await Person.logIn(browser, server, "ann");
  await cleo.edit(path);
  expect(await cleo.text()).toBe(text);

  await ann.saved();
  await ben.saved();
  await ann.publish("typed by two");
  const id = await ann.page.locator("wm-page").getAttribute("data-page-id");
  const stored = await server.cli(["page", "export", id ?? "", "--format", "text"]);
  for (const line of text.split("\n").filter((line) => line.includes("<") || line.includes("%"))) {
    expect(stored.stdout).toContain(line.trim());
  }
});

test("what one types appears for the other with the writer's caret and name", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  const ben = await Person.logIn(browser, server, "ben");
  await ann.edit(path);
  await ben.edit(path);
  await ann.caretAfter("Bed 2: carrots");
  await ann.type(" and dill");
  await expect(ben.body).toContainText("Bed 2: carrots");
  await expect(ben.body).toContainText("and dill");
  await expect(ben.body.getByText("Ann Lee")).toBeAttached();
  await ann.close();
  await expect(ben.body.getByText("Ann Lee")).toBeHidden();
});

test("undo takes back one's own words only", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  const ben = await Person.logIn(browser, server, "ben");
  await ann.edit(path);
  await ben.edit(path);
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" ANNS");
  await ben.caretAfter("Bed 2: carrots");
  await ben.type(" BENS");
  await agreed([ann, ben]);
  await ann.page.keyboard.press("Control+z");
  await expect(ben.body).not.toContainText("ANNS");
  await expect(ann.body).toContainText("BENS");
});

test("words typed offline are counted, survive a reload and arrive once", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  await ann.edit(path);
  await ann.caretAfter("Bed 3: onions");
  await server.kill();
  await ann.type(" and leeks");
  await expect(ann.status).toHaveText(/^Offline, \d+ changes? kept on this device$/);
  await server.start();
  await ann.saved();

  await ann.caretAfter("and leeks");
  await server.kill();
  await ann.type(" and chives");
  await expect(ann.status).toHaveText(/^Offline, /);
  await ann.page.goto("about:blank");
  await server.start();
  await ann.edit(path);
  const text = await ann.text();
  expect(text.split("and leeks")).toHaveLength(2);
  expect(text.split("and chives")).toHaveLength(2);
  await ann.close();

  const ben = await Person.logIn(browser, server, "ben");
  await ben.edit(path);
  expect((await ben.text()).split("and chives")).toHaveLength(2);
});

test("publish makes a version, others are told, the rest of the source stays as it was", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  await ann.read(path);
  const id = (await ann.page.locator("wm-page").getAttribute("data-page-id")) ?? "";
  const before = (await server.cli(["page", "export", id, "--format", "storage"])).stdout;
  await ann.edit(path);
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" and peas");
  await ann.saved();

  const ben = await Person.logIn(browser, server, "ben");
  await ben.read(path);
  await expect(ben.page.locator("wm-page")).toHaveAttribute("data-unpublished", "true");
  await expect(ben.page.locator('[data-part="body"]')).not.toContainText("and peas");

  await ann.publish("peas");
  await ben.page.reload();
  await expect(ben.page.locator('[data-part="body"]')).toContainText("Bed 1: beans and peas");
  await expect(ben.page.locator("wm-page")).toHaveAttribute("data-unpublished", "false");
  const after = (await server.cli(["page", "export", id, "--format", "storage"])).stdout;
  // How a character is spelled as an entity is not part of a document's meaning.
  expect(after).toBe(before.replace("Bed 1: beans", "Bed 1: beans and peas").replaceAll("&deg;", "°"));
});

test("what the editor does not know stays untouched while people write around it", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  await ann.edit(path);
  await expect(ann.body).toContainText("moon-phase");
  await ann.caretAfter("Bed 1: beans");
  await ann.type("!");
  await ann.body.getByText("It rained.").click();
  await ann.page.keyboard.press("End");
  await ann.type("!");
  await ann.saved();
  await ann.publish();
  const id = (await ann.page.locator("wm-page").getAttribute("data-page-id")) ?? "";
  const source = (await server.cli(["page", "export", id, "--format", "storage"])).stdout;
  expect(source).toContain('<ac:structured-macro ac:name="moon-phase"');
  expect(source).toContain("<p>Sow roots while the moon wanes.</p>");
});

test("discard goes back to the published state for everyone", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  const ben = await Person.logIn(browser, server, "ben");
  await ann.edit(path);
  await ben.edit(path);
  await ann.caretAfter("Bed 1: beans");
  await ann.type(" WRONG");
  await expect(ben.body).toContainText("WRONG");
  await ann.saved();
  await ann.page.getByRole("button", { name: "More actions" }).last().click();
  await ann.page.getByRole("menuitem", { name: /Discard/ }).click();
  await ann.page.getByRole("dialog").getByRole("button", { name: /Discard/ }).click();
  await expect(ben.body).not.toContainText("WRONG");
  const cleo = await Person.logIn(browser, server, "ann");
  await cleo.read(path);
  await expect(cleo.page.locator("wm-page")).toHaveAttribute("data-unpublished", "false");
});
