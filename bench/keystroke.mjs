// Key press in one browser to change on another's screen, beside y-websocket's server with a plain ProseMirror page.
// Both are measured in the same way, in turn. Watersmeet's figure includes the commit to disk; the peer stores nothing.
// `npm ci` in this folder first. CHROMIUM names the browser.

import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { BINARY, folder, median, percentile, start, stop, watersmeet } from "./server.mjs";
import { write } from "./space.mjs";

const KEYS = 200;
const PAUSE_MS = 40;
const RUNS = 5;
const WIKI = "127.0.0.1:18090";
const PASSWORD = "correct horse battery";

const browserOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

/** Presses keys in one page and takes the time at which each is in the other's document tree. */
async function latencies(writer, reader) {
  const body = "[role=textbox][aria-label='Page body']";
  for (const page of [writer, reader]) {
    await page.locator(body).waitFor();
    await page.evaluate(() => Object.assign(window, { pressed: [], seen: [] }));
  }
  await writer.evaluate((selector) => {
    document.querySelector(selector).addEventListener("keydown", (event) => window.pressed.push(performance.timeOrigin + event.timeStamp), true);
  }, body);
  await reader.evaluate((selector) => {
    const element = document.querySelector(selector);
    const count = () => (element.textContent.match(/q/g) ?? []).length;
    let known = count();
    new MutationObserver(() => {
      const now = performance.timeOrigin + performance.now();
      for (const total = count(); known < total; known++) window.seen.push(now);
    }).observe(element, { subtree: true, childList: true, characterData: true });
  }, body);
  await writer.locator(body).locator("p").first().click();
  for (let key = 0; key < KEYS; key++) {
    await writer.keyboard.press("q");
    await writer.waitForTimeout(PAUSE_MS);
  }
  await reader.waitForFunction((keys) => window.seen.length >= keys, KEYS);
  const pressed = await writer.evaluate(() => window.pressed);
  const seen = await reader.evaluate(() => window.seen);
  return seen.slice(0, KEYS).map((moment, index) => moment - pressed[index]);
}

async function wikiServer() {
  const place = folder();
  const data = join(place, "data");
  write(join(place, "export"), 20);
  watersmeet(["user", "add", "ann", "--admin", "--password-stdin", "--data", data], PASSWORD);
  watersmeet(["import", "confluence", join(place, "export"), "--data", data, "--json"]);
  return start([BINARY, "serve", "--data", data, "--listen", WIKI], `http://${WIKI}/status`);
}

async function wikiEditor(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://${WIKI}/login.action`);
  await page.getByLabel("Username").fill("ann");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  await page.goto(`http://${WIKI}/display/BENCH/Page+7`);
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await page.getByRole("status").filter({ hasText: /^Saved$/ }).waitFor();
  return page;
}

async function peerServer() {
  const bundle = await build({ entryPoints: [join(import.meta.dirname, "peer/editor.js")], bundle: true, write: false, format: "esm", minify: true });
  const script = bundle.outputFiles[0].text;
  const pages = createServer((request, response) => {
    const isScript = request.url.startsWith("/editor.js");
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? script : '<!doctype html><div id="editor"></div><script type="module" src="/editor.js"></script>');
  }).listen(18092, "127.0.0.1");
  const program = JSON.parse(readFileSync(join(import.meta.dirname, "node_modules/@y/websocket-server/package.json"), "utf8"));
  const script2 = join(import.meta.dirname, "node_modules/@y/websocket-server", Object.values(program.bin)[0]);
  const child = spawn("taskset", ["-c", "0", "node", script2], { stdio: "ignore", env: { ...process.env, HOST: "127.0.0.1", PORT: "18093" } });
  for (let answered = false; !answered; ) answered = await fetch("http://127.0.0.1:18093").then(() => true, () => false);
  return { child, pages };
}

async function peerEditor(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto("http://127.0.0.1:18092/?server=ws://127.0.0.1:18093");
  return page;
}

const wiki = await wikiServer();
const peer = await peerServer();
const runs = [];
for (let run = 0; run < RUNS; run++) {
  const result = {};
  for (const [name, open] of [["watersmeet", wikiEditor], ["peer", peerEditor]]) {
    const browser = await chromium.launch(browserOptions);
    const times = await latencies(await open(browser), await open(browser));
    result[name] = { p50: percentile(times, 0.5), p95: percentile(times, 0.95), max: Math.max(...times) };
    await browser.close();
  }
  runs.push(result);
}
await stop(wiki.child);
peer.child.kill();
peer.pages.close();
const of = (name, part) => median(runs.map((run) => run[name][part]));
const medians = Object.fromEntries(["watersmeet", "peer"].map((name) => [name, { p50: of(name, "p50"), p95: of(name, "p95") }]));
console.log(JSON.stringify({ keys: KEYS, runs, medianMs: medians, ratioP95: medians.watersmeet.p95 / medians.peer.p95 }, null, 2));
process.exit(0);
