import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

export type Database = "sqlite" | "postgres";

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

const BINARY = process.env.WATERSMEET_BINARY ?? "../target/debug/watersmeet";
const START_TIMEOUT_MS = 20_000;

/** A real server process with a data directory of its own; the address stays the same over restarts. */
export class WikiServer {
  private process: ChildProcess | undefined;
  private output = "";
  /** The address that browsers use, when something stands in front. */
  publicUrl: string | undefined;
  /** What `serve` is told beside its place and its address. */
  flags: string[] = [];
  /** Settings that it takes from its environment: `WATERSMEET_...`. */
  environment: Record<string, string> = {};

  private constructor(
    readonly url: string,
    readonly data: string,
    private readonly database: string | undefined,
    /** What stands before every command, for a server that sees other disks than the test. */
    private readonly inside: string[] = [],
  ) {}

  /** A server on this folder and database. Not started yet. */
  static async at(data: string, database: string | undefined, inside: string[]): Promise<WikiServer> {
    return new WikiServer(`http://127.0.0.1:${await freePort()}`, data, database, inside);
  }

  /** A server on a fresh data directory and, for PostgreSQL, a fresh database. Not started yet. */
  static async create(kind: Database = "sqlite"): Promise<WikiServer> {
    const port = await freePort();
    const data = mkdtempSync(join(tmpdir(), "watersmeet-e2e-"));
    const database = kind === "postgres" ? await freshDatabase() : undefined;
    return new WikiServer(`http://127.0.0.1:${port}`, data, database);
  }

  /** Another process over the same data. Not started yet. */
  async beside(): Promise<WikiServer> {
    return new WikiServer(`http://127.0.0.1:${await freePort()}`, this.data, this.database, this.inside);
  }

  /** A running server with the administrator `ann` (password `correct horse battery`). */
  static async withAdministrator(kind: Database = "sqlite"): Promise<WikiServer> {
    const server = await WikiServer.create(kind);
    await server.addUser("ann", "Ann Lee", "--admin");
    await server.start();
    return server;
  }

  async addUser(name: string, fullName: string, ...more: string[]): Promise<void> {
    const added = await this.cli(["user", "add", name, "--full-name", fullName, "--password-stdin", ...more], PASSWORD);
    if (added.code !== 0) throw new Error(`user add failed: ${added.stderr}`);
  }

  /** Starts the program and returns when it answers. */
  async start(): Promise<void> {
    const address = new URL(this.url).host;
    const named = this.publicUrl ? ["--public-url", this.publicUrl] : [];
    const [program, ...words] = [...this.inside, BINARY, "serve", ...this.place(), "--listen", address, ...named, ...this.flags];
    const child = spawn(program!, words, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...this.environment } });
    this.process = child;
    child.stdout.on("data", (data) => (this.output += data));
    child.stderr.on("data", (data) => (this.output += data));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (child.exitCode !== null) break;
      if (await answers(`${this.url}/status`)) return;
      await pause(20);
    }
    throw new Error(`the server did not start:\n${this.output}`);
  }

  /** Everything the program has printed so far. */
  printed(): string {
    return this.output;
  }

  /** Pulls the plug: SIGKILL, no chance to say good-bye. */
  async kill(): Promise<void> {
    await this.signal("SIGKILL");
  }

  /** Asks it to end, as an operator would; gives its exit code. */
  async stop(): Promise<number | null> {
    return this.signal("SIGTERM");
  }

  /** Ends it and removes what it left. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Runs a subcommand on the same data. */
  async cli(words: string[], input = ""): Promise<Outcome> {
    const [program, ...all] = [...this.inside, BINARY, ...words, ...this.place()];
    const child = spawn(program!, all, { stdio: ["pipe", "pipe", "pipe"] });
    // A command that reads nothing may have ended before its input is closed; its exit code says all there is to say.
    child.stdin.on("error", () => undefined);
    const outcome = { code: -1, stdout: "", stderr: "" };
    child.stdout.on("data", (data) => (outcome.stdout += data));
    child.stderr.on("data", (data) => (outcome.stderr += data));
    child.stdin.end(input);
    const [code] = await once(child, "close");
    return { ...outcome, code: code as number };
  }

  private place(): string[] {
    return ["--data", this.data, ...(this.database ? ["--database", this.database] : [])];
  }

  private async signal(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    return child.exitCode;
  }
}

export const PASSWORD = "correct horse battery";

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function freshDatabase(): Promise<string> {
  const server = process.env.WATERSMEET_TEST_POSTGRES;
  if (!server) throw new Error("WATERSMEET_TEST_POSTGRES is not set; run these tests through `cargo xtask test`");
  const name = `e2e_${process.pid}_${Date.now()}_${Math.floor(Math.random() * 1e6)}`;
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
