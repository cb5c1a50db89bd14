// The conformance fixture (groups H, F1 to F10) on the official Node server: the oracle of the suites.
// Argument types are checked the way a typed server would (a wrong type = the event is ignored, no ack);
// nothing else is guarded, so whatever kills a stock Node server kills this one too.
import { createServer } from "node:http";
import { Server as EngineServer } from "engine.io";
import { Server } from "socket.io";
import msgpack from "socket.io-msgpack-parser";

const flag = process.argv.indexOf("--port");
const port = flag === -1 ? 0 : Number(process.argv[flag + 1]);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error("usage: server.mjs [--port N]");
  process.exit(2);
}

const http = createServer((req, res) => {
  const health = req.method === "GET" && req.url.split("?")[0] === "/healthz";
  res.writeHead(health ? 200 : 404, { "Content-Type": "text/plain" });
  res.end(health ? "ok" : "not found");
});

// F1 and F3: raw Engine.IO, echoes every message
for (const [path, allowEIO3] of [["/engine.io/", false], ["/engine.io-v3/", true]]) {
  const engine = new EngineServer({ pingInterval: 300, pingTimeout: 200, maxHttpBufferSize: 1_000_000, allowEIO3 });
  engine.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  engine.attach(http, { path });
}

// F9: the same, with permessage-deflate
const deflating = new EngineServer({ maxHttpBufferSize: 1_000_000, perMessageDeflate: { threshold: 0 } });
deflating.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
deflating.attach(http, { path: "/engine.io-deflate/" });

// F2: the handlers of the socket.io-protocol Readme
const protocol = new Server(http, {
  path: "/socket.io/",
  serveClient: false,
  pingInterval: 300,
  pingTimeout: 200,
  maxHttpBufferSize: 1_000_000,
  connectTimeout: 1000,
});
protocol.on("connection", (socket) => {
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => {
    const ack = args.pop();
    if (isAck(ack)) ack(...args);
  });
});
protocol.of("/custom").on("connection", (socket) => socket.emit("auth", socket.handshake.auth));

// F4 to F8, and F10: the app
const appOptions = {
  serveClient: false,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  maxHttpBufferSize: 1_000_000,
  connectTimeout: 1000,
  upgradeTimeout: 1000,
  allowRequest: (req, callback) => {
    const denied = new URL(req.url, "http://host").searchParams.get("deny") === "1";
    callback(denied ? "denied by fixture" : null, !denied);
  },
};
app(new Server(http, { ...appOptions, path: "/fixture/" }));
app(new Server(http, { ...appOptions, path: "/recovery/", connectionStateRecovery: { maxDisconnectionDuration: 5000 } }));
app(new Server(http, { ...appOptions, path: "/legacy/", allowEIO3: true }));
app(new Server(http, { ...appOptions, path: "/msgpack/", parser: msgpack }));
app(new Server(http, { ...appOptions, path: "/deflate/", perMessageDeflate: { threshold: 1024 } }));
app(
  new Server(http, {
    ...appOptions,
    path: "/cors/",
    cors: { origin: "http://allowed.example", credentials: true, methods: ["GET", "POST"] },
    cookie: { name: "io", path: "/", httpOnly: true, sameSite: "lax" },
  }),
);

function app(io) {
  const reports = new Map();
  const install = (nsp) => nsp.on("connection", (socket) => handlers(socket, reports));

  install(io);
  install(io.of("/chat"));
  install(io.of(/^\/dyn-\d+$/));
  const auth = io.of("/auth");
  auth.use((socket, next) => {
    const { token } = socket.handshake.auth;
    if (token === "secret") return next();
    if (token === "slow") return void setTimeout(next, 300);
    if (token === "plain") return next(new Error("plain refusal"));
    const error = new Error("not authorized");
    error.data = { code: "E_AUTH", retryAfter: 42, nested: { list: [1, 2, 3] } };
    next(error);
  });
  install(auth);
}

