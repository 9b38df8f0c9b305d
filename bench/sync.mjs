// The sync engine beside its peers: `node sync.mjs [--rounds N] [--only a,b] [--servers a,b] [--results FOLDER]`.
// All servers run pinned to core 0, stopped while another one is measured; the load (bench/load, in Rust) runs on core 1.
// Watersmeet commits every edit to disk before it acknowledges or shows it; the peers of these rows keep edits in memory.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { BINARY, folder, median, memory, start, watersmeet } from "./server.mjs";
import { write } from "./space.mjs";
import { aims, table } from "./sync-table.mjs";

const { values: flags } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, only: { type: "string" }, servers: { type: "string" }, results: { type: "string", default: join(import.meta.dirname, "results") } },
});
const ROUNDS = Number(flags.rounds);
const LOAD = resolve(process.env.WATERSMEET_LOAD ?? join(BINARY, "../load"));
const Y_SWEET = process.env.Y_SWEET ?? "y-sweet";
const TICKS_PER_SECOND = 100;
const PAGES = 1_200;
const FIRST_PAGE = 1_000_001;
const place = folder();

const listening = (port) => fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.arrayBuffer());

/** Runs a server on core 0 and waits until its port answers anything. */
async function launch(words, port, environment = {}) {
  const child = spawn("taskset", ["-c", "0", ...words], { stdio: "ignore", env: { ...process.env, ...environment } });
  for (const deadline = performance.now() + 20_000; ; await pause(20)) {
    if (child.exitCode !== null) throw new Error(`${words[0]} ended with ${child.exitCode}`);
    if (await listening(port).then(() => true, () => false)) {
      // Something else may have answered: then this one ends because the port is taken.
      await pause(300);
      if (child.exitCode === null) return child;
    }
    if (performance.now() > deadline) throw new Error(`${words[0]} does not answer`);
  }
}

let named = 0;
const names = (count) => Array.from({ length: count }, () => `bench-${++named}`);
let pages = FIRST_PAGE;
const data = join(place, "data");

const SERVERS = {
  watersmeet: {
    title: "Watersmeet",
    protocol: "native",
    url: "ws://127.0.0.1:18190/synchrony/v1/live",
    stores: true,
    async start() {
      if (!this.token) {
        write(join(place, "export"), PAGES, 200);
        watersmeet(["user", "add", "ann", "--admin", "--password-stdin", "--data", data], "correct horse battery");
        watersmeet(["import", "confluence", join(place, "export"), "--data", data, "--json"]);
        this.token = watersmeet(["token", "create", "--user", "ann", "--name", "bench", "--data", data]).trim().split("\n").pop();
      }
      this.child = (await start([BINARY, "serve", "--data", data, "--listen", "127.0.0.1:18190"], "http://127.0.0.1:18190/readyz")).child;
    },
    documents: (count) => Array.from({ length: count }, () => `page-${pages++}`),
  },
  hocuspocus: {
    title: "Hocuspocus",
    protocol: "hocuspocus",
    url: "ws://127.0.0.1:18195/",
    stores: true,
    async start(storing) {
      const store = join(place, "hocuspocus");
      mkdirSync(store, { recursive: true });
      this.child = await launch(["node", join(import.meta.dirname, "peer/hocuspocus.mjs"), "18195", ...(storing ? [store] : [])], 18195);
    },
    documents: names,
  },
  "y-websocket": {
    title: "@y/websocket-server",
    protocol: "y-websocket",
    url: "ws://127.0.0.1:18197",
    stores: false,
    async start() {
      this.child = await launch(["node", join(import.meta.dirname, "node_modules/@y/websocket-server/src/server.js")], 18197, { HOST: "127.0.0.1", PORT: "18197" });
    },
    documents: names,
  },
  "y-sweet": {
    title: "y-sweet",
    protocol: "y-websocket",
    url: "ws://127.0.0.1:18196/d/{document}/ws/{document}",
    stores: true,
    async start(storing) {
      this.child = await launch([Y_SWEET, "serve", "--port", "18196", ...(storing ? [join(place, "y-sweet")] : [])], 18196);
    },
    async documents(count) {
      const made = names(count);
      for (const docId of made) {
        await fetch("http://127.0.0.1:18196/doc/new", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ docId }) });
      }
      return made;
    },
  },
};

