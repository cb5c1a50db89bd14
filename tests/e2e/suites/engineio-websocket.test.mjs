// Engine.IO over websocket: handshake, packets, close codes, heartbeat.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, test } from "../helpers/core.mjs";
import { F1, F4, MESSAGES, upgradeRequest } from "../helpers/http.mjs";
import { Ws, assertEchoes, closeCode, frame, joinedWs, openWs, rawWs } from "../helpers/ws.mjs";

const WEBSOCKET = "EIO=4&transport=websocket";

describe("handshake", () => {
  test("open packet: no upgrades, exact keys in order", async () => {
    const ws = await Ws.connect(`${F1}?${WEBSOCKET}`);
    const open = await ws.next();
    assert.match(open, /^0\{"sid":"[\w-]{20,}","upgrades":\[\],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000\}$/);
  });

  test("101 without cookies", async () => {
    const answer = await upgradeRequest(`${F1}?${WEBSOCKET}`);
    assert.equal(answer.status, 101);
    assert.equal(answer.headers["set-cookie"], undefined);
    assert.equal(answer.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  test("extensions are not negotiated", async () => {
    const answer = await upgradeRequest(`${F1}?${WEBSOCKET}`, { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" });
    assert.equal(answer.status, 101);
    assert.equal(answer.headers["sec-websocket-extensions"], undefined);
  });

  test("of the offered subprotocols the first is chosen", async () => {
    const answer = await upgradeRequest(`${F1}?${WEBSOCKET}`, { "Sec-WebSocket-Protocol": "chat, superchat" });
    assert.equal(answer.status, 101);
    assert.equal(answer.headers["sec-websocket-protocol"], "chat");
  });

  test("without an offer there is no subprotocol", async () => {
    const answer = await upgradeRequest(`${F1}?${WEBSOCKET}`);
    assert.equal(answer.headers["sec-websocket-protocol"], undefined);
  });

  test("an empty sid is a new handshake", async () => {
    const ws = await Ws.connect(`${F1}?${WEBSOCKET}&sid=`);
    assert.match(await ws.next(), /^0\{"sid":"/);
  });

  const refusals = [
    ["unknown transport", "?EIO=4&transport=x", 0],
    ["no transport", "?EIO=4", 0],
    ["transport constructor", "?EIO=4&transport=constructor", 0],
    ["unknown sid", `?${WEBSOCKET}&sid=nope`, 1],
    ["sid __proto__", `?${WEBSOCKET}&sid=__proto__`, 1],
    ["unknown transport before unknown sid", "?EIO=4&transport=x&sid=nope", 0],
    ["unknown sid before protocol", "?EIO=3&transport=websocket&sid=nope", 1],
  ];
  for (const [name, query, code] of refusals) {
    test(`${name}: 400 text/html, the bare message`, async () => {
      const answer = await upgradeRequest(F1 + query);
      assert.deepEqual(
        { status: answer.status, type: answer.headers["content-type"], connection: answer.headers.connection, body: answer.body },
        { status: 400, type: "text/html", connection: "close", body: MESSAGES[code] },
      );
    });
  }

  for (const [name, query] of [
    ["3", "?EIO=3&transport=websocket"],
    ["missing", "?transport=websocket"],
  ]) {
    test(`protocol ${name}: no session`, async () => {
      const ws = new Ws(F1 + query);
      await Promise.race([ws.opened.catch(() => {}), ws.closed]);
      await ws.closed;
      // Node has switched protocols by then and breaks the stream; a plain refusal is as good
      assert.deepEqual(ws.inbox.drain(), []);
    });
  }
});

describe("messages", () => {
  test("text", async () => {
    const ws = await openWs();
    ws.send("4hello", "4", "4é世😀", '42["x"]');
    await ws.expect("4hello", "4", "4é世😀", '42["x"]');
  });

  test("binary has no type byte", async () => {
    const ws = await openWs();
    const bytes = Buffer.from([4, 0, 255, 1]);
    ws.send(bytes, Buffer.alloc(0), Buffer.from("4text"));
    await ws.expect(bytes, Buffer.alloc(0), Buffer.from("4text"));
  });

  test("base64 text is binary too", async () => {
    const ws = await openWs();
    ws.send("bAQIDBA==", "bAQIDBA", "b");
    await ws.expect(Buffer.from([1, 2, 3, 4]), Buffer.from([1, 2, 3, 4]), Buffer.alloc(0));
  });

  test("text and binary keep their order", async () => {
    const ws = await openWs();
    const messages = [];
    for (let i = 0; i < 200; i++) messages.push(i % 3 === 0 ? Buffer.from([i]) : `4${i}`);
    ws.send(...messages);
    await ws.expect(...messages);
  });

  test("a message in several fragments is one message", async () => {
    const tcp = await rawWs(`${F1}?${WEBSOCKET}`);
    tcp.write(frame("4he", { fin: false }));
    tcp.write(frame("l", { fin: false, opcode: 0 }));
    tcp.write(frame("lo", { opcode: 0 }));
    await tcp.until(/4hello/, "the echo");
  });

  test("a control frame between fragments is answered at once", async () => {
    const tcp = await rawWs(`${F1}?${WEBSOCKET}`);
    tcp.write(frame("4he", { fin: false }));
    tcp.write(frame("between", { opcode: 9 }));
    await tcp.until((text) => text.includes("\x8a\x07between"), "the pong");
    tcp.write(frame("llo", { opcode: 0 }));
    await tcp.until(/4hello/, "the echo");
  });

  test("a websocket ping is answered by a websocket pong with its data", async () => {
    const ws = await openWs();
    const pong = new Promise((resolve) => ws.socket.once("pong", resolve));
    ws.socket.ping("data");
    assert.equal((await pong).toString(), "data");
  });

  for (const packet of ["0", '0{"sid":"x"}', "3", "3probe", "5", "5x", "6", "6noop", "1", "1bye"]) {
    test(`the packet ${packet} is ignored`, async () => {
      const ws = await openWs();
      ws.send(packet);
      await assertEchoes(ws, F1);
    });
  }

  for (const [name, packet] of [
    ["a ping", "2"],
    ["a probe", "2probe"],
    ["type 7", "7"],
    ["type 9", "9x"],
    ["a letter", "a"],
    ["a capital B", "BAQID"],
    ["a minus", "-1"],
    ["a space", " 4x"],
    ["an emoji", "😀"],
    ["a separator", "\x1e4x"],
    ["an empty text", ""],
  ]) {
    test(`${name} closes with an empty close frame`, async () => {
      const ws = await openWs(F4);
      ws.send(packet);
      await ws.assertClosed(1005);
    });
  }

  test("a payload is not split on websocket", async () => {
    const ws = await openWs();
    ws.send("4one\x1e4two");
    await ws.expect("4one\x1e4two");
  });
});

describe("the size limit", () => {
  test("a message of exactly maxPayload bytes is accepted", async () => {
    const ws = await openWs();
    const message = `4${"x".repeat(999_999)}`;
    ws.send(message);
    assert.ok((await ws.next("the large echo")) === message);
  });

  for (const [name, message] of [
    ["text", `4${"x".repeat(1_000_000)}`],
    ["binary", Buffer.alloc(1_000_001)],
    ["multi-byte text", `4${"世".repeat(333_334)}`],
  ]) {
    test(`one byte more of ${name}: 1009`, async () => {
      const ws = await openWs(F4);
      ws.send(message);
      await ws.assertClosed(1009);
    });
  }

  test("fragments add up: 1009", async () => {
    const ws = await openWs(F4);
    for (let i = 0; i < 11; i++) ws.socket.send("x".repeat(100_000), { fin: false });
    await ws.assertClosed(1009);
  });

  test("a frame that announces too much is refused before its data comes: 1009", async () => {
    const tcp = await rawWs(`${F4}?${WEBSOCKET}`);
    tcp.write(frame("", { opcode: 2, length: 1_000_001 }));
    await tcp.end();
    assert.equal(closeCode(tcp.data), 1009);
  });

  test("a message of the server may be larger", async () => {
    const ws = await joinedWs();
    ws.send('420["big",1500000]');
    assert.equal((await ws.next()).length, '430[""]'.length + 1_500_000);
  });
});

describe("broken frames", () => {
  const broken = [
    ["a reserved bit", frame("4x", { rsv: 4 }), 1002],
    ["the second reserved bit", frame("4x", { rsv: 2 }), 1002],
    ["the third reserved bit", frame("4x", { rsv: 1 }), 1002],
    ["an unmasked frame", frame("4x", { masked: false }), 1002],
    ["opcode 3", frame("4x", { opcode: 3 }), 1002],
    ["opcode 11", frame("4x", { opcode: 11 }), 1002],
    ["a continuation of nothing", frame("4x", { opcode: 0 }), 1002],
    ["a fragmented ping", frame("x", { opcode: 9, fin: false }), 1002],
    ["a ping of 126 bytes", frame("x".repeat(126), { opcode: 9 }), 1002],
    ["a message inside a message", Buffer.concat([frame("4x", { fin: false }), frame("4y")]), 1002],
    ["a close frame of one byte", frame(Buffer.from([3]), { opcode: 8 }), 1002],
    ["close code 1005", frame(Buffer.from([0x03, 0xed]), { opcode: 8 }), 1002],
    ["close code 0", frame(Buffer.from([0, 0]), { opcode: 8 }), 1002],
    ["bad utf-8 in text", frame(Buffer.from([0x34, 0xff, 0xfe]), { opcode: 1 }), 1007],
    ["an overlong encoding in text", frame(Buffer.from([0x34, 0xc0, 0xaf]), { opcode: 1 }), 1007],
    ["a surrogate in text", frame(Buffer.from([0x34, 0xed, 0xa0, 0x80]), { opcode: 1 }), 1007],
  ];
  for (const [name, bytes, code] of broken) {
    test(`${name}: ${code}`, async () => {
      const tcp = await rawWs(`${F4}?${WEBSOCKET}`);
      tcp.write(bytes);
      await tcp.end();
      assert.equal(closeCode(tcp.data), code);
    });
  }

  test("a close frame is answered with its own code", async () => {
    const tcp = await rawWs(`${F4}?${WEBSOCKET}`);
    tcp.write(frame(Buffer.from([0x03, 0xe8]), { opcode: 8 }));
    await tcp.end();
    assert.equal(closeCode(tcp.data), 1000);
  });
});

describe("heartbeat", () => {
  test("a ping after pingInterval, again after the pong", async () => {
    const ws = await openWs(F1, { autoPong: false });
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      assert.equal(await ws.next("a ping"), "2");
      const took = performance.now() - began;
      assert.ok(took > 200 && took < 1500, `ping ${i} after ${took} ms`);
      ws.send("3");
    }
    await assertEchoes(ws, F1);
  });

  test("no pong: closed after pingTimeout", async () => {
    const ws = await openWs(F1, { autoPong: false });
    assert.equal(await ws.next("a ping"), "2");
    const began = performance.now();
    await ws.assertClosed(1005);
    const took = performance.now() - began;
    assert.ok(took > 100 && took < 1500, `closed after ${took} ms`);
  });

  test("other traffic does not postpone the ping", async () => {
    const ws = await openWs(F1, { autoPong: false });
    const began = performance.now();
    for (;;) {
      ws.send("4x");
      if ((await ws.next()) === "2") break;
      assert.ok(performance.now() - began < 1500, "no ping although there is traffic");
      await sleep(20);
    }
  });

  test("an unsolicited pong restarts the interval", async () => {
    const ws = await openWs(F1, { autoPong: false });
    const began = performance.now();
    for (let i = 0; i < 10; i++) {
      await sleep(60);
      ws.send("3");
    }
    assert.equal(await ws.next("a ping"), "2");
    const took = performance.now() - began;
    assert.ok(took > 550, `ping after ${took} ms`);
  });

  test("while a pong is missing, other packets prolong the wait only once", async () => {
    const ws = await openWs(F1, { autoPong: false });
    assert.equal(await ws.next("a ping"), "2");
    const began = performance.now();
    const timer = setInterval(() => ws.socket.send("6"), 50);
    try {
      await ws.assertClosed(1005);
    } finally {
      clearInterval(timer);
    }
    const took = performance.now() - began;
    assert.ok(took > 215 && took < 1500, `closed after ${took} ms`);
  });

  test("the ping is a text packet, not a websocket ping", async () => {
    const ws = await openWs(F1, { autoPong: false });
    let pings = 0;
    ws.socket.on("ping", () => pings++);
    assert.equal(await ws.next("a ping"), "2");
    assert.equal(pings, 0);
  });
});
