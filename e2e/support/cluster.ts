import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { freePort } from "./server.js";
import { run, type SmallDisk } from "./small-disk.js";

/** A PostgreSQL server whose data lies on a small disk. */
export class Cluster {
  private constructor(
    readonly url: string,
    private readonly command: (program: string, ...words: string[]) => void,
    readonly start: () => void,
  ) {}

  /** Whether the server is there, also when it takes nobody. */
  runs(): boolean {
    try {
      this.command("pg_ctl", "status");
      return true;
    } catch {
      return false;
    }
  }

  /** With `tightLog` its write-ahead log has to grow soon; without space for that it stops. */
  static async create(disk: SmallDisk, tightLog = false): Promise<Cluster> {
    const programs = installed();
    const data = join(disk.folder, "postgres");
    const port = await freePort();
    // The server refuses to run as root, so root hands the folder to an ordinary account.
    const account = process.getuid?.() === 0 ? ["runuser", "-u", ordinaryAccount(), "--"] : [];
    run([...disk.inside, "mkdir", data]);
    if (account.length > 0) run(["chown", account[2]!, data]);
    const command = (program: string, ...words: string[]) => run([...disk.inside, ...account, join(programs, program), "-D", data, ...words]);
    const segments = tightLog ? ["--wal-segsize=1"] : [];
    command("initdb", ...segments, "--auth=trust", "--username=postgres", "--locale=C", "--encoding=UTF8", "--no-sync");
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c min_wal_size=${tightLog ? 2 : 32}MB -c max_wal_size=${tightLog ? 3 : 48}MB -c max_connections=40`;
    const start = () => command("pg_ctl", "-o", settings, "-w", "-l", join(data, "log"), "start");
    start();
    const server = `postgres://postgres@127.0.0.1:${port}`;
    const client = new pg.Client({ connectionString: `${server}/postgres` });
    await client.connect();
    await client.query("CREATE DATABASE wiki");
    await client.end();
    return new Cluster(`${server}/wiki`, command, start);
  }

  /** Writes to the write-ahead log until the server has stopped for want of space. */
  async exhaustLog(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    client.on("error", () => undefined);
    await client.connect();
    for (let segment = 0; segment < 200 && this.runs(); segment++) {
      const wrote = await client.query("SELECT pg_logical_emit_message(false, 'x', repeat('y', 900000))").catch(() => null);
      if (wrote === null) break;
    }
    await client.end().catch(() => undefined);
    for (let look = 0; look < 100 && this.runs(); look++) await pause(100);
  }

  stop(): void {
    if (this.runs()) this.command("pg_ctl", "-m", "immediate", "stop");
  }
}

/** The folder of PostgreSQL's own programs. */
function installed(): string {
  const base = "/usr/lib/postgresql";
  const versions = existsSync(base) ? readdirSync(base).map((version) => join(base, version, "bin")) : [];
  const folders = [...versions.sort().reverse(), ...(process.env.PATH ?? "").split(":")];
  const folder = folders.find((candidate) => existsSync(join(candidate, "initdb")));
  if (!folder) throw new Error("PostgreSQL's `initdb` is not installed");
  return folder;
}

function ordinaryAccount(): string {
  for (const name of ["postgres", "nobody"]) {
    try {
      execFileSync("id", [name], { stdio: "ignore" });
      return name;
    } catch {
      // The next one.
    }
  }
  throw new Error("no ordinary account to run PostgreSQL under");
}
