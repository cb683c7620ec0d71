import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const program = process.env.BESPOKEN_BIN;
/** A PostgreSQL server to make databases on, as its superuser; none: each server has an SQLite file. */
const postgres = process.env.BESPOKEN_TEST_DATABASE === "postgres" ? process.env.BESPOKEN_TEST_POSTGRES : undefined;

/** A port of this machine that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** The real program as its own process, with a database of its own. */
export class Server {
  /** Whether its disk can be full. */
  static readonly canBeFull = process.platform === "linux" && !postgres;

  private process?: ChildProcess;
  private output = "";

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly flags: string[],
  ) {}

  static async start(flags: string[] = ["--demo"]): Promise<Server> {
    const server = new Server(mkdtempSync(path.join(tmpdir(), "bespoken-")), await freePort(), flags);
    server.sql("create database");
    await server.run();
    return server;
  }

  /** Makes or drops this server's database, if it is not a file of its own. */
  private sql(statement: "create database" | "drop database if exists"): void {
    if (!postgres) return;
    const end = statement === "create database" ? "" : " with (force)";
    const command = `${statement} ${this.databaseName}${end}`;
    execFileSync(process.env.BESPOKEN_PSQL ?? "psql", ["--quiet", "--no-psqlrc", "--command", command, postgres]);
  }

  private get databaseName(): string {
    return `bespoken_${path.basename(this.folder).replace(/\W/g, "_").toLowerCase()}_${this.port}`;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private get database(): string {
    if (!postgres) return `sqlite://${path.join(this.folder, "bespoken.db")}`;
    const url = new URL(postgres);
    url.pathname = this.databaseName;
    return url.toString();
  }

  /** Starts the program on the same port and database as before. */
  async run(): Promise<void> {
    if (!program) throw new Error("BESPOKEN_BIN names the server's program; `cargo xtask test` sets it");
    this.output = "";
    const flags = ["serve", "--listen", `127.0.0.1:${this.port}`, "--data-dir", this.folder, ...this.flags];
    // Told that a file may not grow any more, a process ends, unless it was started not to mind.
    const patient = ["sh", "-c", `trap '' XFSZ; exec "$0" "$@"`];
    const [command, ...words] = [...(Server.canBeFull ? patient : []), program, ...flags];
    const child = spawn(command, words, {
      // With the limits that every server has: nobody who does what these tests do may run into one.
      env: { ...process.env, DATABASE_URL: this.database },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (chunk) => {
        this.output += chunk;
        if (this.output.includes("listening on")) resolve();
      });
      child.stderr?.on("data", (chunk) => (this.output += chunk));
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}:\n${this.output}`)));
    });
  }

  /** Ends the program at once, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** From now on its database may not grow, as if the disk were full; or may again. */
  full(isFull: boolean): void {
    const most = isFull ? statSync(path.join(this.folder, "bespoken.db-wal")).size : "unlimited";
    execFileSync("prlimit", ["--pid", String(this.process?.pid), `--fsize=${most}:`]);
  }

  async stop(): Promise<void> {
    await this.kill();
    this.sql("drop database if exists");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A link that the server printed when it started. */
  link(what: "admin" | "customer" | "guest" | "setup"): string {
    const line = {
      admin: /sign in as an admin:\s+(\S+)/,
      customer: /sign in as a customer:\s+(\S+)/,
      guest: /come as a guest:\s+(\S+)/,
      setup: /(\S+\/setup\?token=\S+)/,
    }[what];
    const found = this.output.match(line)?.[1];
    if (!found) throw new Error(`no ${what} link in:\n${this.output}`);
    return found;
  }

  /** A new API token of the demo's admin. */
  token(): string {
    if (!program) throw new Error("BESPOKEN_BIN is not set");
    const flags = ["token", "create", "--email", "admin@demo.invalid", "--database-url", this.database];
    return execFileSync(program, flags, { stdio: ["ignore", "pipe", "ignore"] }).toString().trim();
  }
}
