// Clients of every generation against a server that serves old ones (F5), and revision 3 of Engine.IO itself (F3).
import assert from "node:assert/strict";
import vm from "node:vm";
import { base, cleanup, deliberate, describe, nodeOnly, test, within } from "../helpers/core.mjs";
import { TRANSPORTS, ask, next, take } from "../helpers/client.mjs";
import { GENERATIONS, client, connect, connected, oldEngine, refusalEvent } from "../helpers/generations.mjs";
import { F1, F3, F4, F5, assertError, get, post, request, upgradeRequest } from "../helpers/http.mjs";
import { Ws } from "../helpers/ws.mjs";

const OLD = GENERATIONS.filter(({ eio }) => eio === 3);
const NEW = GENERATIONS.filter(({ eio }) => eio === 4);
const bytes = (...list) => Buffer.from(list);

/** Binary data as the client got it, comparable. */
function plain(value) {
  if (Buffer.isBuffer(value)) return `bytes ${value.toString("hex")}`;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return plain(Buffer.from(value.buffer ?? value));
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

for (const generation of GENERATIONS) {
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    const open = (namespace, options) => connect(generation, namespace, { transports, ...options });
    const { eio } = generation;
    // Over polling, 1.x encodes text twice as UTF-8; the reference does not undo it either.
    const text = generation.name === "1.7" && name !== "websocket" ? "plain" : "hé世😀\u2028\n";

    describe(`client ${generation.name} over ${name}`, () => {
      test("joins / and tells who it is", async () => {
        const socket = await open("/", { query: { room: "blue" } });
        const [who] = await ask(socket, "whoami");
        assert.deepEqual([who.nsp, who.auth, who.transport, who.rooms], ["/", {}, transports.at(-1), [who.id]]);
        assert.deepEqual([who.query.EIO, who.query.room], [String(eio), "blue"]);
        assert.equal(who.id, socket.id);
      });

      test("sends and gets any arguments", async () => {
        const socket = await open();
        const args = [1, text, null, { deep: [{ x: -1.5, [text]: [] }] }, true];
        assert.deepEqual(await ask(socket, "echo", ...args), args);
        const back = next(socket, "echo");
        socket.emit("echo", ...args);
        assert.deepEqual(await back, args);
        const long = "x".repeat(100_000);
        assert.deepEqual(await ask(socket, "echo", long), [long]);
        assert.equal((await ask(socket, "big", 200_000))[0].length, 200_000);
      });

      test("sends and gets binary data", async () => {
        const socket = await open();
        const args = [bytes(1, 2, 3), { a: [bytes(), { b: bytes(0, 255) }] }, "between", bytes(...Array(200).keys())];
        assert.deepEqual(plain(await ask(socket, "echo", ...args)), plain(args));
        // Its text is not ASCII, see above.
        if (text === "plain") return;
        const got = next(socket, "binary-me");
        socket.emit("binary-me");
        const all = [...Array(256).keys()];
        assert.deepEqual(plain(await got), plain([{ a: bytes(1, 2, 3), b: [bytes(...all)], c: { d: bytes(), text: "hé世😀" } }]));
      });

      test("events arrive in order", async () => {
        const socket = await open();
        const got = take(socket, "burst", 300);
        socket.emit("burst", 300);
        assert.deepEqual((await got).flat(), [...Array(300).keys()]);
      });

      test("is asked for an acknowledgement", async () => {
        const socket = await open();
        socket.on("question", (a, ack) => ack("answer", plain(a)));
        assert.deepEqual(await ask(socket, "call-me", "question", bytes(7)), [{ ok: true, args: ["answer", "bytes 07"] }]);
      });

      test("joins further namespaces", async () => {
        const [chat, child] = await Promise.all([open("/chat"), open("/dyn-77")]);
        const [[who], [whoElse]] = await Promise.all([ask(chat, "whoami"), ask(child, "whoami")]);
        assert.deepEqual([who.nsp, whoElse.nsp], ["/chat", "/dyn-77"]);
        assert.deepEqual(await ask(chat, "echo", "here"), ["here"]);
      });

      test("authenticates", async () => {
        const socket = await open("/auth", { auth: { token: "secret", more: "a b" } });
        const [who] = await ask(socket, "whoami");
        assert.deepEqual(who.auth, { token: "secret", more: "a b" });
        await open("/auth", { auth: { token: "slow" } });
      });

      test("is refused", async () => {
        const refusal = async (namespace, auth) => {
          const [error] = await next(client(generation, namespace, { transports, auth }), refusalEvent(generation));
          return eio === 3 ? error : { message: error.message, ...(error.data === undefined ? {} : { data: error.data }) };
        };
        const data = { code: "E_AUTH", retryAfter: 42, nested: { list: [1, 2, 3] } };
        assert.deepEqual(await refusal("/auth", { token: "wrong" }), eio === 3 ? data : { message: "not authorized", data });
        assert.deepEqual(
          await refusal("/auth", { token: "plain" }),
          eio === 3 ? "plain refusal" : { message: "plain refusal" },
        );
        const unknown = await refusal("/nope");
        assert.equal(unknown.message ?? unknown, "Invalid namespace");
      });

      test("either side disconnects", async () => {
        const socket = await open();
        const { id } = socket;
        const gone = next(socket, "disconnect");
        socket.emit("bye", false);
        assert.equal((await gone)[0], "io server disconnect");
        const witness = await open();
        assert.deepEqual((await ask(witness, "report", id))[0], { reason: "server namespace disconnect", rooms: [id] });

        const leaver = await open("/chat");
        const [{ id: left }] = await ask(leaver, "whoami");
        leaver.disconnect();
        await until(async () => (await ask(witness, "report", left))[0]?.reason === "client namespace disconnect");
      });
    });
  }
}

