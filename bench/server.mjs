// What the programs beside this file share: a server on data of its own, pinned to one core, and medians.

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export const BINARY = resolve(process.env.WATERSMEET_BINARY ?? join(import.meta.dirname, "../target/release/watersmeet"));

const START_MAX_MS = 20_000;

export function folder() {
  const path = mkdtempSync(join(tmpdir(), "watersmeet-bench-"));
  // A peer started by root reads its files as an ordinary account.
  chmodSync(path, 0o755);
  return path;
}

export function watersmeet(words, input = "") {
  return execFileSync(BINARY, words, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"], maxBuffer: 1 << 30 });
}

/** Runs a program on core 0 and waits until the address answers. Gives the process and the milliseconds that took. */
export async function start(words, address) {
  const began = performance.now();
  const child = spawn("taskset", ["-c", "0", ...words], { stdio: "ignore" });
  while (performance.now() - began < START_MAX_MS) {
    if (child.exitCode !== null) throw new Error(`${words[0]} ended with ${child.exitCode}`);
    try {
      const answer = await fetch(address);
      await answer.arrayBuffer();
      if (answer.ok) return { child, readyMs: performance.now() - began };
    } catch {
      // Not listening yet.
    }
    await pause(2);
  }
  child.kill("SIGKILL");
  throw new Error(`${address} did not answer well within ${START_MAX_MS} ms`);
}

export async function stop(child) {
  const ended = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await ended;
}

/** Resident memory in MB, and how much of it is the process's own (not pages of files, which the system may take back). */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const kilobytes = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? 0);
  return { residentMb: kilobytes("VmRSS") / 1024, ownMb: kilobytes("RssAnon") / 1024 };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
