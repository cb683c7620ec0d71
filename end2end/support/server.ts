import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

const program = process.env.BESPOKEN_BIN;

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
  private process?: ChildProcess;
  private output = "";

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly flags: string[],
  ) {}

  static async start(flags: string[] = ["--demo"]): Promise<Server> {
    const server = new Server(mkdtempSync(path.join(tmpdir(), "bespoken-")), await freePort(), flags);
    await server.run();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private get database(): string {
    return `sqlite://${path.join(this.folder, "bespoken.db")}`;
  }

  /** Starts the program on the same port and database as before. */
  async run(): Promise<void> {
    if (!program) throw new Error("BESPOKEN_BIN names the server's program; `cargo xtask test` sets it");
    this.output = "";
    const flags = ["serve", "--listen", `127.0.0.1:${this.port}`, "--data-dir", this.folder, ...this.flags];
    const child = spawn(program, flags, {
      env: { ...process.env, DATABASE_URL: this.database, BESPOKEN_LIMIT_SENDS: "100000" },
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

  async stop(): Promise<void> {
    await this.kill();
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
