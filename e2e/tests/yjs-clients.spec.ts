import { expect, test } from "@playwright/test";
import * as Y from "yjs";
import { Person } from "../support/editor.js";
import { garden } from "../support/garden.js";
import { WikiServer } from "../support/server.js";
import { Client, KINDS, type Kind, same } from "../support/yjs.js";

let server: WikiServer;
let path: string;
let document: string;
const clients: Client[] = [];

test.beforeEach(async ({ browser }) => {
  process.env.WATERSMEET_SYNC_OPEN_NAMESPACES = "notes";
  server = await WikiServer.withAdministrator();
  await server.addUser("ben", "Ben Okri");
  path = await garden(server);
  const reader = await browser.newPage();
  await reader.goto(server.url + path);
  const cookie = await Person.logIn(browser, server);
  await cookie.read(path);
  document = `page-${await cookie.page.locator("wm-page").getAttribute("data-page-id")}`;
  await cookie.close();
  await reader.close();
});

test.afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await server.remove();
});

async function accessToken(user: string): Promise<string> {
  const made = await server.cli(["token", "create", "--user", user, "--name", "other application"]);
  expect(made.code, made.stderr).toBe(0);
  return made.stdout.trim().split(/\s+/).at(-1)!;
}

async function signedToken(user: string, of: string, rights: "read" | "write"): Promise<string> {
  const made = await server.cli(["sync", "token", "--document", of, "--rights", rights, "--user", user]);
  expect(made.code, made.stderr).toBe(0);
  return made.stdout.trim().split(/\s+/).at(-1)!;
}

function client(kind: Kind, token: string, of = document): Client {
  const one = new Client(server, kind, of, token);
  clients.push(one);
  return one;
}

test("[YJS-20] [YJS-22] every package edits a page together with a browser, and the published version holds all", async ({ browser }) => {
  const token = await accessToken("ben");
  const all = KINDS.map((kind) => client(kind, token));
  for (const one of all) await one.synced();
  const ann = await Person.logIn(browser, server, "ann");
  await ann.edit(path);
  const words = all.map((one, index) => `<${one.kind} ${index}>`);
  all.forEach((one, index) => one.append("Bed 1: beans", words[index]!));
  await ann.caretAfter("Bed 2:");
  await ann.type("typed in a browser");
  for (const one of all) await one.synced();
  await ann.saved();
  await expect.poll(() => all[0]!.xml).toContain("typed in a browser");
  const xml = await same(all);
  for (const word of words) {
    expect(xml).toContain(word);
    await expect.poll(() => ann.text()).toContain(word);
  }
  await ann.publish("written by five");
  const stored = await server.cli(["page", "export", document.replace("page-", ""), "--format", "text"]);
  for (const word of [...words, "typed in a browser"]) expect(stored.stdout).toContain(word);
});

test("[YJS-7] [YJS-8] browsers and Yjs clients see each other's cursors under their true names", async ({ browser }) => {
  const ann = await Person.logIn(browser, server, "ann");
  await ann.edit(path);
  await ann.caretAfter("Bed 1: beans");
  for (const kind of ["y-websocket 3", "hocuspocus 4"] as Kind[]) {
    const ben = client(kind, await accessToken("ben"));
    await ben.synced();
    const text = ben.textWith("Bed 1: beans");
    const place = Y.createRelativePositionFromTypeIndex(text, 3);
    ben.provider.awareness!.setLocalState({ user: { name: "The Boss", color: "#ff0000" }, cursor: { anchor: place, head: place } });
    const states = () => [...ben.provider.awareness!.getStates().values()];
    await expect.poll(() => states().map((state) => (state.user as { name?: string } | undefined)?.name)).toContain("Ann Lee");
    await expect.poll(() => states().some((state) => (state.user as { name?: string })?.name === "Ann Lee" && state.cursor !== null)).toBe(true);
    await expect(ann.body.locator(".caret-label", { hasText: "Ben Okri" })).toHaveCount(1);
    await expect(ann.body.getByText("The Boss")).toHaveCount(0);
    ben.destroy();
    await expect(ann.body.locator(".caret-label")).toHaveCount(0);
  }
});

