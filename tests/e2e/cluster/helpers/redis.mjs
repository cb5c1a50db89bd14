// A Redis of one's own: a real redis-server in a folder that goes away, which can be killed, paused and restarted.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { within } from "../../helpers/harness.mjs";
import { child, freePort } from "./children.mjs";

const PROGRAM = process.env.REDIS_SERVER ?? "redis-server";
const READY = /Ready to accept connections/;

/** Starts one. `durable`: every write is on the disk before it is answered; otherwise nothing survives it. */
export async function startRedis({ durable = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "cluster-redis-"));
  const persistence = durable ? ["--appendonly", "yes", "--appendfsync", "always"] : ["--appendonly", "no"];
  const launch = async (port) => {
    const address = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
    const server = child(PROGRAM, [...address, "--save", "", "--loglevel", "notice", ...persistence]);
    await within(server.says(READY), "redis-server to be ready", 20_000);
    return server;
  };

  let port = await freePort();
  let server;
  for (let attempt = 1; server === undefined; attempt++) {
    try {
      server = await launch(port);
    } catch (error) {
      // Somebody else may have taken the port meanwhile.
      if (attempt === 5 || !/in use/.test(error.message)) throw error;
      port = await freePort();
    }
  }

  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, socket: { reconnectStrategy: 20 } });
  client.on("error", () => {});
  await client.connect();

  const links = new Set();
  return {
    port,
    url,
    get pid() {
      return server.pid;
    },

    /** The links that lead here, which have no other end without it. */
    links,

    /** Sends one command, words or buffers, and returns the answer. */
    send: (...words) => client.sendCommand(words),

    /** No time to say anything to anybody. */
    async kill() {
      for (const link of links) link.refuse();
      await server.end("SIGKILL");
    },

    /** On the same port, with what it had written down. */
    async restart() {
      server = await launch(port);
      await Promise.all([...links].map((link) => link.accept()));
    },

    pause: () => server.signal("SIGSTOP"),
    resume: () => server.signal("SIGCONT"),

    async stop() {
      client.destroy();
      server.signal("SIGCONT");
      await server.end("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
