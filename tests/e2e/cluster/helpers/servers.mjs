// Servers of a cluster as processes: the official one, or the one that a command starts.
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { eventually } from "../../helpers/harness.mjs";
import { words } from "../../helpers/start.mjs";
import { child, freePort } from "./children.mjs";
import { link } from "./link.mjs";

const node = fileURLToPath(new URL("../node-server.mjs", import.meta.url));

/** The kind that is under test: `ours` if the runner has a command for it. */
export const tested = process.env.CLUSTER_SERVER ? "ours" : "node";

/** Starts a server of a kind, behind a link of its own, and waits for its port. `env` says how, see README.md. */
export async function startServer(kind, { name, redis, env }) {
  const network = await link(redis);
  const port = await freePort();
  let process_;
  const launch = async () => {
    const values = { port: String(port), redis: network.url, adapter: env.ADAPTER };
    const line = kind === "ours" ? words(process.env.CLUSTER_SERVER) : [process.execPath, node, "--port", "{port}"];
    const [command, ...args] = line.map((word) => word.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole));
    process_ = child(command, args, { PORT: values.port, REDIS_URL: network.url, SERVER_NAME: name, ...env });
    await eventually(`${kind} server ${name} listens`, () => listens(port, process_), 20_000);
  };
  await launch();

  return {
    kind,
    name,
    port,
    link: network,
    url: `http://127.0.0.1:${port}`,
    get exit() {
      return process_.exit;
    },
    get pid() {
      return process_.pid;
    },
    tail: () => process_.tail(),
    pause: () => process_.signal("SIGSTOP"),
    resume: () => process_.signal("SIGCONT"),
    kill: () => process_.end("SIGKILL"),

    /** Asks it to close, and waits until it has. */
    close: () => process_.end("SIGTERM"),

    /** On the same port. */
    restart: launch,

    async stop() {
      process_.signal("SIGCONT");
      await process_.end("SIGKILL");
      network.close();
    },
  };
}

async function listens(port, process_) {
  if (process_.exit !== undefined) throw new Error(`the server ended (${process_.exit}):\n${process_.tail()}`);
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