test("[YJS-14] [YJS-17] a token that may only read brings nothing in", async () => {
  const writer = client("hocuspocus 4", await accessToken("ann"));
  await writer.synced();
  const readers = await Promise.all(KINDS.map(async (kind) => client(kind, await signedToken("ben", document, "read"))));
  for (const reader of readers) {
    await reader.synced();
    if (reader.kind.startsWith("hocuspocus")) expect(reader.scope).toBe("readonly");
    reader.append("Bed 1: beans", "SMUGGLED");
  }
  writer.append("Bed 1: beans", "allowed");
  await writer.synced();
  for (const reader of readers) await expect.poll(() => reader.xml).toContain("allowed");
  expect(writer.xml).not.toContain("SMUGGLED");
  const late = client("y-websocket 3", await accessToken("ann"));
  await late.synced();
  expect(late.xml).toContain("allowed");
  expect(late.xml).not.toContain("SMUGGLED");
});

test("[YJS-24] a wrong token, and a document that is not there, are refused for good", async () => {
  const wrong = client("y-websocket 3", "nonsense");
  await expect.poll(() => wrong.closed).toEqual([4401]);
  const nowhere = client("y-websocket 3", await accessToken("ben"), "page-999999");
  await expect.poll(() => nowhere.closed).toEqual([4404]);
  for (const kind of ["hocuspocus 4", "hocuspocus 3"] as Kind[]) {
    const refused = client(kind, "nonsense");
    await expect.poll(() => refused.refused.length).toBe(1);
    expect(refused.provider.synced).toBe(false);
  }
  const closed = client("hocuspocus 4", await accessToken("ben"), "secret/plan");
  await expect.poll(() => closed.refused.length).toBe(1);
});

test("clients that edit while the server is away bring everything with them", async () => {
  const token = await accessToken("ben");
  const all = KINDS.map((kind) => client(kind, token));
  for (const one of all) await one.synced();
  all[0]!.append("Bed 1: beans", "<before>");
  await expect.poll(() => all.every((one) => one.xml.includes("<before>"))).toBe(true);
  for (const one of all) await one.synced();
  await server.kill();
  all.forEach((one, index) => one.append("Bed 1: beans", `<away ${index}>`));
  await server.start();
  await expect(() => {
    for (const one of all) for (const index of all.keys()) expect(one.xml, one.kind).toContain(`<away ${index}>`);
  }).toPass({ timeout: 60_000 });
  const xml = await same(all);
  expect(xml.split("<before>")).toHaveLength(2);
  for (const one of all) await one.synced();
});

