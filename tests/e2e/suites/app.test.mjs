// The app through the stock socket.io-client, over every transport.
import assert from "node:assert/strict";
import { deliberate, describe, eventually, nodeOnly, test, within } from "../helpers/core.mjs";
import { TRANSPORTS, ask, client, connect, connected, next, record, take, upgraded } from "../helpers/client.mjs";

const bytes = (...list) => Buffer.from(list);

/** Waits until everything the server has sent to this client so far has come. */
const settle = (socket) => ask(socket, "echo", "settle");

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  const open = (namespace = "/", options = {}) => connect(namespace, { transports, ...options });
  const openMany = (count, namespace) => Promise.all(Array.from({ length: count }, () => open(namespace)));

  describe(`over ${name}`, () => {
    describe("connecting", () => {
      test("whoami: id, namespace, auth, query, transport, rooms", async () => {
        const socket = await open("/", { auth: { token: "t", n: 1, deep: { é: [null] } }, query: { room: "blue & ü", n: 7 } });
        const [who] = await ask(socket, "whoami");
        const { query, ...rest } = who;
        assert.deepEqual(rest, {
          id: socket.id,
          nsp: "/",
          auth: { token: "t", n: 1, deep: { é: [null] } },
          transport: transports.at(-1),
          rooms: [socket.id],
          recovered: false,
        });
        assert.equal(query.room, "blue & ü");
        assert.equal(query.n, "7");
        assert.equal(query.EIO, "4");
        assert.equal(query.transport, transports[0]);
      });

      test("without auth", async () => {
        const [who] = await ask(await open(), "whoami");
        assert.deepEqual(who.auth, {});
      });

      test("the socket id is not the session id", async () => {
        const socket = await open();
        assert.match(socket.id, /^[\w-]{20,}$/);
        assert.notEqual(socket.id, socket.io.engine.id);
      });

      test("auth as a function", async () => {
        const socket = await open("/", { auth: (done) => done({ from: "function" }) });
        const [who] = await ask(socket, "whoami");
        assert.deepEqual(who.auth, { from: "function" });
      });

      test("an unknown namespace is refused", async () => {
        const socket = client("/nope", { transports });
        const [error] = await next(socket, "connect_error");
        assert.equal(error.message, "Invalid namespace");
        assert.equal(error.data, undefined);
        assert.equal(socket.connected, false);
      });

      test("allowRequest refuses", async () => {
        const socket = client("/", { transports, query: { deny: 1 } });
        const [error] = await next(socket, "connect_error");
        assert.equal(error.type, "TransportError");
        assert.equal(error.message, transports[0] === "polling" ? "xhr poll error" : "websocket error");
        if (transports[0] === "polling") assert.equal(error.description, 403);
      });

      test("dynamic namespaces", async () => {
        const [a, b, c] = await Promise.all([open("/dyn-101"), open("/dyn-101"), open("/dyn-102")]);
        const seen = [record(a), record(b), record(c)];
        assert.deepEqual(await ask(a, "broadcast", {}, "hi", 1), []);
        await Promise.all([a, b, c].map(settle));
        assert.deepEqual(seen, [[], [["hi", 1]], []]);
        const [who] = await ask(c, "whoami");
        assert.equal(who.nsp, "/dyn-102");
        for (const wrong of ["/dyn-", "/dyn-a", "/dyn-1/x", "/dyn"]) {
          const [error] = await next(client(wrong, { transports }), "connect_error");
          assert.equal(error.message, "Invalid namespace", wrong);
        }
      });

      test("a query behind the namespace is not part of its name", async () => {
        const [who] = await ask(await open("/chat?x=1"), "whoami");
        assert.equal(who.nsp, "/chat");
      });

      test("reconnecting by hand gives a new id", async () => {
        const socket = await open();
        const first = socket.id;
        socket.disconnect();
        await connected(socket.connect());
        assert.notEqual(socket.id, first);
        assert.deepEqual(await ask(socket, "echo", 1), [1]);
      });
    });

    describe("/auth", () => {
      test("accepted", async () => {
        const socket = await open("/auth", { auth: { token: "secret" } });
        assert.deepEqual(await ask(socket, "echo", "in"), ["in"]);
      });

      test("accepted after a while", async () => {
        const began = performance.now();
        const socket = await open("/auth", { auth: { token: "slow" } });
        assert.ok(performance.now() - began > 280, "the middleware takes 300 ms");
        const [who] = await ask(socket, "whoami");
        assert.deepEqual(who.auth, { token: "slow" });
      });

      test("refused with data", async () => {
        for (const auth of [undefined, { token: "x" }, { token: null }, { token: ["secret"] }]) {
          const [error] = await next(client("/auth", { transports, auth }), "connect_error");
          assert.equal(error.message, "not authorized");
          assert.deepEqual(error.data, { code: "E_AUTH", retryAfter: 42, nested: { list: [1, 2, 3] } });
        }
      });

      test("refused without data", async () => {
        const [error] = await next(client("/auth", { transports, auth: { token: "plain" } }), "connect_error");
        assert.equal(error.message, "plain refusal");
        assert.equal(error.data, undefined);
      });

      test("a refusal leaves the other namespaces of the connection alone", async () => {
        const socket = await open();
        const refused = socket.io.socket("/auth", { auth: {} });
        const [error] = await next(refused, "connect_error");
        assert.equal(error.message, "not authorized");
        assert.deepEqual(await ask(socket, "echo", 1), [1]);
        refused.auth = { token: "secret" };
        refused.connect();
        await connected(refused);
        assert.deepEqual(await ask(refused, "echo", 2), [2]);
        assert.equal(refused.io.engine.id, socket.io.engine.id);
      });
    });

    describe("echo", () => {
      const values = {
        nothing: [],
        "a number": [42],
        "many arguments": Array.from({ length: 50 }, (_, i) => i),
        scalars: [0, -1, 1.5, true, false, null, ""],
        text: ["hé世😀\u0000\u001e\u2028\ud83d\ude00 \"quoted\" \\ /"],
        structures: [{ a: { b: [{ c: [] }, {}] }, "": 1, "é ": [null] }, [[[[]]]]],
        "large numbers": [Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1e21, 1.7976931348623157e308, 5e-324],
        "a date": [new Date(0)],
        undefined: [undefined, { a: undefined }],
        "a long text": ["é".repeat(100_000)],
        "placeholder look-alikes": [{ _placeholder: true, num: 0 }, { _placeholder: true }],
        "names of the prototype": [JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":3}')],
        bytes: [bytes(1, 2, 3)],
        "no bytes": [Buffer.alloc(0)],
        "text and bytes": ["a", bytes(0, 255), { b: bytes(1), list: [bytes(2), "x", bytes(3)] }, 7],
        "ten attachments": Array.from({ length: 10 }, (_, i) => bytes(i)),
        "100 kB": [Buffer.alloc(100_000, 7)],
        "typed array": [new Uint8Array([9, 8, 7])],
      };
      const onTheWire = (value) => {
        if (Buffer.isBuffer(value)) return value;
        if (value instanceof Uint8Array) return Buffer.from(value);
        if (value === undefined || value === null) return null;
        if (value instanceof Date) return value.toISOString();
        if (Array.isArray(value)) return value.map(onTheWire);
        if (typeof value !== "object") return value;
        return JSON.parse("{}", () => {
          const copy = {};
          for (const [key, inner] of Object.entries(value)) {
            if (inner !== undefined) Object.defineProperty(copy, key, { value: onTheWire(inner), enumerable: true, writable: true, configurable: true });
          }
          return copy;
        });
      };
      for (const [title, args] of Object.entries(values)) {
        test(`${title}: with an ack and as an event`, async () => {
          const socket = await open();
          const expected = args.map(onTheWire);
          assert.deepEqual(await ask(socket, "echo", ...args), expected);
          const event = next(socket, "echo");
          socket.emit("echo", ...args);
          assert.deepEqual(await event, expected);
        });
      }

      test("binary-me", async () => {
        const socket = await open();
        const event = next(socket, "binary-me");
        socket.emit("binary-me");
        const [data] = await event;
        assert.deepEqual(data, {
          a: bytes(1, 2, 3),
          b: [Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
          c: { d: Buffer.alloc(0), text: "hé世😀" },
        });
        assert.deepEqual(Object.keys(data), ["a", "b", "c"]);
        assert.deepEqual(Object.keys(data.c), ["d", "text"]);
      });

      test("emitWithAck and timeout", async () => {
        const socket = await open();
        assert.equal(await socket.timeout(3000).emitWithAck("echo", "x"), "x");
        await assert.rejects(socket.timeout(50).emitWithAck("no-ack"), /operation has timed out/);
        await assert.rejects(socket.timeout(50).emitWithAck("unknown-event"), /operation has timed out/);
        assert.deepEqual(await ask(socket, "echo", "still here"), ["still here"]);
      });
    });

    describe("client options a server must tolerate", () => {
      test("retries with ackTimeout: the same packet comes again until it is acknowledged", async () => {
        const socket = await open("/", { retries: 2, ackTimeout: 100 });
        const answers = await within(
          Promise.all([
            new Promise((resolve) => socket.emit("echo", "first", (...args) => resolve(args))),
            new Promise((resolve) => socket.emit("no-ack", (...args) => resolve(args))),
            new Promise((resolve) => socket.emit("echo", "last", (...args) => resolve(args))),
          ]),
          "the answers",
        );
        assert.deepEqual(answers[0], [null, "first"]);
        assert.equal(answers[1][0].message, "operation has timed out");
        assert.deepEqual(answers[2], [null, "last"]);
      });

      test("what was emitted before the connection comes after it, in order", async () => {
        const socket = client("/", { transports });
        const answers = [];
        for (let i = 0; i < 100; i++) socket.emit("echo", i, (n) => answers.push(n));
        await connected(socket);
        await settle(socket);
        assert.deepEqual(answers, Array.from({ length: 100 }, (_, i) => i));
      });

      test("volatile and uncompressed events of the client are events", async () => {
        const socket = await open();
        const event = next(socket, "echo");
        socket.compress(false).emit("echo", 1);
        assert.deepEqual(await event, [1]);
        const again = next(socket, "echo");
        await eventually("the transport is writable", () => socket.io.engine.transport.writable);
        socket.volatile.emit("echo", 2);
        assert.deepEqual(await again, [2]);
      });
    });

    describe("rooms", () => {
      test("join, leave, whoami, sockets", async () => {
        const [a, b] = await openMany(2, "/dyn-201");
        const ids = [a.id, b.id].sort();
        assert.deepEqual(await ask(a, "sockets", null), [ids]);
        assert.deepEqual(await ask(a, "sockets", "red"), [[]]);
        assert.deepEqual(await ask(a, "join", "red"), []);
        assert.deepEqual(await ask(a, "join", "blue"), []);
        assert.deepEqual(await ask(a, "join", "red"), []);
        assert.deepEqual(await ask(b, "join", "red"), []);
        assert.deepEqual((await ask(a, "whoami"))[0].rooms, [a.id, "blue", "red"].sort());
        assert.deepEqual(await ask(a, "sockets", "red"), [ids]);
        assert.deepEqual(await ask(a, "sockets", "blue"), [[a.id]]);
        assert.deepEqual(await ask(a, "sockets", b.id), [[b.id]]);
        assert.deepEqual(await ask(a, "leave", "red"), []);
        assert.deepEqual(await ask(a, "leave", "never joined"), []);
        assert.deepEqual(await ask(a, "sockets", "red"), [[b.id]]);
        assert.deepEqual((await ask(a, "whoami"))[0].rooms, [a.id, "blue"].sort());
        b.disconnect();
        await settle(a);
        await eventually("b has left the room", async () => (await ask(a, "sockets", "red"))[0].length === 0);
        assert.deepEqual(await ask(a, "sockets", null), [[a.id]]);
      });

      test("broadcast: to, except, all", async () => {
        const nsp = "/dyn-202";
        const [a, b, c, d] = await openMany(4, nsp);
        const outsider = await open("/dyn-203");
        const people = { a, b, c, d };
        await Promise.all([
          ask(a, "join", "red"),
          ask(b, "join", "red"),
          ask(b, "join", "blue"),
          ask(c, "join", "blue"),
          ask(outsider, "join", "red"),
        ]);
        const outside = record(outsider);
        const cases = [
          [{}, "bcd"],
          [{ all: false }, "bcd"],
          [{ all: true }, "abcd"],
          [{ to: ["red"] }, "b"],
          [{ to: ["red"], all: true }, "ab"],
          [{ to: ["red", "blue"] }, "bc"],
          [{ to: ["red", "blue"], all: true }, "abc"],
          [{ to: ["red", "red"], all: true }, "ab"],
          [{ to: ["nobody"], all: true }, ""],
          [{ to: [] }, "bcd"],
          [{ except: ["blue"] }, "d"],
          [{ except: ["blue"], all: true }, "ad"],
          [{ except: ["red", "blue"], all: true }, "d"],
          [{ to: ["red"], except: ["blue"], all: true }, "a"],
          [{ to: ["red", "blue"], except: ["red"], all: true }, "c"],
          [{ to: [d.id] }, "d"],
          [{ to: [a.id] }, ""],
          [{ to: [a.id], all: true }, "a"],
          [{ except: [b.id], all: true }, "acd"],
        ];
        for (const [i, [to, expected]] of cases.entries()) {
          const seen = Object.values(people).map(record);
          assert.deepEqual(await ask(a, "broadcast", to, "news", i, { b: bytes(i) }), []);
          await Promise.all(Object.values(people).map(settle));
          const got = Object.keys(people).filter((_, k) => seen[k].length > 0).join("");
          assert.equal(got, expected, JSON.stringify(to));
          for (const events of seen) if (events.length > 0) assert.deepEqual(events, [["news", i, { b: bytes(i) }]]);
          for (const socket of Object.values(people)) socket.offAny();
        }
        await settle(outsider);
        assert.deepEqual(outside, []);
      });

      test("broadcast without an ack, without arguments", async () => {
        const [a, b] = await openMany(2, "/dyn-204");
        const event = next(b, "bare");
        a.emit("broadcast", {}, "bare");
        assert.deepEqual(await event, []);
      });

      test("collect: everyone answers", async () => {
        const sockets = await openMany(3, "/dyn-205");
        for (const [i, socket] of sockets.entries()) {
          await ask(socket, "join", "poll");
          socket.on("question", (text, ack) => ack(`${text} ${i}`, "ignored"));
        }
        const [answer] = await ask(sockets[0], "collect", "poll", 2000, "question", "who?");
        assert.equal(answer.ok, true);
        assert.deepEqual(answer.responses.sort(), ["who? 0", "who? 1", "who? 2"]);
      });

      test("collect: binary answers", async () => {
        const sockets = await openMany(2, "/dyn-206");
        for (const socket of sockets) {
          await ask(socket, "join", "poll");
          socket.on("question", (data, ack) => ack({ data }));
        }
        const [answer] = await ask(sockets[0], "collect", "poll", 2000, "question", bytes(5));
        assert.deepEqual(answer, { ok: true, responses: [{ data: bytes(5) }, { data: bytes(5) }] });
      });

      test("collect: one does not answer", async () => {
        const [a, b, c] = await openMany(3, "/dyn-207");
        for (const socket of [a, b, c]) await ask(socket, "join", "poll");
        a.on("question", (ack) => ack(1));
        c.on("question", (ack) => ack(1));
        const [answer] = await ask(a, "collect", "poll", 200, "question");
        assert.deepEqual(answer, { ok: false, responses: [1, 1] });
      });

      test("collect: nobody is there", async () => {
        const a = await open("/dyn-208");
        assert.deepEqual(await ask(a, "collect", "empty", 2000, "question"), [{ ok: true, responses: [] }]);
      });

      test("call-me", async () => {
        const socket = await open();
        socket.on("add", (a, b, ack) => ack(a + b, { data: bytes(1) }));
        assert.deepEqual(await ask(socket, "call-me", "add", 1, 2), [{ ok: true, args: [3, { data: bytes(1) }] }]);
        const began = performance.now();
        assert.deepEqual(await ask(socket, "call-me", "nobody listens"), [{ ok: false, args: [] }]);
        const took = performance.now() - began;
        assert.ok(took > 900 && took < 3000, `timed out after ${took} ms`);
      });

      test("move", async () => {
        const [a, b, c] = await openMany(3, "/dyn-209");
        await ask(a, "join", "from");
        await ask(b, "join", "from");
        assert.deepEqual(await ask(c, "move", "from", "to"), []);
        assert.deepEqual(await ask(c, "sockets", "to"), [[a.id, b.id].sort()]);
        assert.deepEqual(await ask(c, "sockets", "from"), [[a.id, b.id].sort()]);
        assert.deepEqual(await ask(c, "move", "nobody", "to"), []);
        assert.deepEqual((await ask(a, "whoami"))[0].rooms, [a.id, "from", "to"].sort());
      });
    });

    describe("disconnecting", () => {
      const reported = (witness, id) => eventually(`a report about ${id}`, async () => (await ask(witness, "report", id))[0]);

      test("by the client: the reason, and the rooms as they were", async () => {
        const [witness, leaver] = await openMany(2);
        const { id } = leaver;
        await ask(leaver, "join", "red");
        const reason = next(leaver, "disconnect");
        leaver.disconnect();
        assert.equal((await reason)[0], "io client disconnect");
        assert.deepEqual(await reported(witness, id), { reason: "client namespace disconnect", rooms: [id, "red"].sort() });
      });

      test("by the server: the namespace only", async () => {
        const [witness, socket] = await openMany(2);
        const { id } = socket;
        const chat = socket.io.socket("/chat");
        await connected(chat);
        const reason = next(socket, "disconnect");
        socket.emit("bye", false);
        assert.equal((await reason)[0], "io server disconnect");
        assert.deepEqual(await reported(witness, id), { reason: "server namespace disconnect", rooms: [id] });
        assert.deepEqual(await ask(chat, "echo", "still here"), ["still here"]);
      });

      test("by the server: the connection", async () => {
        const [witness, socket] = await openMany(2);
        const { id } = socket;
        const chat = socket.io.socket("/chat");
        await connected(chat);
        const chatId = chat.id;
        const reasons = Promise.all([next(socket, "disconnect"), next(chat, "disconnect")]);
        socket.emit("bye", true);
        assert.deepEqual((await reasons).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
        assert.deepEqual(await reported(witness, id), { reason: "server namespace disconnect", rooms: [id] });
        assert.equal((await reported(witness, chatId)).reason, "server namespace disconnect");
      });

      test("by losing the connection", async () => {
        const [witness, socket] = await openMany(2);
        const { id } = socket;
        await ask(socket, "join", "red");
        const reason = next(socket, "disconnect");
        socket.io.engine.close();
        assert.equal((await reason)[0], "forced close");
        assert.deepEqual(await reported(witness, id), { reason: "transport close", rooms: [id, "red"].sort() });
      });

      test("by a protocol error", async () => {
        const [witness, socket] = await openMany(2);
        const { id } = socket;
        const reason = next(socket, "disconnect");
        socket.io.engine.write("2{}");
        assert.equal((await reason)[0], "transport close");
        assert.deepEqual(await reported(witness, id), { reason: "forced close", rooms: [id] });
      });

      test("by a packet of the wrong kind", async () => {
        const [witness, socket] = await openMany(2);
        const { id } = socket;
        socket.io.engine._sendPacket("ping");
        assert.deepEqual(await reported(witness, id), { reason: "transport error", rooms: [id] });
      });

      test("kick", async () => {
        const [boss, a, b] = await openMany(3, "/dyn-301");
        await ask(a, "join", "out");
        await ask(b, "join", "out");
        const ids = [a.id, b.id];
        const reasons = Promise.all([next(a, "disconnect"), next(b, "disconnect")]);
        assert.deepEqual(await ask(boss, "kick", "out", false), []);
        assert.deepEqual((await reasons).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
        assert.deepEqual(await ask(boss, "sockets", null), [[boss.id]]);
        for (const id of ids) {
          assert.deepEqual(await reported(boss, id), { reason: "server namespace disconnect", rooms: [id, "out"].sort() });
        }
      });

      test("kick with the connection, oneself included: the ack comes first", async () => {
        const [boss, other] = await openMany(2, "/dyn-302");
        await ask(boss, "join", "out");
        await ask(other, "join", "out");
        const reasons = Promise.all([next(boss, "disconnect"), next(other, "disconnect")]);
        const closed = Promise.all([boss, other].map(({ io }) => within(new Promise((resolve) => io.once("close", resolve)), "the close")));
        assert.deepEqual(await ask(boss, "kick", "out", true), []);
        assert.deepEqual((await reasons).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
        await closed;
      });

      deliberate("emit followed by disconnect loses nothing", async () => {
        const witness = await open("/dyn-303");
        for (let i = 0; i < 20; i++) {
          const socket = await open("/dyn-303");
          const event = next(witness, "last");
          socket.emit("broadcast", {}, "last", i);
          socket.disconnect();
          assert.deepEqual(await event, [i]);
        }
      });
    });

    describe("volume and order", () => {
      test("volatile: in order, no doubles, and the normal event behind them", async () => {
        const socket = await open();
        const events = record(socket);
        const end = next(socket, "v-end");
        socket.emit("volatile-burst", 200);
        await end;
        assert.deepEqual(events.pop(), ["v-end"]);
        const numbers = events.map(([event, i]) => {
          assert.equal(event, "v");
          return i;
        });
        assert.ok(numbers.every((n, i) => i === 0 || n > numbers[i - 1]), `order: ${numbers}`);
        assert.ok(numbers.length <= 200);
      });

      test("burst of 10000 loses nothing and keeps its order", async () => {
        const socket = await open();
        const all = take(socket, "burst", 10_000, 20_000);
        socket.emit("burst", 10_000);
        const seen = await all;
        assert.deepEqual(seen.findIndex(([n], i) => n !== i), -1);
        await settle(socket);
      });

      test("10000 pipelined echoes are all acknowledged in order", async () => {
        const socket = await open();
        const answers = [];
        await within(
          new Promise((resolve) => {
            for (let i = 0; i < 10_000; i++) {
              socket.emit("echo", i, (n) => {
                if (answers.push(n) === 10_000) resolve();
              });
            }
          }),
          "10000 acks",
          20_000,
          () => `; got ${answers.length}`,
        );
        assert.equal(answers.findIndex((n, i) => n !== i), -1);
      });

      test("acks and events, text and binary, come in the order they were asked for", async () => {
        const socket = await open();
        const seen = [];
        socket.on("echo", (n) => seen.push(n));
        for (let i = 0; i < 300; i += 3) {
          socket.emit("echo", i);
          socket.emit("echo", i + 1, (n) => seen.push(n));
          socket.emit("echo", i + 2, bytes(1, 2));
        }
        await settle(socket);
        assert.deepEqual(seen, Array.from({ length: 300 }, (_, i) => i));
      });

      test("big: 2 MB from the server", async () => {
        const socket = await open();
        const [text] = await ask(socket, "big", 2_000_000);
        assert.equal(text.length, 2_000_000);
        assert.match(text, /^x*$/);
        assert.deepEqual(await ask(socket, "big", 0), [""]);
      });

      test("900 kB both ways, text and binary", async () => {
        const socket = await open();
        const text = "x".repeat(900_000);
        assert.ok((await ask(socket, "echo", text))[0] === text);
        const data = Buffer.alloc(600_000, 3);
        assert.ok((await ask(socket, "echo", data))[0].equals(data));
      });

      test("50 clients at once", async () => {
        const sockets = await openMany(50, "/dyn-401");
        assert.equal(new Set(sockets.map(({ id }) => id)).size, 50);
        assert.deepEqual(await ask(sockets[0], "sockets", null), [sockets.map(({ id }) => id).sort()]);
        const counts = sockets.map((socket) => take(socket, "hello", 49));
        await Promise.all(sockets.map((socket, i) => ask(socket, "broadcast", {}, "hello", i)));
        for (const [i, seen] of (await Promise.all(counts)).entries()) {
          assert.deepEqual(
            seen.map(([n]) => n).sort((x, y) => x - y),
            Array.from({ length: 50 }, (_, n) => n).filter((n) => n !== i),
          );
        }
      });

      test("30 namespaces over one connection", async () => {
        const first = await open("/dyn-500");
        const sockets = [first];
        for (let i = 501; i < 530; i++) sockets.push(first.io.socket(`/dyn-${i}`));
        await Promise.all(sockets.slice(1).map((socket) => connected(socket)));
        assert.equal(new Set(sockets.map(({ id }) => id)).size, 30);
        const answers = await Promise.all(sockets.map((socket, i) => ask(socket, "echo", i, bytes(i))));
        assert.deepEqual(answers, sockets.map((_, i) => [i, bytes(i)]));
        const names = await Promise.all(sockets.map(async (socket) => (await ask(socket, "whoami"))[0].nsp));
        assert.deepEqual(names, sockets.map((_, i) => `/dyn-${500 + i}`));
        sockets[7].disconnect();
        assert.deepEqual(await ask(sockets[8], "echo", 8), [8]);
      });
    });
  });
}

describe("the upgrade under load", () => {
  test("nothing is lost or reordered while the transport changes", async () => {
    const socket = client("/", { transports: TRANSPORTS["polling+upgrade"] });
    await connected(socket);
    const seen = [];
    const all = within(
      new Promise((resolve) => {
        socket.on("burst", (n) => {
          if (seen.push(n) === 5000) resolve();
        });
      }),
      "5000 events",
      10_000,
      () => `; got ${seen.length}`,
    );
    for (let i = 0; i < 5; i++) socket.emit("burst", 1000);
    const answers = [];
    for (let i = 0; i < 1000; i++) socket.emit("echo", i, (n) => answers.push(n));
    await upgraded(socket);
    await all;
    await settle(socket);
    assert.equal(seen.findIndex((n, i) => n !== i % 1000), -1);
    assert.deepEqual(answers, Array.from({ length: 1000 }, (_, i) => i));
    assert.equal((await ask(socket, "whoami"))[0].transport, "websocket");
  });
});

describe("mixed transports", () => {
  test("a room of polling, websocket and upgraded clients", async () => {
    const sockets = await Promise.all(Object.values(TRANSPORTS).map((transports) => connect("/dyn-601", { transports })));
    for (const socket of sockets) await ask(socket, "join", "mixed");
    const events = Promise.all(sockets.map((socket) => next(socket, "news")));
    assert.deepEqual(await ask(sockets[0], "broadcast", { to: ["mixed"], all: true }, "news", { data: bytes(1, 2) }, "é"), []);
    assert.deepEqual(await events, sockets.map(() => [{ data: bytes(1, 2) }, "é"]));
  });

  test("volatile over websocket: the first one goes out", async () => {
    const socket = await connect("/");
    const events = record(socket);
    const end = next(socket, "v-end");
    socket.emit("volatile-burst", 50);
    await end;
    assert.deepEqual(events[0], ["v", 0]);
  });

  nodeOnly("emit followed by disconnect over polling: two POSTs, the event arrives", async () => {
    const witness = await connect("/dyn-602");
    const socket = await connect("/dyn-602", { transports: ["polling"] });
    const event = next(witness, "last");
    socket.emit("broadcast", {}, "last", 1);
    socket.disconnect();
    assert.deepEqual(await event, [1]);
  });
});