async function until(probe) {
  const end = Date.now() + 4000;
  while (!(await probe())) assert.ok(Date.now() < end, "it did not happen");
}

describe("generations together", () => {
  test("one room, one broadcast, every client", async () => {
    const sockets = [];
    for (const generation of GENERATIONS) {
      for (const transports of Object.values(TRANSPORTS)) sockets.push(await connect(generation, "/", { transports }));
    }
    for (const socket of sockets) await ask(socket, "join", "mixed");
    for (const sender of [sockets[3], sockets.at(-1)]) {
      const all = sockets.map((socket) => next(socket, "news"));
      await ask(sender, "broadcast", { to: ["mixed"], all: true }, "news", "text", { data: bytes(1, 4, 255) }, bytes());
      for (const got of await Promise.all(all)) assert.deepEqual(plain(got), plain(["text", { data: bytes(1, 4, 255) }, bytes()]));
    }
    const reply = ask(sockets[0], "collect", "mixed", 3000, "sum", bytes(1), 2);
    sockets.forEach((socket, i) => socket.once("sum", (a, b, ack) => ack(i)));
    const [{ ok, responses }] = await reply;
    assert.deepEqual([ok, responses.sort((a, b) => a - b)], [true, [...sockets.keys()]]);
  });

  test("a client is addressed by the id that it knows", async () => {
    const sender = await connect(NEW.at(-1), "/chat");
    // That of 1.x is the session's in every namespace, which fits no server since 2.
    for (const generation of GENERATIONS.slice(1)) {
      const socket = await connect(generation, "/chat");
      const got = next(socket, "hello");
      await ask(sender, "broadcast", { to: [socket.id] }, "hello", 1);
      assert.deepEqual(await got, [1]);
    }
  });

  deliberate("beside /, the server's id of an old client is another than its own", async () => {
    const socket = await connect(OLD.at(-1), "/chat");
    const [who] = await ask(socket, "whoami");
    assert.match(who.id, /^[\w-]{20}$/);
    assert.notEqual(who.id, socket.io.engine.id);
    assert.deepEqual(who.rooms, [who.id, socket.id].sort());
  });

  nodeOnly("beside /, the server's id of an old client is its own", async () => {
    const socket = await connect(OLD.at(-1), "/chat");
    const [who] = await ask(socket, "whoami");
    assert.deepEqual([who.id, who.rooms], [socket.id, [socket.id]]);
  });

  test("old clients are refused where they are not allowed", async () => {
    for (const generation of OLD) {
      const socket = client(generation, "/", { path: "/fixture/", transports: ["polling"] });
      const [error] = await next(socket, "connect_error");
      assert.match(String(error), /xhr poll error/);
    }
  });
});

// ------------------------------------------------------------------------------------------- revision 3, by hand

const POLLING = (mount, query = "") => `${mount}?EIO=3&transport=polling${query}`;