test("[YJS-2] [YJS-16] [YJS-30] documents of other applications", async () => {
  const token = await signedToken("ben", "notes/*", "write");
  const all = KINDS.map((kind) => client(kind, token, "notes/plan"));
  for (const one of all) await one.synced();
  all.forEach((one, index) => {
    one.doc.getMap("done").set(`task ${index}`, true);
    one.doc.getText("free").insert(0, `${index}`);
  });
  const maps = () => all.map((one) => Object.keys(one.doc.getMap("done").toJSON()).length);
  await expect.poll(maps).toEqual(all.map(() => all.length));
  for (const one of all) await one.synced();
  (all[2]!.provider as unknown as { sendStateless(payload: string): void }).sendStateless("ping");
  await expect.poll(() => all[3]!.heard).toEqual(["ping"]);

  const api = `${server.url}/synchrony/v1/documents`;
  const headers = { authorization: `Bearer ${token}` };
  const read = await fetch(`${api}/notes/plan?format=json`, { headers });
  expect(read.status).toBe(200);
  const body = (await read.json()) as { contents: { done: object; free: string } };
  expect(Object.keys(body.contents.done)).toHaveLength(all.length);
  expect([...body.contents.free].sort()).toEqual(["0", "1", "2", "3"]);
  const update = new Uint8Array(await (await fetch(`${api}/notes/plan`, { headers })).arrayBuffer());
  const copy = new Y.Doc();
  Y.applyUpdate(copy, update);
  const before = Y.encodeStateVector(copy);
  copy.getMap("done").set("by program", true);
  const change = new Uint8Array(Y.encodeStateAsUpdate(copy, before));
  const sent = await fetch(`${api}/notes/plan`, { method: "PATCH", headers: { ...headers, "if-match": read.headers.get("etag")! }, body: change });
  expect(sent.status, await sent.text()).toBe(200);
  await expect.poll(() => all.every((one) => one.doc.getMap("done").has("by program"))).toBe(true);
  const stale = await fetch(`${api}/notes/plan`, { method: "PATCH", headers: { ...headers, "if-match": read.headers.get("etag")! }, body: change });
  expect(stale.status).toBe(412);
  const vector = encodeURIComponent(Buffer.from(Y.encodeStateVector(copy)).toString("base64"));
  const rest = await fetch(`${api}/notes/plan?state_vector=${vector}`, { headers });
  expect((await rest.arrayBuffer()).byteLength).toBeLessThan(update.byteLength);

  const made = await fetch(`${api}/notes/second`, { method: "POST", headers, body: update });
  expect(made.status).toBe(201);
  expect((await fetch(`${api}/notes/second`, { method: "POST", headers })).status).toBe(409);
  const list = (await (await fetch(`${api}?namespace=notes`, { headers })).json()) as { documents: { document: string }[] };
  expect(list.documents.map((one) => one.document)).toEqual(["notes/plan", "notes/second"]);
  expect((await fetch(`${api}/notes/plan`)).status).toBe(401);
  expect((await fetch(`${api}/secret/plan`, { headers })).status).toBe(404);
  expect((await fetch(`${api}/notes/plan`, { method: "PATCH", headers, body: "nonsense" })).status).toBe(422);
  expect((await fetch(`${api}/notes/plan`, { method: "DELETE", headers })).status).toBe(204);
  await expect.poll(() => all[0]!.closed).toContain(4404);
  expect((await fetch(`${api}/notes/plan`, { headers })).status).toBe(404);
});

test("[YJS-14] [LOG-2] what a Hocuspocus client counts as synced is on disk when the plug is pulled", async () => {
  const token = await accessToken("ben");
  for (const kind of ["hocuspocus 4", "hocuspocus 3"] as Kind[]) {
    const writer = client(kind, token);
    await writer.synced();
    for (let word = 0; word < 200; word++) writer.append("Bed 1: beans", `<${kind} ${word}>`);
    await expect.poll(() => writer.provider.unsyncedChanges).toBe(0);
    await server.kill();
    // Nobody can send it again: only the disk remembers.
    writer.destroy();
    await server.start();
    const late = client("y-websocket 3", token);
    await late.synced();
    const xml = late.textWith("Bed 1: beans").toString();
    for (let word = 0; word < 200; word++) expect(xml.split(`<${kind} ${word}>`)).toHaveLength(2);
    late.destroy();
  }
});

test("[YJS-15] a discarded draft does not come back with a client that still has it", async () => {
  const token = await accessToken("ben");
  const holders = (["y-websocket 3", "hocuspocus 4"] as Kind[]).map((kind) => client(kind, token));
  for (const one of holders) await one.synced();
  holders[0]!.append("Bed 1: beans", "UNWANTED");
  await expect.poll(() => holders[1]!.xml).toContain("UNWANTED");
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const discarded = await fetch(`${server.url}/api/pages/${document.replace("page-", "")}/discard`, { method: "POST", headers, body: "{}" });
  expect(discarded.status).toBe(200);
  await expect.poll(() => holders[0]!.closed).toEqual([4409]);
  await expect.poll(() => holders[1]!.closed).toEqual([1000]);
  // It comes again all the same, with everything that it has.
  (holders[0]!.provider as unknown as { connect(): void }).connect();
  await expect.poll(() => holders[0]!.closed).toEqual([4409, 4409]);
  const late = client("y-websocket 2", token);
  await late.synced();
  expect(late.xml).toContain("Bed 1: beans");
  expect(late.xml).not.toContain("UNWANTED");
});
