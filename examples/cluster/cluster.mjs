// Starts the servers of the cluster on free ports of the loopback, and stops them again: Redis, three servers of the chat in Rust, one
// in Node, and a load balancer in front of them.
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TARGET = process.env.CARGO_TARGET_DIR ?? join(HERE, "../../target");
const CHAT = process.env.CHAT ?? join(TARGET, "debug/chat-example");
/** How long a process may take to start or to end, in milliseconds. */
const PATIENCE = 20_000;

/** The processes that run, which end with this one at the latest. */
const running = new Set();
process.once("exit", () => running.forEach((process) => process.kill("SIGKILL")));

/** A process with what it has said last. `ready` matches what it says when it has started. */
async function start(name, command, args, { ready, env = {} } = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  running.add(child);
  let said = "";
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  ended.then(() => running.delete(child));
  const found = new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        said = (said + text).slice(-10_000);
        const match = ready?.exec(said);
        if (match) resolve(match);
      });
    }
  });
  const match = await Promise.race([
    ready ? found : undefined,
    ended.then((why) => Promise.reject(new Error(`${name} ended (${why}): ${said}`))),
    late(`${name} does not start`, () => said),
  ]);
  return {
    name,
    match,
    ended,
    said: () => said,
    async stop(signal = "SIGINT") {
      child.kill(signal);
      const killer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
      await ended;
      clearTimeout(killer);
    },
  };
}

function late(what, more = () => "") {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: ${more()}`)), PATIENCE).unref());
}

/** A port that is free now. Whoever takes it first has it. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** For programs that cannot choose a port themselves: another one if somebody else was faster. */
async function onFreePort(start) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === 5 || !/in use|cannot bind/i.test(error.message)) throw error;
    }
  }
}

async function startRedis(folder) {
  const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder];
  return onFreePort(async (port) => {
    const redis = await start("redis", "redis-server", ["--port", String(port), ...settings], { ready: /Ready to accept/ });
    return { ...redis, url: `redis://127.0.0.1:${port}` };
  });
}

/** One of ours. Its mark is what the load balancer goes by. */
export async function startChat(name, redis, port = "0") {
  const server = await start(name, CHAT, ["--port", port, "--redis", redis, "--mark", `${name}_`], { ready: /open (http:\S+)/ });
  return { ...server, url: server.match[1] };
}

async function startNode(redis) {
  const args = [join(HERE, "node/server.mjs"), "--redis", redis];
  const server = await start("node", process.execPath, args, { ready: /open (http:\S+)/ });
  return { ...server, url: server.match[1] };
}

/** In front of servers, by their names: `${N0}` in its configuration is the port of the server `n0`. */
async function startBalancer(kind, servers, folder, port) {
  const ports = Object.fromEntries(servers.map((server) => [server.name.toUpperCase(), new URL(server.url).port]));
  const launch = async (port) => {
    const values = { ...ports, FOLDER: folder, PORT: String(port) };
    let balancer;
    if (kind === "nginx") {
      const file = join(folder, "nginx.conf");
      const text = readFileSync(join(HERE, "nginx.conf"), "utf8").replace(/\$\{([A-Z0-9]+)\}/g, (_, name) => values[name]);
      writeFileSync(file, text);
      balancer = await start(kind, "nginx", ["-p", folder, "-e", "stderr", "-c", file]);
    } else {
      balancer = await start(kind, "haproxy", ["-db", "-q", "-f", join(HERE, "haproxy.cfg")], { env: values });
    }
    const url = `http://127.0.0.1:${port}`;
    await Promise.race([
      answers(url),
      balancer.ended.then((why) => Promise.reject(new Error(`${kind} ended (${why}): ${balancer.said()}`))),
      late(`${kind} does not answer`, balancer.said),
    ]);
    return { ...balancer, url };
  };
  return port ? launch(port) : onFreePort(launch);
}

/** Until there is a page. Neither balancer says when it listens. */
async function answers(url) {
  for (;;) {
    const found = await fetch(url).catch(() => undefined);
    await found?.body?.cancel();
    if (found?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Whether a program is there to be started. */
export function isInstalled(program) {
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];
  process.env.PATH = folders.join(":");
  return folders.some((folder) => existsSync(join(folder, program)));
}

/** Starts all of it. `balancer`: `nginx` or `haproxy`; its `port`, else a free one. `redis`: the URL of one that runs already. */
export async function startCluster({ balancer, port, redis = process.env.REDIS_URL }) {
  if (!existsSync(CHAT)) throw new Error(`${CHAT} is missing: cargo build -p chat-example --features redis`);
  const folder = mkdtempSync(join(tmpdir(), "cluster-example-"));
  // The workers of nginx may run as somebody else.
  chmodSync(folder, 0o755);
  const [started, servers] = [[], []];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    for (const process of started.reverse()) await process.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    if (!redis) {
      started.push(await startRedis(folder));
      redis = started[0].url;
    }
    for (const name of ["n0", "n1", "n2"]) servers.push(await startChat(name, redis));
    servers.push(await startNode(redis));
    const front = await startBalancer(balancer, servers, folder, port);
    started.push(front);
    return { redis, servers, url: front.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
