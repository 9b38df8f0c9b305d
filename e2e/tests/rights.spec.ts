import { expect, test } from "@playwright/test";
import { Person } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { HostileProxy } from "../support/hostile-proxy.js";
import { WikiServer } from "../support/server.js";

let server: WikiServer;
let proxy: HostileProxy;
let path: string;

test.beforeEach(async () => {
  proxy = await HostileProxy.create();
  server = await WikiServer.create();
  proxy.standBefore(server.url);
  server.publicUrl = proxy.url;
  await server.addUser("ann", "Ann Lee", "--admin");
  await server.addUser("ben", "Ben Okri");
  await server.start();
  path = await garden(server);
});

test.afterEach(async () => {
  await proxy.close();
  await server.remove();
});

/** Gives everybody a right in the space, or only that to read. */
async function everybody(ann: Person, right: "may read" | "may edit"): Promise<void> {
  await ann.read("/spaces/GARDEN/settings");
  await ann.page.getByLabel("Right", { exact: true }).selectOption({ label: right });
  await ann.page.getByRole("button", { name: "Give", exact: true }).click();
  await expect(ann.page.getByText("Saved.")).toBeVisible();
}

test("rights taken away while typing: at once, and what was not sent is offered to its author", async ({ browser }) => {
  // The administrator is nearer to the server than the writers.
  const ann = await Person.logIn(browser, server, "ann");
  const ben = await Person.logIn(browser, server, "ben", {}, proxy.url);
  const cleo = await Person.logIn(browser, server, "ann", {}, proxy.url);
  await everybody(ann, "may edit");
  await ben.edit(path);
  await cleo.edit(path);
  await cleo.caretAfter("Bed 2: carrots");
  await ben.caretAfter("Bed 1: beans");
  await ben.type(" and peas");
  await ben.saved();
  // From here on nothing of his arrives in time: the last words are on their way when the right goes.
  await ann.read("/spaces/GARDEN/settings");
  await ann.page.getByLabel("Right", { exact: true }).selectOption({ label: "may read" });
  proxy.become({ delay_ms: 2000 });
  await ben.type(" and thoughts nobody has");
  await cleo.type(" of the others");
  await ann.page.getByRole("button", { name: "Give", exact: true }).click();
  const notice = ben.page.getByRole("region", { name: "Unsent text" });
  await expect(notice).toBeVisible({ timeout: 20_000 });
  proxy.become({});
  await expect(ben.body).toHaveAttribute("contenteditable", "false");
  await expect(ben.body).toContainText("and peas");
  await expect(ben.body).not.toContainText("nobody has");
  await cleo.saved();
  await expect(ben.body).toContainText("of the others");

  // It outlives the page, and is there for somebody who may only read.
  await ben.read(path);
  await expect(ben.page.getByRole("button", { name: "Edit", exact: true })).toBeHidden();
  await notice.getByRole("button", { name: "View" }).click();
  await expect(notice.getByLabel("Your text")).toHaveText("and thoughts nobody has");

  await everybody(ann, "may edit");
  await ben.edit(path);
  await ben.caretAfter("Bed 1: beans");
  await notice.getByRole("button", { name: "View" }).click();
  await notice.getByRole("button", { name: "Put back" }).click();
  await expect(notice).toBeHidden();
  await expect(cleo.body).toContainText("and thoughts nobody has");
  await ben.saved();
});

test("rights taken away reach an open editor in under a second", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann", {}, proxy.url);
  const ben = await Person.logIn(browser, server, "ben", {}, proxy.url);
  await everybody(ann, "may edit");
  await ben.edit(path);
  await ann.read("/spaces/GARDEN/settings");
  await ann.page.getByLabel("Right", { exact: true }).selectOption({ label: "may read" });
  const changed = ann.page.waitForResponse((response) => response.url().endsWith("/permissions"));
  const noticed = ben.page.evaluate(() => new Promise<number>((resolve) => {
    const body = document.querySelector('[aria-label="Page body"]')!;
    const look = () => body.getAttribute("contenteditable") === "false" && resolve(Date.now());
    new MutationObserver(look).observe(body, { attributes: true });
  }));
  await ann.page.getByRole("button", { name: "Give", exact: true }).click();
  await changed;
  const answered = Date.now();
  expect((await noticed) - answered).toBeLessThan(1000);
  await expect(ben.page.getByText(/^Read-only/)).toBeVisible();
});

test("an open editor follows its page when it is moved, and keeps its text when it is deleted", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann", {}, proxy.url);
  const ben = await Person.logIn(browser, server, "ben", {}, proxy.url);
  await everybody(ann, "may edit");
  await ben.edit(path);
  await ben.caretAfter("Bed 1: beans");
  await ben.type(" and peas");
  await ben.saved();
  const id = await ben.page.locator("wm-page").getAttribute("data-page-id");

  await ann.read(`/content/${id}/move`);
  await ann.page.getByLabel("The page", { exact: true }).fill("Tools & sheds: who has what?");
  await ann.page.getByRole("button", { name: "Move", exact: true }).click();
  await expect(ben.page.getByRole("navigation", { name: "Breadcrumbs" })).toContainText("Tools & sheds");
  await expect(ben.page.getByText(/^This page was moved/)).toBeVisible();

  await ann.read(`/content/${id}/delete`);
  await ann.page.getByRole("button", { name: "Move to trash" }).click();
  await expect(ben.page.getByText(/What is here can still be copied/)).toBeVisible();
  await expect(ben.body).toContainText("Bed 1: beans and peas");
  await expect(ben.body).toHaveAttribute("contenteditable", "false");
});
