// The app with the parser socket.io-msgpack-parser on both sides (F7), through the stock client and by hand.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import parser from "socket.io-msgpack-parser";
import { deliberate, describe, nodeOnly, test } from "../helpers/core.mjs";
import { TRANSPORTS, ask, client, connect as connectTo, next, take } from "../helpers/client.mjs";
import { F7, Polling } from "../helpers/http.mjs";
import { openWs } from "../helpers/ws.mjs";

const msgpack = createRequire(createRequire(import.meta.url).resolve("socket.io-msgpack-parser"))("notepack.io");
const bytes = (...list) => Buffer.from(list);
const connect = (namespace, options) => connectTo(namespace, { path: F7, parser, ...options });

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  const open = (namespace = "/", options = {}) => connect(namespace, { transports, ...options });

  describe(`msgpack over ${name}`, () => {
    test("joins and tells who it is", async () => {
      const socket = await open("/chat", { auth: { token: "t", deep: { é: [null, 1.5] } } });
      const [who] = await ask(socket, "whoami");
      assert.deepEqual([who.id, who.nsp, who.transport], [socket.id, "/chat", transports.at(-1)]);
      assert.deepEqual(who.auth, { token: "t", deep: { é: [null, 1.5] } });
    });

    test("any arguments come back", async () => {
      const socket = await open();
      const args = [
        [0, 127, 128, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER],
        [-1, -32, -33, -128, -129, -32768, -32769, -(2 ** 31), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER],
        [1.5, -0.1, 1e-7, 5e-324, 123456.789],
        [null, true, false, "", "hé世😀\u0000\n\"\\\u2028", "x".repeat(31), "x".repeat(32), "é".repeat(300), "y".repeat(70_000)],
        [[], {}, [[[{ a: { b: [] } }]]], Array(20).fill({ k: 1 })],
        Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key ${i}`, i])),
      ];
      assert.deepEqual(await ask(socket, "echo", ...args), args);
      const back = next(socket, "echo");
      socket.emit("echo", ...args);
      assert.deepEqual(await back, args);
    });

    test("binary data comes back, at any depth and in any number", async () => {
      const socket = await open();
      const args = [bytes(1, 2, 3), { a: [bytes(), { b: bytes(0, 255) }] }, "between", Buffer.alloc(70_000, 7)];
      assert.deepEqual(await ask(socket, "echo", ...args), args);
      const many = Array.from({ length: 50 }, (_, i) => bytes(i));
      assert.deepEqual(await ask(socket, "echo", many), [many]);
      const got = next(socket, "binary-me");
      socket.emit("binary-me");
      const all = Array.from({ length: 256 }, (_, i) => i);
      assert.deepEqual(await got, [{ a: bytes(1, 2, 3), b: [bytes(...all)], c: { d: bytes(), text: "hé世😀" } }]);
    });

    test("rooms, broadcasts and acknowledgements of many", async () => {
      const sockets = await Promise.all([open(), open(), open()]);
      for (const socket of sockets) await ask(socket, "join", `room ${name}`);
      const all = sockets.map((socket) => next(socket, "news"));
      await ask(sockets[0], "broadcast", { to: [`room ${name}`], all: true }, "news", { data: bytes(9) });
      assert.deepEqual(await Promise.all(all), sockets.map(() => [{ data: bytes(9) }]));
      sockets.forEach((socket, i) => socket.on("sum", (a, ack) => ack([a, i])));
      const [{ ok, responses }] = await ask(sockets[0], "collect", `room ${name}`, 3000, "sum", bytes(1));
      responses.sort(([, a], [, b]) => a - b);
      assert.deepEqual([ok, responses], [true, sockets.map((_, i) => [bytes(1), i])]);
      sockets[1].on("question", (ack) => ack("answer", bytes(2)));
      assert.deepEqual(await ask(sockets[1], "call-me", "question"), [{ ok: true, args: ["answer", bytes(2)] }]);
    });

    test("events arrive in order", async () => {
      const socket = await open();
      const got = take(socket, "burst", 300);
      socket.emit("burst", 300);
      assert.deepEqual((await got).flat(), Array.from({ length: 300 }, (_, i) => i));
    });

    test("is refused", async () => {
      const refusal = async (namespace, auth) => {
        const socket = client(namespace, { path: F7, parser, transports, auth });
        const [error] = await next(socket, "connect_error");
        return [error.message, error.data];
      };
      const data = { code: "E_AUTH", retryAfter: 42, nested: { list: [1, 2, 3] } };
      assert.deepEqual(await refusal("/auth", { token: "x" }), ["not authorized", data]);
      assert.deepEqual(await refusal("/auth", { token: "plain" }), ["plain refusal", undefined]);
      assert.deepEqual(await refusal("/nope"), ["Invalid namespace", undefined]);
    });

    test("either side disconnects", async () => {
      const socket = await open();
      const { id } = socket;
      const gone = next(socket, "disconnect");
      socket.emit("bye", false);
      assert.equal((await gone)[0], "io server disconnect");
      const witness = await open();
      assert.deepEqual(await ask(witness, "report", id), [{ reason: "server namespace disconnect", rooms: [id] }]);
    });
  });
}

/** A websocket that has joined `/`. */
async function joined() {
  const ws = await openWs(F7);
  ws.send(msgpack.encode({ type: 0, nsp: "/" }));
  const answer = msgpack.decode(await ws.next("the answer to CONNECT"));
  // The reference has a key for the secret of the recovery, too, without a value.
  assert.deepEqual([answer.type, answer.nsp, typeof answer.data.sid, answer.data.pid], [0, "/", "string", undefined]);
  ws.ask = async (...data) => {
    ws.send(msgpack.encode({ type: 2, data, id: 1, nsp: "/" }));
    return msgpack.decode(await ws.next("the acknowledgement"));
  };
  return ws;
}

describe("msgpack by hand", () => {
  test("a packet is one binary message, in the form of the reference", async () => {
    const ws = await joined();
    ws.send(msgpack.encode({ type: 2, data: ["echo", 1, bytes(7)], id: 300, nsp: "/" }));
    const answer = await ws.next();
    assert.deepEqual(msgpack.decode(answer), { type: 3, data: [1, bytes(7)], id: 300, nsp: "/" });
    ws.send(msgpack.encode({ type: 2, data: ["echo", [1.5, "x"]], nsp: "/" }));
    assert.deepEqual(await ws.next(), msgpack.encode({ type: 2, data: ["echo", [1.5, "x"]], nsp: "/" }));
    ws.send(msgpack.encode({ type: 2, data: ["bye", false], nsp: "/" }));
    assert.deepEqual(await ws.next(), msgpack.encode({ type: 1, nsp: "/" }));
  });

  test("polling carries it in base64", async () => {
    const session = await Polling.open(F7);
    await session.send(`b${msgpack.encode({ type: 0, nsp: "/" }).toString("base64")}`);
    const [packet] = await session.receive();
    assert.equal(packet[0], "b");
    assert.equal(msgpack.decode(Buffer.from(packet.slice(1), "base64")).type, 0);
  });

  test("what JavaScript has beyond JSON is read", async () => {
    const ws = await joined();
    const { data } = await ws.ask("echo", new Uint8Array([1, 2]).buffer, [undefined]);
    assert.equal(Buffer.from(data[0]).toString("hex"), "0102");
    const fields = { type: 2, nsp: "/", id: undefined, options: { compress: true }, data: ["echo", "more fields"] };
    ws.send(msgpack.encode(fields));
    assert.deepEqual(msgpack.decode(await ws.next()).data, ["echo", "more fields"]);
  });

  deliberate("what JSON lacks gets lost", async () => {
    const ws = await joined();
    const { data } = await ws.ask("echo", new Date(0), NaN, Infinity, { a: undefined }, undefined);
    assert.deepEqual(data, ["1970-01-01T00:00:00.000Z", null, null, {}, null]);
  });

  nodeOnly("what JSON lacks comes back", async () => {
    const ws = await joined();
    const { data } = await ws.ask("echo", new Date(0), NaN, Infinity, { a: undefined }, undefined);
    assert.deepEqual(data, [new Date(0), NaN, Infinity, { a: undefined }, undefined]);
  });

  const hostile = {
    "a text": '2["echo"]',
    "nothing": bytes(),
    "no map": msgpack.encode([2, "/"]),
    "more behind the packet": Buffer.concat([msgpack.encode({ type: 0, nsp: "/chat" }), bytes(0)]),
    "cut off": msgpack.encode({ type: 2, data: ["echo", "x".repeat(40)], nsp: "/" }).subarray(0, 30),
    "no type": msgpack.encode({ nsp: "/" }),
    "type 5": msgpack.encode({ type: 5, data: ["echo"], nsp: "/" }),
    "type as text": msgpack.encode({ type: "2", data: ["echo"], nsp: "/" }),
    "no namespace": msgpack.encode({ type: 2, data: ["echo"] }),
    "no data": msgpack.encode({ type: 2, nsp: "/" }),
    "data as object": msgpack.encode({ type: 2, data: {}, nsp: "/" }),
    "id as text": msgpack.encode({ type: 2, data: ["echo"], id: "1", nsp: "/" }),
    "id as null": msgpack.encode({ type: 2, data: ["echo"], id: null, nsp: "/" }),
    "CONNECT with a list": msgpack.encode({ type: 0, data: [], nsp: "/chat" }),
    "DISCONNECT with data": msgpack.encode({ type: 1, data: {}, nsp: "/" }),
    "the byte that means nothing": bytes(0xc1),
  };
  for (const [name, message] of Object.entries(hostile)) {
    test(`closes: ${name}`, async () => {
      const ws = await joined();
      ws.send(message);
      await ws.assertClosed();
    });
  }

  const stricter = {
    "msgpack closes: an event without a name": msgpack.encode({ type: 2, data: [], nsp: "/" }),
    "msgpack closes: an event with a name that is no text": msgpack.encode({ type: 2, data: [{}], nsp: "/" }),
    "msgpack closes: data in the form of a placeholder beside binary data": msgpack.encode({
      type: 2,
      data: ["echo", bytes(1), { _placeholder: true, num: 0 }],
      nsp: "/",
    }),
    "msgpack closes: an id above 2^53-1": msgpack.encode({ type: 2, data: ["echo"], id: 2 ** 53, nsp: "/" }),
    "msgpack closes: a namespace with a comma": msgpack.encode({ type: 0, nsp: "/a,b" }),
  };
  for (const [name, message] of Object.entries(stricter)) {
    deliberate(name, async () => {
      const ws = await joined();
      ws.send(message);
      await ws.assertClosed();
    });
  }

  test("deep data is passed on", async () => {
    const ws = await joined();
    const deep = Buffer.concat([
      bytes(0x84),
      ...["type", 2, "nsp", "/", "id", 1, "data"].map((value) => msgpack.encode(value)),
      bytes(0x92),
      msgpack.encode("echo"),
      Buffer.alloc(1000, 0x91),
      bytes(0xc0),
    ]);
    ws.send(deep);
    const answer = await ws.next();
    assert.ok(answer.includes(Buffer.alloc(1000, 0x91)));
  });
});