function handlers(socket, reports) {
  const nsp = socket.nsp;

  // on(event, [types], handler): the handler runs only when every argument has its type
  const on = (event, types, handler) =>
    socket.on(event, (...args) => {
      if (types.every((is, i) => is(args[i]))) handler(...args);
    });

  socket.on("disconnecting", (reason) => {
    reports.set(socket.id, { reason, rooms: [...socket.rooms].sort() });
    if (reports.size > 10_000) reports.delete(reports.keys().next().value);
  });

  socket.on("echo", (...args) => {
    if (isAck(args.at(-1))) args.pop()(...args);
    else socket.emit("echo", ...args);
  });
  on("whoami", [isAck], (ack) =>
    ack({
      id: socket.id,
      nsp: nsp.name,
      auth: socket.handshake.auth,
      query: socket.handshake.query,
      transport: socket.conn.transport.name,
      rooms: [...socket.rooms].sort(),
      recovered: socket.recovered,
    }),
  );
  on("join", [isString, isAck], (room, ack) => {
    socket.join(room);
    ack();
  });
  on("leave", [isString, isAck], (room, ack) => {
    socket.leave(room);
    ack();
  });
  on("broadcast", [isTarget, isString], (target, event, ...args) => {
    const ack = isAck(args.at(-1)) ? args.pop() : () => {};
    let to = target.all ? nsp : socket.broadcast;
    for (const room of target.to ?? []) to = to.to(room);
    for (const room of target.except ?? []) to = to.except(room);
    to.emit(event, ...args);
    ack();
  });
  on("collect", [isString, isCount, isString], (room, timeout, event, ...args) => {
    const ack = args.pop();
    if (!isAck(ack)) return;
    nsp.to(room).timeout(timeout).emit(event, ...args, (error, responses) => ack({ ok: !error, responses }));
  });
  on("call-me", [isString], (event, ...args) => {
    const ack = args.pop();
    if (!isAck(ack)) return;
    socket.timeout(1000).emit(event, ...args, (error, ...answer) => ack({ ok: !error, args: error ? [] : answer }));
  });
  socket.on("binary-me", () => {
    socket.emit("binary-me", {
      a: Buffer.from([1, 2, 3]),
      b: [Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
      c: { d: Buffer.alloc(0), text: "hé世😀" },
    });
  });
  on("burst", [isCount], (n) => {
    for (let i = 0; i < n; i++) socket.emit("burst", i);
  });
  on("volatile-burst", [isCount], (n) => {
    for (let i = 0; i < n; i++) socket.volatile.emit("v", i);
    socket.emit("v-end");
  });
  on("bye", [isBoolean], (close) => socket.disconnect(close));
  socket.on("no-ack", () => {});
  on("report", [isString, isAck], (id, ack) => ack(reports.get(id) ?? null));
  on("sockets", [(room) => room === null || isString(room), isAck], async (room, ack) => {
    const sockets = await (room === null ? nsp : nsp.in(room)).fetchSockets();
    ack(sockets.map(({ id }) => id).sort());
  });
  on("move", [isString, isString, isAck], (from, to, ack) => {
    nsp.in(from).socketsJoin(to);
    ack();
  });
  on("kick", [isString, isBoolean, isAck], (room, close, ack) => {
    ack();
    nsp.in(room).disconnectSockets(close);
  });
  on("big", [isCount, isAck], (n, ack) => ack("x".repeat(n)));
}

function isAck(value) {
  return typeof value === "function";
}
function isString(value) {
  return typeof value === "string";
}
function isBoolean(value) {
  return typeof value === "boolean";
}
function isCount(value) {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}
function isTarget(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const rooms = (list) => list === undefined || (Array.isArray(list) && list.every(isString));
  return rooms(value.to) && rooms(value.except) && (value.all === undefined || isBoolean(value.all));
}

http.listen(port, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));
