// One server of a cluster, on the official Node packages: the twin of the program `fixture-interop`, and its oracle.
// The settings come from the environment, see README.md. Nothing is guarded beyond what the official documents
// show, so whatever ends a stock Node server ends this one too.
import { createServer } from "node:http";
import { createAdapter as createClassic, createShardedAdapter } from "@socket.io/redis-adapter";
import { createAdapter as createStreams } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const { env } = process;
const port = Number(argument("--port") ?? env.PORT);
const url = argument("--redis") ?? env.REDIS_URL;
if (!Number.isInteger(port) || !url) {
  console.error("usage: node-server.mjs --port N --redis URL");
  process.exit(2);
}
const name = env.SERVER_NAME ?? "node";
const prefix = env.PREFIX ?? "socket.io";

const clients = [];
const options = { serveClient: false };
options.adapter = await adapter(env.ADAPTER ?? "redis");
if (env.CSR === "1") {
  options.connectionStateRecovery = { maxDisconnectionDuration: 30_000, skipMiddlewares: true };
}
if ((env.ADMIN ?? "") !== "") options.cors = { origin: ["https://admin.socket.io"], credentials: true };
const http = createServer();
const io = new Server(http, options);

function argument(flag) {
  const at = process.argv.indexOf(flag);
  return at === -1 ? undefined : process.argv[at + 1];
}

/** A connected client, which logs its errors as the official documents do: without a listener they end the process. */
async function redis() {
  const client = createClient({ url });
  client.on("error", (error) => console.error(`redis: ${error.message}`));
  clients.push(client);
  return client.connect();
}

async function adapter(kind) {
  switch (kind) {
    case "redis":
      return createClassic(await redis(), await redis(), {
        key: prefix,
        publishOnSpecificResponseChannel: env.SPECIFIC_RESPONSE === "1",
      });
    case "sharded":
      return createShardedAdapter(await redis(), await redis(), {
        channelPrefix: prefix,
        subscriptionMode: env.SUBSCRIPTION_MODE ?? "dynamic",
      });
    case "streams":
      return createStreams(await redis(), { streamName: prefix, channelPrefix: prefix });
    default:
      throw new Error(`ADAPTER is redis, sharded or streams, not ${kind}`);
  }
}

/** The broadcast operator of a target. */
function target(t, from = io.of(t.nsp ?? "/")) {
  const flags = t.flags ?? {};
  let operator = from;
  if (flags.volatile) operator = operator.volatile;
  if (flags.local) operator = operator.local;
  if (flags.compress !== undefined) operator = operator.compress(flags.compress);
  return operator.to(t.rooms ?? []).except(t.except ?? []);
}

const text = (error) => (error ? String(error.message ?? error) : null);
const notes = [];

function flood(t, event, count, interval) {
  const began = Date.now();
  let sent = 0;
  const timer = setInterval(
    () => {
      const due = Math.min(count, Math.floor((Date.now() - began) / interval) + 1);
      while (sent < due) target(t).emit(event, sent++, Date.now(), name);
      if (sent === count) clearInterval(timer);
    },
    Math.min(interval, 5),
  );
}

for (const nsp of ["/", "/chat"].map((path) => io.of(path))) {
  nsp.on("sse-note", (...args) => notes.push([nsp.name, ...args]));
  nsp.on("sse-ask", (x, ack) => ack({ from: name, x }));
  nsp.on("sse-silent", () => {});

  nsp.on("connection", (socket) => {
    const { query } = socket.handshake;
    if (!socket.recovered) {
      socket.data = { name: query.name ?? null, srv: name };
      if (query.room) socket.join(query.room.split(","));
    }

    socket.on("whoami", (ack) => {
      const rooms = [...socket.rooms].sort();
      ack({ server: name, sid: socket.id, rooms, recovered: socket.recovered, data: socket.data });
    });
    socket.on("join", async (rooms, ack) => {
      await socket.join(rooms);
      ack("ok");
    });
    socket.on("leave", async (rooms, ack) => {
      for (const room of rooms) await socket.leave(room);
      ack("ok");
    });
    socket.on("emit", (t, event, args, ack) => {
      target(t).emit(event, ...args);
      ack("ok");
    });
    socket.on("socket-emit", (t, event, args, ack) => {
      target(t, socket.broadcast).emit(event, ...args);
      ack("ok");
    });
    socket.on("emit-ack", (t, ms, event, args, ack) => {
      target(t)
        .timeout(ms)
        .emit(event, ...args, (error, responses) => ack({ err: text(error), responses: responses ?? [] }));
    });
    socket.on("fetch-sockets", async (t, ack) => {
      try {
        const sockets = await target(t).fetchSockets();
        ack({ err: null, sockets: sockets.map(seen) });
      } catch (error) {
        ack({ err: text(error), sockets: [] });
      }
    });
    socket.on("remote-emit-ack", async (sid, ms, event, args, ack) => {
      try {
        const [remote] = await nsp.in(sid).fetchSockets();
        if (!remote) throw new Error("no such socket");
        ack({ err: null, response: await remote.timeout(ms).emitWithAck(event, ...args) });
      } catch (error) {
        ack({ err: text(error), response: null });
      }
    });
    socket.on("sockets-join", (t, rooms, ack) => {
      target(t).socketsJoin(rooms);
      ack("ok");
    });
    socket.on("sockets-leave", (t, rooms, ack) => {
      target(t).socketsLeave(rooms);
      ack("ok");
    });
    socket.on("disconnect-sockets", (t, close, ack) => {
      target(t).disconnectSockets(close);
      ack("ok");
    });
    socket.on("server-side-emit", (path, event, args, ack) => {
      io.of(path).serverSideEmit(event, ...args);
      ack("ok");
    });
    socket.on("server-side-emit-ack", (path, event, args, ack) => {
      io.of(path).serverSideEmit(event, ...args, (error, responses) => {
        ack({ err: text(error), responses: responses ?? [] });
      });
    });
    socket.on("sse-log", (ack) => ack(notes));
    socket.on("server-count", async (ack) => {
      try {
        ack(await nsp.adapter.serverCount());
      } catch (error) {
        ack(text(error));
      }
    });
    socket.on("flood", (t, event, count, interval, ack) => {
      ack("ok");
      flood(t, event, count, interval);
    });
  });
}

/** What `fetch-sockets` tells of a socket, here or elsewhere. */
function seen({ id, rooms, data, handshake }) {
  const { address, query, auth, headers, issued, url } = handshake;
  return { id, rooms: [...rooms].sort(), data, address, query, auth, hasHeaders: Boolean(headers), issued, url };
}

if ((env.ADMIN ?? "") !== "") {
  // Only here, because they take longer to load than all the rest.
  const [{ instrument }, { default: bcrypt }] = await Promise.all([import("@socket.io/admin-ui"), import("bcryptjs")]);
  const password = bcrypt.hashSync("changeit", 4);
  instrument(io, {
    auth: env.ADMIN === "basic" ? { type: "basic", username: "admin", password } : false,
    mode: env.ADMIN_MODE ?? "development",
    readonly: env.ADMIN_READONLY === "1",
    serverId: name,
  });
}

process.once("SIGTERM", async () => {
  await io.close();
  // What is on its way to Redis, such as the sessions, goes out first.
  await Promise.allSettled(clients.map((client) => client.close()));
  process.exit(0);
});
http.listen(port, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));