/** The packets of a text payload. */
function split(body) {
  const packets = [];
  for (let at = 0; at < body.length; ) {
    const colon = body.indexOf(":", at);
    const end = colon + 1 + Number(body.slice(at, colon));
    packets.push(body.slice(colon + 1, end));
    at = end;
  }
  return packets;
}

const join = (...packets) => packets.map((packet) => `${packet.length}:${packet}`).join("");

/** A polling session of revision 3. */
async function session(mount, query = "") {
  const answer = await get(POLLING(mount, query));
  assert.equal(answer.status, 200, answer.body);
  const [open, ...rest] = split(answer.body);
  assert.equal(open[0], "0");
  const handshake = JSON.parse(open.slice(1));
  const path = POLLING(mount, `${query}&sid=${handshake.sid}`);
  return {
    handshake,
    rest,
    path,
    sid: handshake.sid,
    get: () => get(path),
    post: (body, options) => post(path, body, options),
    async send(...packets) {
      const answer = await post(path, join(...packets));
      assert.deepEqual([answer.status, answer.body], [200, "ok"]);
    },
    /** The packets up to `count`, over as many GETs as it takes. */
    async receive(count) {
      const packets = [...rest.splice(0)];
      while (packets.length < count) {
        const answer = await get(path);
        assert.equal(answer.status, 200, answer.body);
        packets.push(...split(answer.body));
      }
      return packets;
    },
    async assertGone() {
      assertError(await get(path), 1);
    },
  };
}

