// permessage-deflate: the `ws` client in every agreement (as groups 12 and 13 of the Autobahn suite), and stock clients.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { deliberate, describe, nodeOnly, test } from "../helpers/core.mjs";
import { ask, connect, next } from "../helpers/client.mjs";
import { F1, F9, F10 } from "../helpers/http.mjs";
import { openWs } from "../helpers/ws.mjs";

const OFFERS = {
  "as it comes": {},
  "server_no_context_takeover": { serverNoContextTakeover: true },
  "client_no_context_takeover": { clientNoContextTakeover: true },
  "no context takeover": { serverNoContextTakeover: true, clientNoContextTakeover: true },
  "windows of 9 bits": { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  "windows of 15 bits": { serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
  "windows of 9 bits, no context takeover": {
    serverMaxWindowBits: 9,
    clientMaxWindowBits: 9,
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  },
  "a window of 8 bits for the client": { clientMaxWindowBits: 8 },
};
const SIZES = [0, 1, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072];

const json = (size) => `4${JSON.stringify(Array.from({ length: size / 10 + 1 }, (_, i) => ({ id: i, name: `é${i * 7919}` })))}`.slice(0, size + 1);
const kinds = {
  json,
  "one letter": (size) => `4${"x".repeat(size)}`,
  "random bytes": (size) => randomBytes(size),
  zeros: (size) => Buffer.alloc(size),
};

/** Cuts a message into frames. */
function sendFragments(socket, message, count) {
  const size = Math.max(1, Math.ceil(message.length / count));
  let at = 0;
  do {
    const fin = at + size >= message.length;
    // Not within a character: `ws` encodes each piece of a text by itself.
    socket.send(message.slice(at, at + size), { fin, compress: true });
    at += size;
  } while (at < message.length);
}

describe("permessage-deflate", () => {
  for (const [agreement, options] of Object.entries(OFFERS)) {
    test(`${agreement}: every size and kind comes back, whole and in fragments`, async () => {
      const ws = await openWs(F9, { perMessageDeflate: { threshold: 0, ...options } });
      assert.match(ws.socket.extensions, /^permessage-deflate/);
      for (const size of SIZES) {
        for (const make of Object.values(kinds)) {
          const message = make(size);
          ws.send(message);
          sendFragments(ws.socket, message, 3);
          ws.socket.send(message, { compress: false });
          await ws.expect(message, message, message);
        }
      }
      await ws.close();
    });

    test(`${agreement}: many messages in one go`, async () => {
      const ws = await openWs(F9, { perMessageDeflate: { threshold: 0, ...options } });
      const messages = Array.from({ length: 1000 }, (_, i) => (i % 3 ? json(i) : Buffer.from(json(i))));
      ws.send(...messages);
      await ws.expect(...messages);
    });
  }

  test("messages of nearly a megabyte come back", async () => {
    const ws = await openWs(F9, { perMessageDeflate: { threshold: 0 } });
    for (const make of Object.values(kinds)) {
      const message = make(900_000);
      ws.send(message);
      await ws.expect(message);
    }
  });

  test("a bomb is refused while it is inflated", async () => {
    const ws = await openWs(F9, { perMessageDeflate: { threshold: 0 } });
    ws.send(Buffer.alloc(50_000_000));
    await ws.assertClosed(1009);
  });

  test("what is no compressed data is refused", async () => {
    const ws = await openWs(F9, { perMessageDeflate: { threshold: 0 } });
    ws.socket._socket.write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x06]));
    await ws.assertClosed(1007);
  });

  test("a compressed message without an agreement is refused", async () => {
    for (const mount of [F1, F9]) {
      const ws = await openWs(mount, { perMessageDeflate: false });
      ws.socket._socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0]));
      await ws.assertClosed(1002);
    }
  });

  deliberate("a server window of 8 bits is declined, and the handshake goes on", async () => {
    const ws = await openWs(F9, { perMessageDeflate: { serverMaxWindowBits: 8 } });
    assert.equal(ws.socket.extensions, "");
  });

  nodeOnly("a server window of 8 bits is accepted", async () => {
    const ws = await openWs(F9, { perMessageDeflate: { serverMaxWindowBits: 8 } });
    assert.match(ws.socket.extensions, /^permessage-deflate/);
  });

  for (const offer of ["permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=7"]) {
    const headers = { "Sec-WebSocket-Extensions": offer };
    deliberate(`\`${offer}\` is declined, and the handshake goes on`, async () => {
      const ws = await openWs(F9, { headers });
      assert.equal(ws.socket.extensions, "");
    });
    nodeOnly(`\`${offer}\` is a 400`, async () => {
      await assert.rejects(openWs(F9, { headers }), /400/);
    });
  }

  test("a header that follows no grammar is a 400", async () => {
    await assert.rejects(openWs(F9, { headers: { "Sec-WebSocket-Extensions": "permessage-deflate; =" } }), /400/);
  });
});

/** Bytes that a stock client has received so far. */
const received = (socket) => socket.io.engine.transport.ws._socket.bytesRead;
const open = (options) => connect("/", { path: F10, transports: ["websocket"], ...options });

describe("permessage-deflate and the stock client", () => {
  for (const transports of [["websocket"], ["polling", "websocket"]]) {
    test(`over ${transports.join(" and ")}: it is agreed on, and everything comes back`, async () => {
      const socket = await open({ transports });
      assert.match(socket.io.engine.transport.ws.extensions, /^permessage-deflate/);
      const args = ["below", "x".repeat(1024), json(400_000), Buffer.alloc(900_000, 7), { deep: [randomBytes(2000)] }];
      assert.deepEqual(await ask(socket, "echo", ...args), args);
      assert.deepEqual(await ask(socket, "echo", "small"), ["small"]);
    });
  }

  test("what is large is compressed, and what is small is not", async () => {
    // With context takeover, the threshold means nothing to the reference.
    const socket = await open({ perMessageDeflate: { serverNoContextTakeover: true } });
    const before = received(socket);
    await ask(socket, "big", 1_000_000);
    assert.ok(received(socket) - before < 10_000, `${received(socket) - before} bytes`);
    const small = received(socket);
    await ask(socket, "big", 900);
    assert.ok(received(socket) - small > 900, `${received(socket) - small} bytes`);
    const plain = await open({ perMessageDeflate: false });
    assert.equal(plain.io.engine.transport.ws.extensions, "");
    const all = received(plain);
    await ask(plain, "big", 100_000);
    assert.ok(received(plain) - all > 100_000);
  });

  test("a broadcast reaches clients with different settings", async () => {
    const settings = [
      {},
      {},
      { perMessageDeflate: false },
      { perMessageDeflate: { serverNoContextTakeover: true } },
      { perMessageDeflate: { serverMaxWindowBits: 9 } },
      { perMessageDeflate: { serverMaxWindowBits: 12, clientMaxWindowBits: 12 } },
      { transports: ["polling"] },
    ];
    const sockets = await Promise.all(settings.map((options) => open(options)));
    for (let round = 0; round < 5; round++) {
      const args = [json(50_000 + round), Buffer.alloc(20_000, round), "small"];
      const all = sockets.map((socket) => next(socket, "news"));
      await ask(sockets[0], "broadcast", { all: true }, "news", ...args);
      assert.deepEqual(await Promise.all(all), sockets.map(() => args));
    }
  });
});
