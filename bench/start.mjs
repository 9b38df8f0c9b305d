// Time from start to ready, and idle memory, with 10,000 pages; a bare nginx beside it in the same run. Five runs, medians.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { BINARY, folder, median, memory, start, stop, watersmeet } from "./server.mjs";
import { write } from "./space.mjs";

const PAGES = 10_000;
const RUNS = 5;
const IDLE_MS = 5_000;
const WIKI = "127.0.0.1:18090";
const PEER = "127.0.0.1:18091";

const place = folder();
const data = join(place, "data");
write(join(place, "export"), PAGES);
watersmeet(["user", "add", "ann", "--admin", "--password-stdin", "--data", data], "correct horse battery");
const began = performance.now();
watersmeet(["import", "confluence", join(place, "export"), "--data", data, "--json"]);
const importSeconds = (performance.now() - began) / 1000;

// The first start builds the search index; what is measured afterwards is an ordinary start.
const first = await start([BINARY, "serve", "--data", data, "--listen", WIKI], `http://${WIKI}/readyz`);
for (let jobs = 1; jobs > 0; await pause(200)) {
  const metrics = await (await fetch(`http://${WIKI}/metrics`)).text();
  jobs = Number(/^watersmeet_jobs_queued(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? 0);
}
const indexedMemory = memory(first.child.pid);
await stop(first.child);

const root = join(place, "nginx");
mkdirSync(root);
writeFileSync(join(root, "index.html"), "ready");
writeFileSync(join(root, "nginx.conf"), `daemon off; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log;
events {} http { access_log off; server { listen ${PEER}; root ${root}; } }`);

const runs = [];
for (let run = 0; run < RUNS; run++) {
  const wiki = await start([BINARY, "serve", "--data", data, "--listen", WIKI], `http://${WIKI}/readyz`);
  await (await fetch(`http://${WIKI}/display/BENCH/Page+7`)).text();
  await pause(IDLE_MS);
  const idle = memory(wiki.child.pid);
  await stop(wiki.child);
  const nginx = await start(["nginx", "-c", join(root, "nginx.conf"), "-p", root], `http://${PEER}/`);
  await stop(nginx.child);
  runs.push({ readyMs: wiki.readyMs, nginxReadyMs: nginx.readyMs, ...idle });
}
const of = (name) => median(runs.map((run) => run[name]));
console.log(JSON.stringify({ pages: PAGES, importSeconds, firstStartMs: first.readyMs, afterIndexing: indexedMemory, runs,
  median: { readyMs: of("readyMs"), nginxReadyMs: of("nginxReadyMs"), idleResidentMb: of("residentMb"), idleOwnMb: of("ownMb") } }, null, 2));