const cpuSeconds = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

/** Wakes one server and waits until it has nothing left to do from before. */
async function alone(server) {
  server.child.kill("SIGCONT");
  for (let tries = 0; tries < 40; tries++) {
    const before = cpuSeconds(server.child.pid);
    await pause(250);
    if (cpuSeconds(server.child.pid) - before <= 0.02) return;
  }
}

async function end(server, signal) {
  if (server.child.exitCode !== null || server.child.signalCode !== null) return;
  const ended = new Promise((done) => server.child.once("exit", done));
  server.child.kill("SIGCONT");
  server.child.kill(signal);
  await ended;
}

/** What the load says of one run; `null` with a word about it when a server does not get through. */
function load(server, scenario, documents, options = {}) {
  const words = Object.entries({ url: server.url, protocol: server.protocol, token: server.token ?? "", pid: server.child.pid, documents: documents.join(","), ...options });
  try {
    const out = execFileSync("taskset", ["-c", "1", LOAD, scenario, ...words.map(([name, value]) => `${name}=${value}`)], { encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] });
    return JSON.parse(out);
  } catch (error) {
    console.error(`${server.title}, ${scenario}: ${String(error.stderr || error.message).trim().split("\n").pop()}`);
    return null;
  }
}

const simple = (scenario, count, options) => async (server) => load(server, scenario, await server.documents(count), options);

/** Scenarios by name: how often, and one run. */
const SCENARIOS = {
  page: { title: "50 editors on one page, each with 32 edits on their way", run: simple("saturate", 1, { per: 50, window: 32, seconds: 3 }) },
  pairs: { title: "50 pages of two editors, each with 8 edits on their way", run: simple("saturate", 50, { per: 2, window: 8, seconds: 3 }) },
  paced: { title: "100 pages of two editors, 5 edits a second each", run: simple("steady", 100, { per: 2, rate: 5, seconds: 3 }) },
  hundred: { title: "100 editors on one page, 2 edits a second each", run: simple("steady", 1, { per: 100, rate: 2, seconds: 4 }) },
  fivehundred: { title: "500 editors on one page, 1 edit a second each", rounds: 3, run: simple("steady", 1, { per: 500, rate: 1, seconds: 4 }) },
  presence: { title: "500 people on one page, presence at 10 Hz", rounds: 3, run: simple("steady", 1, { per: 500, rate: 0, presence: 10, seconds: 4 }) },
  active: { title: "500 editors on one page, an edit every five seconds each, presence at 10 Hz", rounds: 3, run: simple("steady", 1, { per: 500, rate: 0.2, presence: 10, seconds: 4 }) },
  idle: { title: "2,000 connections that do nothing, on 20 pages, right after a start", rounds: 1,
    async run(server) {
      await restart(server);
      return load(server, "idle", await server.documents(20), { per: 100 });
    },
  },
  large: {
    title: "20 open pages of 3 MB, opened after a start, twelve seconds later", rounds: 1, storing: true,
    async run(server) {
      const documents = await server.documents(20);
      load(server, "big", documents, { bytes: 3_000_000 });
      await restart(server);
      return load(server, "idle", documents, { per: 1, settle: 12 });
    },
  },
  joins: {
    title: "150 joins of a 4 MB page at once", storing: "if it can",
    async run(server) {
      server.big ??= await (async () => {
        const documents = await server.documents(1);
        load(server, "big", documents, { bytes: 4_000_000 });
        return documents;
      })();
      load(server, "joins", server.big, { per: 1 });
      return load(server, "joins", server.big, { per: 150 });
    },
  },
  typing: { title: "two editors on a 4 MB page, 50 edits a second each", rounds: 1, storing: "if it can", async run(server) {
    return server.big ? load(server, "steady", server.big, { per: 2, rate: 50, seconds: 3 }) : null;
  } },
  loss: {
    title: "`kill -9` while 50 editors type: acknowledged edits that are gone", rounds: 3, storing: true,
    async run(server) {
      const documents = await server.documents(5);
      const file = join(place, "acknowledged.json");
      const words = { url: server.url, protocol: server.protocol, token: server.token ?? "", documents: documents.join(","), per: 10, file };
      const typing = spawn("taskset", ["-c", "1", LOAD, "loss", ...Object.entries(words).map(([name, value]) => `${name}=${value}`)], { stdio: "ignore" });
      const ended = new Promise((done) => typing.once("exit", done));
      await pause(2_500);
      await end(server, "SIGKILL");
      await ended;
      await server.start(true);
      return existsSync(file) ? load(server, "verify", documents, { file }) : null;
    },
  },
  cold: {
    title: "cold open of a page with 250,000 edits", rounds: 1, storing: true,
    async run(server) {
      const documents = await server.documents(1);
      const filled = load(server, "fill", documents, { count: 250_000, per: 125, window: 32 });
      await pause(12_000);
      await restart(server);
      const opened = load(server, "joins", documents, { per: 1 });
      return filled && opened && { ...opened, edits: filled.edits };
    },
  },
};

