import { brotliCompressSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import { type Page, expect, test } from "@playwright/test";
import { Person } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { WikiServer } from "../support/server.js";

let server: WikiServer;

test.beforeAll(async () => {
  server = await WikiServer.withAdministrator();
  await garden(server);
});

test.afterAll(async () => {
  await server.remove();
});

async function axe(page: Page): Promise<void> {
  const found = await new AxeBuilder({ page }).analyze();
  const lines = found.violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(" | ")}`);
  expect(lines, page.url()).toEqual([]);
}

const PAGES = [
  "/",
  "/display/GARDEN",
  "/display/GARDEN/Garden",
  "/pages/viewpreviousversions.action?pageId=2002",
  "/pages/diffpagesbyversion.action?pageId=2002&selectedPageVersions=1&selectedPageVersions=3",
  "/pages/viewpageattachments.action?pageId=2002",
  "/dosearchsite.action?queryString=beans",
];

for (const scheme of ["light", "dark"] as const) {
  test(`no page has an accessibility fault or an error in the console (${scheme})`, async ({ browser }) => {
    const ann = await Person.logIn(browser, server, "ann", { colorScheme: scheme });
    const errors: string[] = [];
    ann.page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    ann.page.on("pageerror", (error) => errors.push(error.message));
    for (const path of PAGES) {
      await ann.read(path);
      await axe(ann.page);
    }
    expect(errors).toEqual([]);
    await ann.close();
  });
}

test("the editor has no accessibility fault and asks no other host for anything", async ({ browser }) => {
  const ann = await Person.logIn(browser, server);
  const foreign: string[] = [];
  ann.page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server.url) && !url.startsWith("data:") && !url.startsWith("blob:")) foreign.push(url);
  });
  await ann.edit("/display/GARDEN/Garden");
  await axe(ann.page);
  expect(foreign).toEqual([]);
  await ann.close();
});

test("every old address leads to the page", async ({ browser }) => {
  const ann = await Person.logIn(browser, server);
  const addresses = [
    "/display/GARDEN/Garden",
    "/display/garden/garden",
    "/pages/viewpage.action?pageId=2002",
    "/pages/viewpage.action?spaceKey=GARDEN&title=Garden",
    "/x/0gc",
    "/spaces/GARDEN/pages/2002/Whatever",
  ];
  for (const address of addresses) {
    await ann.read(address);
    await expect(ann.page.getByRole("heading", { level: 1 }), address).toHaveText("Garden");
  }
  await ann.read("/display/GARDEN/2023/08/05/First+harvest");
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("First harvest");
  const file = await ann.page.request.get(`${server.url}/download/attachments/2002/beds.png`);
  expect(file.headers()["content-type"]).toBe("image/png");
  await ann.close();
});

test("a page is complete without JavaScript", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann", { javaScriptEnabled: false });
  await ann.read("/display/GARDEN/Garden");
  await expect(ann.page.getByRole("heading", { name: "Sowing calendar" })).toBeVisible();
  await expect(ann.page.getByText("Only until nine.")).toBeVisible();
  await ann.page.getByRole("link", { name: "Compost" }).last().click();
  await expect(ann.page.getByRole("heading", { level: 1 })).toHaveText("Compost");
  await ann.close();
});

test("reading a page costs at most 30 kB of script and 15 kB of style", async ({ browser }) => {
  const ann = await Person.logIn(browser, server);
  const size = { script: 0, stylesheet: 0 };
  ann.page.on("response", async (response) => {
    const kind = response.request().resourceType();
    if (kind === "script" || kind === "stylesheet") size[kind] += brotliCompressSync(await response.body()).length;
  });
  await ann.page.goto(`${server.url}/display/GARDEN/Garden`, { waitUntil: "networkidle" });
  expect(size.stylesheet).toBeGreaterThan(0);
  expect(size.stylesheet).toBeLessThanOrEqual(15_000);
  expect(size.script).toBeLessThanOrEqual(30_000);
  await ann.close();
});

test("a comment can be written and answered without JavaScript", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann", { javaScriptEnabled: false });
  await ann.read("/display/GARDEN/Compost");
  await ann.page.getByLabel("Add a comment").fill("Is there enough straw?");
  await ann.page.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(ann.page.getByText("Is there enough straw?")).toBeVisible();
  await ann.close();
});

test("search finds words of titles and bodies", async ({ browser }) => {
  const ann = await Person.logIn(browser, server);
  await expect(async () => {
    await ann.read("/dosearchsite.action?queryString=rindenmulch");
    await expect(ann.page.getByRole("link", { name: /Übersicht der Wege/ }).first()).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 20_000 });
  await ann.close();
});

test("two versions are compared in place, and an old one can be restored", async ({ browser }) => {
  const ann = await Person.logIn(browser, server);
  await ann.read("/pages/diffpagesbyversion.action?pageId=2002&selectedPageVersions=1&selectedPageVersions=2");
  await expect(ann.page.locator("del").first()).toBeVisible();
  await expect(ann.page.locator("ins").filter({ hasText: "carrots" }).first()).toBeVisible();
  await ann.close();
});