describe("revision 3 over polling", () => {
  test("the handshake", async () => {
    const { handshake } = await session(F3);
    const { sid, ...rest } = handshake;
    assert.match(sid, /^[\w-]{20}$/);
    assert.deepEqual(rest, { upgrades: ["websocket"], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    const answer = await get(POLLING(F3));
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(answer.headers["cache-control"], "no-store");
  });

  test("EIO is anything but 4", async () => {
    for (const query of ["EIO=3&", "EIO=2&", "EIO=abc&", ""]) {
      const answer = await get(`${F3}?${query}transport=polling`);
      assert.equal(answer.status, 200);
      assert.match(answer.body, /^\d+:0\{/);
    }
    assert.match((await get(`${F3}?EIO=4&transport=polling`)).body, /^0\{/);
  });

  test("is refused where it is not allowed", async () => {
    for (const mount of [F1, F4]) assertError(await get(POLLING(mount)), 5);
  });

  test("a session keeps its revision", async () => {
    const old = await session(F3);
    assertError(await get(old.path.replace("EIO=3", "EIO=4")), 3);
    const answer = await get(`${F3}?EIO=4&transport=polling`);
    const { sid } = JSON.parse(answer.body.slice(1));
    assertError(await get(POLLING(F3, `&sid=${sid}`)), 3);
    await old.send("4still here");
    assert.deepEqual(await old.receive(1), ["4still here"]);
  });

  test("lengths count UTF-16 units", async () => {
    const open = await session(F3);
    const body = "3:4€é5:4😀😀1:4";
    assert.equal((await open.post(body)).body, "ok");
    const packets = await open.receive(3);
    assert.deepEqual(packets, ["4€é", "4😀😀", "4"]);
    await open.send("4😀");
    const { body: answer } = await open.get();
    assert.equal(answer, "3:4😀");
  });

  test("binary comes back as bytes, or as base64 where the client says so", async () => {
    const open = await session(F3);
    assert.equal((await open.post("6:b4AQID2:4a")).body, "ok");
    const answer = await open.get();
    assert.equal(answer.headers["content-type"], "application/octet-stream");
    const packets = [bytes(1, 4, 255, 4, 1, 2, 3), bytes(0, 2, 255, 0x34, 0x61)];
    // Both, or the first alone.
    assert.equal(Buffer.concat(packets).indexOf(answer.raw), 0);

    const base64 = await session(F3, "&b64=1");
    await base64.send("b4AQID", "4a");
    assert.deepEqual(await base64.receive(2), ["b4AQID", "4a"]);
  });

  test("a POST may be bytes", async () => {
    const open = await session(F3, "&b64=1");
    const text = Buffer.from("4hé😀");
    const body = Buffer.concat([bytes(0, text.length, 255), text, bytes(1, 4, 255, 4, 1, 2, 3), bytes(0, 1, 255, 0x32)]);
    const answer = await open.post(body, { headers: { "Content-Type": "application/octet-stream" } });
    assert.deepEqual([answer.status, answer.body, answer.headers["content-type"]], [200, "ok", "text/html"]);
    const packets = await open.receive(3);
    // The heartbeat may overtake.
    assert.deepEqual(packets.filter((packet) => packet !== "3"), ["4hé😀", "b4AQID"]);
    assert.ok(packets.includes("3"));
  });

  test("garbage is answered with ok, and then the session is gone", async () => {
    for (const body of ["", "abc", "2:4", ":4", "1:7", "2:4a\x1e"]) {
      const open = await session(F3);
      assert.deepEqual(await open.post(body).then(({ status, body }) => [status, body]), [200, "ok"], body);
      await open.assertGone();
    }
  });

  test("a body that is too large is refused, and the session survives", async () => {
    const open = await session(F3);
    assert.equal((await open.post(join(`4${"x".repeat(1_000_000)}`))).status, 413);
    await open.send("4a");
    assert.deepEqual(await open.receive(1), ["4a"]);
  });

  test("the client closes", async () => {
    const open = await session(F5);
    assert.deepEqual(await open.receive(1), ["40"]);
    const hanging = open.get();
    await hanging.sent;
    // A round trip: the GET has arrived.
    await open.send("6");
    await open.send("1");
    assert.equal((await hanging).body, "1:6");
    await open.assertGone();
  });

  test("the server closes", async () => {
    const open = await session(F5);
    assert.deepEqual(await open.receive(1), ["40"]);
    await open.send('42["bye",true]');
    const packets = await open.receive(2);
    assert.deepEqual([packets[0], packets.at(-1)], ["41", "1"]);
    await open.assertGone();
  });
});

describe("the heartbeat of revision 3", () => {
  test("over polling: the client asks, the server answers", async () => {
    const open = await session(F3);
    for (let i = 0; i < 3; i++) {
      const hanging = open.get();
      await hanging.sent;
      await open.send("2");
      assert.equal((await hanging).body, "1:3");
    }
  });

  test("over websocket: the payload of a ping is not sent back", async () => {
    const ws = await openWs();
    ws.send("2", "2abc");
    await ws.expect("3", "3");
  });

  test("without a ping the session ends", async () => {
    const ws = await openWs();
    const began = Date.now();
    const end = await within(ws.closed, "the ping timeout");
    assert.equal(end.code, 1005);
    assert.ok(Date.now() - began >= 450);
    assert.deepEqual(ws.inbox.drain(), []);
  });

  test("a pong of the client ends the session", async () => {
    const ws = await openWs();
    ws.send("3");
    await ws.assertClosed();
    const open = await session(F3);
    await open.send("3");
    await open.assertGone();
  });

  test("the stock client stays for many heartbeats", async () => {
    for (const transports of Object.values(TRANSPORTS)) {
      const socket = oldEngine(base.origin, { path: F3, transports });
      cleanup(() => socket.close());
      await within(new Promise((resolve) => socket.once("open", resolve)), "open");
      const pongs = new Promise((resolve) => {
        let count = 0;
        socket.on("pong", () => ++count === 4 && resolve());
      });
      await within(pongs, "four pongs");
      const back = new Promise((resolve) => socket.once("message", resolve));
      socket.send(bytes(4, 5));
      assert.equal(plain(await within(back, "the echo")), "bytes 0405");
      assert.equal(socket.readyState, "open");
      socket.close();
    }
  });
});

async function openWs(query = "", mount = F3) {
  const ws = await Ws.connect(`${mount}?EIO=3&transport=websocket${query}`);
  const open = await ws.next("the open packet");
  assert.equal(open[0], "0");
  ws.handshake = JSON.parse(open.slice(1));
  return ws;
}

describe("revision 3 over websocket", () => {
  test("a binary message starts with its type", async () => {
    const ws = await openWs();
    assert.deepEqual(ws.handshake.upgrades, []);
    ws.send(bytes(4, 1, 2, 3), "b4/w==", bytes(4), "4text");
    await ws.expect(bytes(4, 1, 2, 3), bytes(4, 255), bytes(4), "4text");
    const base64 = await openWs("&b64=1");
    base64.send(bytes(4, 1, 2, 3), "b4/w==");
    await base64.expect("b4AQID", "b4/w==");
  });

  test("bytes may be any packet", async () => {
    const ws = await openWs();
    ws.send(bytes(2), bytes(4, 9));
    await ws.expect("3", bytes(4, 9));
  });

  test("an upgrade ends the hanging GET, and later packets go over the websocket", async () => {
    const open = await session(F3);
    const hanging = open.get();
    await hanging.sent;
    const ws = await Ws.connect(`${F3}?EIO=3&transport=websocket&sid=${open.sid}`);
    ws.send("2probe");
    await ws.expect("3probe");
    assert.equal((await hanging).body, "1:6");
    ws.send("5", "4a", bytes(4, 1));
    await ws.expect("4a", bytes(4, 1));
    assertError(await open.get(), 3);
  });

  test("an upgrade of the other revision is refused", async () => {
    const open = await session(F3);
    const answer = await upgradeRequest(`${F3}?EIO=4&transport=websocket&sid=${open.sid}`);
    assert.deepEqual([answer.status, answer.body], [400, "Bad request"]);
  });
});

describe("Socket.IO of old clients, by hand", () => {
  test("/ is joined without asking, and CONNECT is answered without an id", async () => {
    const ws = await openWs("", F5);
    await ws.expect("40");
    ws.send("40/chat,", "40/auth?token=secret&x=a%20b,");
    await ws.expect("40/chat,", "40/auth,");
    ws.send('42/auth,1["whoami"]');
    const [who] = JSON.parse((await ws.next()).slice("43/auth,1".length));
    assert.deepEqual(who.auth, { token: "secret", x: "a b" });
  });

  test("refusals", async () => {
    const ws = await openWs("", F5);
    await ws.expect("40");
    ws.send("40/nope?a=1,", "40/auth?token=plain", "40/auth,");
    await ws.expect(
      '44/nope,{"message":"Invalid namespace"}',
      '44/auth,"plain refusal"',
      '44/auth,{"code":"E_AUTH","retryAfter":42,"nested":{"list":[1,2,3]}}',
    );
    ws.send('421["echo","alive"]');
    await ws.expect('431["alive"]');
  });

  test("a query behind the namespace of an event changes nothing", async () => {
    const ws = await openWs("", F5);
    await ws.expect("40");
    ws.send("40/chat?a=1,");
    await ws.expect("40/chat,");
    ws.send('42/chat?b=2,1["echo",1]');
    await ws.expect("43/chat,1[1]");
    ws.send("41/chat?c=3,", '421["echo",2]');
    await ws.expect("431[2]");
  });

  test("a CONNECT for / that is joined already closes", async () => {
    for (const packet of ["40", "40/", "40/?a=1,"]) {
      const ws = await openWs("", F5);
      await ws.expect("40");
      ws.send(packet);
      await ws.assertClosed();
    }
  });

  test("attachments are binary messages with a type", async () => {
    const ws = await openWs("", F5);
    await ws.expect("40");
    ws.send('451-7["echo",{"_placeholder":true,"num":0}]', bytes(4, 1, 2));
    await ws.expect('461-7[{"_placeholder":true,"num":0}]', bytes(4, 1, 2));
  });
});

// ------------------------------------------------------------------------------------------------------------ JSONP

const form = (payload) => `d=${encodeURIComponent(payload)}`;
const FORM = { headers: { "Content-Type": "application/x-www-form-urlencoded" } };

/** What the script calls its function with. */
function called(body, index) {
  let payload;
  const ___eio = [];
  ___eio[index] = (text) => (payload = text);
  vm.runInNewContext(body, { ___eio });
  return payload;
}

describe("JSONP", () => {
  test("JSONP is served where old clients are", async () => {
    for (const [eio, encode, decode] of [
      [3, join, split],
      [4, (...packets) => packets.join("\x1e"), (body) => body.split("\x1e")],
    ]) {
      const path = `${F3}?EIO=${eio}&transport=polling&j=3`;
      const answer = await get(path);
      assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
      assert.match(answer.body, /^___eio\[3\]\(".*"\);$/);
      const { sid } = JSON.parse(decode(called(answer.body, 3))[0].slice(1));
      const message = '4a"\\\u2028\u2029\t</script>é😀';
      const posted = await post(`${path}&sid=${sid}`, form(encode(message)), FORM);
      assert.deepEqual([posted.status, posted.body, posted.headers["content-type"]], [200, "ok", "text/html"]);
      const got = await get(`${path}&sid=${sid}`);
      assert.ok(!got.body.includes("\u2028") && !got.body.includes("\u2029"));
      let packets = decode(called(got.body, 3));
      while (packets[0] === "2") packets = decode(called((await get(`${path}&sid=${sid}`)).body, 3));
      assert.deepEqual(packets, [message]);
    }
  });

  test("binary is base64", async () => {
    const path = POLLING(F3, "&j=0&b64=1");
    const { sid } = JSON.parse(split(called((await get(path)).body, 0))[0].slice(1));
    assert.equal((await post(`${path}&sid=${sid}`, form("6:b4AQID"), FORM)).body, "ok");
    assert.equal(called((await get(`${path}&sid=${sid}`)).body, 0), "6:b4AQID");
  });

  test("line ends are sent with a backslash", async () => {
    const path = POLLING(F3, "&j=0");
    const { sid } = JSON.parse(split(called((await get(path)).body, 0))[0].slice(1));
    assert.equal((await post(`${path}&sid=${sid}`, form("6:4a\\nb\\\\n"), FORM)).body, "ok");
    assert.equal(called((await get(`${path}&sid=${sid}`)).body, 0), "6:4a\nb\\n");
  });

  test("the function is named by digits alone", async () => {
    const answer = await get(POLLING(F3, "&j=1%5D(alert)//2"));
    assert.match(answer.body, /^___eio\[12\]\("/);
    assert.match((await get(POLLING(F3, "&j=x"))).body, /^___eio\[\]\("/);
  });

  test("a form without a payload does nothing", async () => {
    const path = POLLING(F3, "&j=0");
    const { sid } = JSON.parse(split(called((await get(path)).body, 0))[0].slice(1));
    for (const body of ["", "e=1", "d=1&d=2"]) {
      assert.equal((await post(`${path}&sid=${sid}`, body, FORM)).body, "ok");
    }
    assert.equal((await post(`${path}&sid=${sid}`, form("2:4a"), FORM)).body, "ok");
    assert.equal(called((await get(`${path}&sid=${sid}`)).body, 0), "2:4a");
  });

  deliberate("JSONP is not served where old clients are not", async () => {
    assert.equal((await get(`${F4}?EIO=4&transport=polling&j=0`)).body[0], "0");
  });

  nodeOnly("JSONP is served everywhere", async () => {
    assert.match((await get(`${F4}?EIO=4&transport=polling&j=0`)).body, /^___eio\[0\]/);
  });

  for (const generation of GENERATIONS.filter(({ name }) => ["1.7", "2.0", "2.5", "3.1", "4.0"].includes(name))) {
    test(`the stock client ${generation.name} in a page without XHR`, async () => {
      page();
      const socket = client(generation, "/", { transports: ["polling"], forceJSONP: true, jsonp: true });
      await connected(generation, socket);
      const text = generation.name === "1.7" ? "plain\n\\n" : "hé世😀\u2028\n\\n\\\\n\"";
      assert.deepEqual(plain(await ask(socket, "echo", text, bytes(1, 2))), [text, "bytes 0102"]);
      const [who] = await ask(socket, "whoami");
      assert.match(who.query.j, /^\d+$/);
      const closed = new Promise((resolve) => socket.io.engine.once("close", resolve));
      socket.disconnect();
      await within(closed, "the close");
    });
  }
});

/** As much of a page as JSONP needs: scripts are fetched and run, forms are posted with the line ends of a browser. */
function page() {
  const element = (tag) => ({
    tag,
    style: {},
    setAttribute() {},
    get parentNode() {
      return { insertBefore: (child) => added(child), removeChild() {} };
    },
    appendChild(child) {
      if (child.tag === "textarea") this.area = child;
      if (child.tag === "iframe") this.iframe = child;
      added(child);
    },
    removeChild() {},
    submit() {
      const { iframe } = this;
      const value = this.area.value.replace(/\r?\n/g, "\r\n");
      const { pathname, search } = new URL(this.action, base);
      post(pathname + search, form(value), FORM).then(() => iframe.onload?.(), () => {});
    },
  });
  let left = false;
  cleanup(() => (left = true));
  function added(child) {
    if (left || child.tag !== "script") return;
    const { pathname, search } = new URL(child.src, base);
    request("GET", pathname + search, { ms: 30_000 }).then(({ body }) => vm.runInThisContext(body), () => {});
  }
  globalThis.document = {
    createElement: (html) => element(/^<?(\w+)/.exec(html)[1]),
    getElementsByTagName: () => [element("script")],
    head: element("head"),
    body: element("body"),
  };
}
