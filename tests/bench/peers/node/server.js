// `node server.js PORT`: the events of the benchmark on the reference implementation.
const http = require("node:http");
const { Server } = require("socket.io");

const server = http.createServer();
const io = new Server(server, {
  pingInterval: Number(process.env.BENCH_PING_MS ?? 25_000),
  maxHttpBufferSize: 10e6,
});

for (const path of ["/", ...Array.from({ length: 10 }, (_, i) => `/ns${i}`)]) {
  const namespace = io.of(path);
  namespace.on("connection", (socket) => {
    socket.on("echo", (value, ack) => ack(value));
    socket.on("echob", (bytes, ack) => ack(bytes));
    socket.on("join", (room, ack) => {
      socket.join(room);
      ack();
    });
    socket.on("broadcast", ({ data, room }) => namespace.to(room).emit("msg", data));
  });
}

server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 }, () => {
  const { address, port } = server.address();
  console.log(`listening on ${address}:${port}`);
});
