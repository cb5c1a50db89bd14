// Several servers behind one Redis, and the stock client on each of them.
import { io } from "socket.io-client";
import { DEADLINE, cleanup, eventually, within } from "../../helpers/harness.mjs";
import { startRedis } from "./redis.mjs";
import { startServer, tested } from "./servers.mjs";
import { hasChannel, roomSubscribers, subscribers } from "./variants.mjs";

/** Both directions between the kinds, and between two of ours; or what the runner was told. */
export const MIXED =
  process.env.CLUSTER_KINDS?.split(",") ?? (tested === "ours" ? ["node", "ours", "ours"] : ["node", "node", "node"]);
/** All servers are the ones under test. */
export const PURE = [tested, tested];

/** Starts servers of these kinds. They hear each other when this returns. */
export async function startCluster(env, { kinds = MIXED, redis: existing, durable } = {}) {
  const redis = existing ?? (await startRedis({ durable }));
  const self = { env, redis, servers: [] };
  self.stop = async () => {
    await Promise.all(self.servers.map((server) => server.stop()));
    if (!existing) await redis.stop();
  };
  try {
    const start = (kind, at) => startServer(kind, { name: `${kind}-${at}`, redis, env });
    const started = await Promise.allSettled(kinds.map(start));
    self.servers = started.filter(({ status }) => status === "fulfilled").map(({ value }) => value);
    const failed = started.find(({ status }) => status === "rejected");
    if (failed) throw failed.reason;
    await complete(self);
    await warm(self.servers);
    return self;
  } catch (error) {
    await self.stop();
    throw error;
  }
}

/** Waits until Redis counts every server in both namespaces. */
export async function complete({ redis, env, servers }, count = servers.length) {
  for (const nsp of ["/", "/chat"]) {
    const counted = async () => {
      const dead = count === servers.length && servers.find(({ exit }) => exit !== undefined);
      if (dead) throw new Error(`${dead.name} ended (${dead.exit}):\n${dead.tail()}`);
      return (await subscribers(redis, env, nsp)) === count;
    };
    await eventually(`Redis counts ${count} servers of ${nsp}`, counted, 15_000);
  }
}

/** Waits until each server hears each: a reader of streams begins at "now", which nothing else tells. */
export async function warm(servers) {
  const sockets = await Promise.all(servers.map((server) => open(server, { tidy: false })));
  const heard = sockets.map((socket) => {
    const from = new Set();
    socket.on("warm", (index) => from.add(index));
    return from;
  });
  const all = async () => {
    await Promise.all(sockets.map((socket, index) => ask(socket, "emit", {}, "warm", [index])));
    return heard.every((from) => from.size === servers.length);
  };
  await eventually("each server hears each", all, 15_000);
  for (const socket of sockets) drop(socket);
}

/** A client that is not yet connected; the fixture puts it into the rooms. */
export function client(server, { nsp = "/", rooms = [], name, query, tidy = true, ...options } = {}) {
  const socket = io(`${server.url}${nsp}`, {
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
    query: { ...query, ...(name && { name }), ...(rooms.length > 0 && { room: rooms.join(",") }) },
    ...options,
  });
  socket.server = server;
  socket.wanted = rooms;
  /** Everything that came, in order: [[event, ...args]]. */
  socket.events = [];
  socket.onAny((...event) => socket.events.push(event));
  if (tidy) cleanup(() => drop(socket));
  return socket;
}

export async function open(server, options) {
  return connected(client(server, options));
}

export async function connected(socket, ms = DEADLINE) {
  const outcome = new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
  if (!socket.connected) await within(outcome, `a connection to ${socket.server.name}`, ms);
  return socket;
}

export function drop(socket) {
  socket.disconnect();
  socket.io._close();
}

/** The first argument of the acknowledgement. */
export function ask(socket, event, ...args) {
  return askIn(DEADLINE, socket, event, ...args);
}

export function askIn(ms, socket, event, ...args) {
  const answer = new Promise((resolve) => socket.emit(event, ...args, resolve));
  return within(answer, `the ack of ${event} from ${socket.server.name}`, ms);
}

/** Waits until Redis knows who listens to the rooms of these sockets: Node subscribes after a join has returned. */
export async function settled({ redis, env }, sockets) {
  const members = new Map();
  for (const socket of sockets) {
    for (const room of [...socket.wanted, socket.id]) {
      if (!hasChannel(env, room, room === socket.id)) continue;
      const key = JSON.stringify([socket.nsp, room]);
      members.set(key, (members.get(key) ?? new Set()).add(socket.server));
    }
  }
  for (const [key, servers] of members) {
    const [nsp, room] = JSON.parse(key);
    const counted = async () => (await roomSubscribers(redis, env, nsp, room)) === servers.size;
    await eventually(`${servers.size} servers listen to the room ${room}`, counted);
  }
}

/** Each of `sockets` has everything that `caller` caused before: nothing overtakes an event of the same server. */
let fences = 0;
export async function fence(caller, sockets, nsp = "/") {
  const event = `fence-${fences++}`;
  const arrivals = sockets.map((socket) => new Promise((resolve) => socket.once(event, resolve)));
  await ask(caller, "emit", { nsp }, event, []);
  await within(Promise.all(arrivals), `${event} at all of ${sockets.length} clients`);
}

/**
 * What came of one event: the arguments of each time. Recovery appends an offset to each, and ours a `null` where there is none
 * and the last argument is text, which a client would take for one.
 */
export function received(socket, event, { env }) {
  const found = socket.events.filter(([name]) => name === event).map(([, ...args]) => args);
  const isAppended = (args) => isOffset(args.at(-1)) || (args.at(-1) === null && typeof args.at(-2) === "string");
  return env.CSR === "1" ? found.map((args) => (isAppended(args) ? args.slice(0, -1) : args)) : found;
}

export const isOffset = (value) => typeof value === "string" && /^\d+-\d+$/.test(value);
