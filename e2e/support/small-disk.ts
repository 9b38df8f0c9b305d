import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of a few megabytes, in memory, that can be filled to its last byte and made free again. */
export class SmallDisk {
  private constructor(
    readonly folder: string,
    /** What to put before a command that is to see the disk. */
    readonly inside: string[],
    private readonly holder: ChildProcess | undefined,
  ) {}

  /** Root mounts it; everybody else sees it in a namespace of their own. */
  static async create(megabytes: number): Promise<SmallDisk> {
    const folder = mkdtempSync(join(tmpdir(), "watersmeet-disk-"));
    const mount = ["mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", folder];
    if (process.getuid?.() === 0) {
      run(mount);
      return new SmallDisk(folder, [], undefined);
    }
    const script = `${mount.join(" ")} && echo ready && exec sleep infinity`;
    const holder = spawn("unshare", ["--map-current-user", "--keep-caps", "--mount", "sh", "-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(holder.stdout!, "data");
    const inside = ["nsenter", "--target", `${holder.pid}`, "--user", "--mount", "--preserve-credentials"];
    return new SmallDisk(folder, inside, holder);
  }

  /** Takes all that is free. */
  fill(): void {
    run([...this.inside, "sh", "-c", `cat /dev/zero > ${this.folder}/balloon 2>/dev/null; true`]);
  }

  /** Gives it back. */
  free(): void {
    run([...this.inside, "rm", "-f", `${this.folder}/balloon`]);
  }

  remove(): void {
    if (this.holder) this.holder.kill();
    else run(["umount", "--lazy", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function run(words: string[]): void {
  execFileSync(words[0]!, words.slice(1), { stdio: ["ignore", "ignore", "inherit"] });
}
