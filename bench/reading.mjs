// Requests per second for a 70 kB page from the cache, beside nginx serving the very same bytes as a file.
// Server on core 0, load on core 1, 16 connections, the two in turn, five runs each, medians. Needs wrk and nginx.

import { execFileSync } from "node:child_process";
import { writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { BINARY, folder, median, start, stop, watersmeet } from "./server.mjs";
import { write } from "./space.mjs";

const RUNS = 5;
const SECONDS = 5;
const WIKI = "127.0.0.1:18090";
const PEER = "127.0.0.1:18091";

const place = folder();
write(join(place, "export"), 20, 70_000);
const data = join(place, "data");
watersmeet(["user", "add", "ann", "--admin", "--password-stdin", "--data", data], "correct horse battery");
watersmeet(["import", "confluence", join(place, "export"), "--data", data, "--json"]);
const wiki = await start([BINARY, "serve", "--data", data, "--listen", WIKI], `http://${WIKI}/status`);
const page = await fetch(`http://${WIKI}/display/BENCH/Page+7`, { headers: { "accept-encoding": "identity" } });
const html = await page.text();
if (!page.ok) throw new Error(`the page answers ${page.status}`);
const path = new URL(page.url).pathname;

const root = join(place, "nginx");
mkdirSync(root);
writeFileSync(join(root, "page.html"), html);
writeFileSync(join(root, "nginx.conf"), `daemon off; worker_processes 1; pid ${root}/pid; error_log ${root}/error.log;
events { worker_connections 256; }
http { access_log off; sendfile on; types { text/html html; } server { listen ${PEER}; root ${root}; } }`);
const nginx = await start(["nginx", "-c", join(root, "nginx.conf"), "-p", root], `http://${PEER}/page.html`);

function load(address) {
  const words = ["-c", "1", "wrk", "-t1", "-c16", `-d${SECONDS}s`, address];
  const output = execFileSync("taskset", words, { encoding: "utf8" });
  if (/Non-2xx/.test(output)) throw new Error(output);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)[1]);
}

const ours = [];
const theirs = [];
load(`http://${WIKI}${path}`);
for (let run = 0; run < RUNS; run++) {
  ours.push(load(`http://${WIKI}${path}`));
  theirs.push(load(`http://${PEER}/page.html`));
}
await stop(wiki.child);
await stop(nginx.child);
console.log(JSON.stringify({ bytes: html.length, path, watersmeet: ours, nginx: theirs, median: { watersmeet: median(ours), nginx: median(theirs) }, ratio: median(ours) / median(theirs) }, null, 2));