async function restart(server) {
  await end(server, "SIGTERM");
  await server.start(true);
  await alone(server);
}

const wanted = (list, all) => (list ? list.split(",") : Object.keys(all));
const servers = [];
const absent = [];
for (const name of wanted(flags.servers, SERVERS)) {
  try {
    await SERVERS[name].start(false);
    SERVERS[name].child.kill("SIGSTOP");
    servers.push(name);
  } catch (error) {
    absent.push(`${SERVERS[name].title}: ${error.message}`);
    console.error(absent.at(-1));
  }
}

const runs = {};
const versions = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")).devDependencies;
const date = new Date().toISOString().slice(0, 10);

/** Writes what is measured so far, so that a run that is ended early is not lost. */
function save() {
  const titles = Object.fromEntries(Object.entries(SERVERS).map(([name, { title }]) => [name, title]));
  const text = table({ date, runs, absent, servers: titles, scenarios: SCENARIOS, versions, median, rounds: ROUNDS });
  mkdirSync(flags.results, { recursive: true });
  writeFileSync(join(flags.results, `${date}-sync.md`), text);
  writeFileSync(join(flags.results, `${date}-sync.json`), `${JSON.stringify(runs)}\n`);
  return text;
}

const began = performance.now();
for (const scenario of wanted(flags.only, SCENARIOS)) {
  const { rounds = ROUNDS, storing, run } = SCENARIOS[scenario];
  if (storing) {
    for (const name of servers.filter((name) => SERVERS[name].stores && !SERVERS[name].storing)) {
      SERVERS[name].storing = true;
      await end(SERVERS[name], "SIGTERM");
      await SERVERS[name].start(true);
      SERVERS[name].child.kill("SIGSTOP");
    }
  }
  for (let round = 0; round < Math.min(rounds, ROUNDS); round++) {
    for (const name of servers) {
      if (storing === true && !SERVERS[name].stores) continue;
      const server = SERVERS[name];
      await alone(server);
      const result = await run(server);
      if (server.child.exitCode !== null || server.child.signalCode !== null) await server.start(storing);
      server.child.kill("SIGSTOP");
      if (result) ((runs[scenario] ??= {})[name] ??= []).push({ ...result, ...memory(server.child.pid) });
      console.error(`${((performance.now() - began) / 1000).toFixed(0)} s  ${scenario}  ${name}  ${JSON.stringify(result)}`);
    }
  }
  save();
}
for (const name of servers) await end(SERVERS[name], "SIGKILL");

const text = save();
console.log(text);
process.exitCode = aims(runs, median).every((aim) => aim.met !== false) ? 0 : 1;
process.exit();
