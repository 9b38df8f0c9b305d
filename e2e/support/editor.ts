import { type Browser, type BrowserContext, type Locator, type Page, expect } from "@playwright/test";
import { PASSWORD, type WikiServer } from "./server.js";

/** One person in a browser of their own (own cookies, own storage). */
export class Person {
  private constructor(
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly url: string,
  ) {}

  /** Opens a browser and logs in through the form, as a person would. */
  static async logIn(browser: Browser, server: WikiServer, name = "ann", options = {}, url = server.url): Promise<Person> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const person = new Person(name, context, page, url);
    await page.goto(`${url}/login.action`);
    await page.getByLabel("Username").fill(name);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/login"));
    return person;
  }

  get body(): Locator {
    return this.page.getByRole("textbox", { name: "Page body" });
  }

  get title(): Locator {
    return this.page.getByRole("textbox", { name: "Page title" });
  }

  /** The region that says whether everything typed is on disk. */
  get status(): Locator {
    return this.page.getByRole("status").filter({ hasText: /^(Saved|Saving|Offline, .*)$/ });
  }

  async read(path: string): Promise<void> {
    await this.page.goto(this.url + path);
  }

  async edit(path: string): Promise<void> {
    await this.read(path);
    await this.open();
  }

  /** Opens the editor of the page that is being read. */
  async open(): Promise<void> {
    await this.page.getByRole("button", { name: "Edit", exact: true }).click();
    await expect(this.body).toBeVisible();
    await this.saved();
  }

  async saved(): Promise<void> {
    await expect(this.status).toHaveText("Saved");
  }

  /** Puts the caret at the end of the smallest element of the body that holds this text. */
  async caretAfter(text: string): Promise<void> {
    const place = this.body.getByText(text).last();
    await place.click();
    await this.page.keyboard.press("End");
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /** The body's text as it stands in this browser's editor, carets of others left out. */
  async text(): Promise<string> {
    return this.body.evaluate((body) => {
      const copy = body.cloneNode(true) as HTMLElement;
      copy.querySelectorAll(".ProseMirror-widget").forEach((widget) => widget.remove());
      const blocks = copy.querySelectorAll("p, h1, h2, h3, h4, h5, h6, pre");
      return [...blocks].map((block) => (block.textContent ?? "").replaceAll("\u200b", "")).join("\n");
    });
  }

  async publish(message = ""): Promise<void> {
    await this.page.getByRole("button", { name: "Publish", exact: true }).first().click();
    const dialog = this.page.getByRole("dialog");
    if (message) await dialog.getByRole("textbox").first().fill(message);
    await dialog.getByRole("button", { name: "Publish", exact: true }).click();
    await expect(this.body).toBeHidden();
  }

  async close(): Promise<void> {
    await this.context.close();
  }
}

/** Waits until all see the same text, and gives it. */
export async function agreed(people: Person[]): Promise<string> {
  let last: string[] = [];
  await expect(async () => {
    last = await Promise.all(people.map((person) => person.text()));
    for (const text of last) expect(text).toBe(last[0]);
  }).toPass({ timeout: 15_000 });
  return last[0] ?? "";
}
