// WebSocket over HTTP/2 against `fixture-http2`: the stock client in Chromium, and the HTTP/2 of Node, which know nothing of ours.
//
// FIXTURE_HTTP2: the server's binary, default `target/debug/fixture-http2`. CHROMIUM as for the chat.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:http2";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { io } from "socket.io-client";
import { launchBrowser, startFixture } from "./setup.js";

const CLIENT = fileURLToPath(new URL("./node_modules/socket.io-client/dist/socket.io.js", import.meta.url));
let server, url;

before(async () => {
  server = await startFixture("fixture-http2", []);
  url = server.url.replace("http:", "https:");
});

after(() => server?.stop());

/** In the page: connects, waits for the transport, and asks what the server knows. */
async function visit(options) {
  const socket = window.io({ forceNew: true, reconnection: false, ...options });
  window.sockets = [...(window.sockets ?? []), socket];
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
  const { engine } = socket.io;
  if (options.upgrades) await new Promise((resolve) => engine.once("upgrade", resolve));
  const [version, method, port] = await socket.emitWithAck("about");
  const large = "x".repeat(300_000);
  const bytes = new Uint8Array([1, 2, 3]);
  const answer = await socket.timeout(10_000).emitWithAck("echo", ["text", bytes]);
  return {
    transport: engine.transport.name,
    version,
    method,
    port,
    text: answer[0],
    bytes: [...new Uint8Array(answer[1])],
    large: (await socket.timeout(10_000).emitWithAck("echo", large)) === large,
  };
}

test("the stock client in Chromium", { timeout: 60_000 }, async () => {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    const handshakes = [];
    const devtools = await context.newCDPSession(page);
    await devtools.send("Network.enable");
    devtools.on("Network.webSocketHandshakeResponseReceived", ({ response }) => handshakes.push(response.status));
    await page.goto(url);
    assert.equal(await page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol), "h2");
    await page.addScriptTag({ path: CLIENT });

    const echoed = { version: "HTTP/2.0", text: "text", bytes: [1, 2, 3], large: true };
    const { port, ...websocket } = await page.evaluate(visit, { transports: ["websocket"] });
    assert.deepEqual(websocket, { ...echoed, transport: "websocket", method: "CONNECT" });
    const { port: other, ...polling } = await page.evaluate(visit, { transports: ["polling"] });
    assert.deepEqual(polling, { ...echoed, transport: "polling", method: "GET" });
    const { port: third, ...upgraded } = await page.evaluate(visit, { upgrades: true });
    assert.deepEqual(upgraded, { ...echoed, transport: "websocket", method: "GET" });
    // The page, the polls and both WebSockets: one connection.
    assert.deepEqual([other, third], [port, port]);
    // 101 would be an upgrade of a connection with HTTP/1.1.
    assert.deepEqual(handshakes, [200, 200]);
    assert.deepEqual(problems, []);
    await page.evaluate(() => window.sockets.forEach((socket) => socket.disconnect()));
  } finally {
    await browser.close();
  }
});

test("a client of HTTP/1.1 at the same port", { timeout: 20_000 }, async () => {
  const socket = io(url, { transports: ["websocket"], rejectUnauthorized: false, reconnection: false });
  await once(socket, "connect");
  assert.deepEqual((await socket.emitWithAck("about")).slice(0, 2), ["HTTP/1.1", "GET"]);
  socket.disconnect();
});

/** A client's frame with a short payload. */
function frame(first, payload) {
  const mask = randomBytes(4);
  const masked = Buffer.from(payload).map((byte, at) => byte ^ mask[at % 4]);
  return Buffer.concat([Buffer.from([first, 0x80 | masked.length]), mask, masked]);
}

/** Reads the server's frames of a stream, as [first byte, payload]. */
async function* frames(stream) {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const [head, length] = bytes[1] === 126 ? [4, bytes.length < 4 ? NaN : bytes.readUInt16BE(2)] : [2, bytes[1]];
      if (!(bytes.length >= head + length)) break;
      yield [bytes[0], bytes.subarray(head, head + length).toString("latin1")];
      bytes = bytes.subarray(head + length);
    }
  }
}

test("the HTTP/2 of Node", { timeout: 20_000 }, async () => {
  const session = connect(url, { rejectUnauthorized: false });
  try {
    const [settings] = await once(session, "remoteSettings");
    assert.equal(settings.enableConnectProtocol, true);
    const ask = async (headers) => {
      const stream = session.request({
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":path": "/socket.io/?EIO=4&transport=websocket",
        "sec-websocket-version": "13",
        ...headers,
      });
      const [answer] = await once(stream, "response");
      return [answer, stream];
    };

    const [answer, stream] = await ask({});
    assert.equal(answer[":status"], 200);
    const names = Object.keys(answer).filter((name) => /^(connection|upgrade|sec-websocket|content-length)/.test(name));
    assert.deepEqual(names, []);
    const received = frames(stream);
    const next = async () => (await received.next()).value;
    assert.match((await next())[1], /^0\{/);
    stream.write(frame(0x81, "40"));
    assert.match((await next())[1], /^40\{/);
    stream.write(frame(0x81, '421["about"]'));
    assert.match((await next())[1], /^431\[\["HTTP\/2.0","CONNECT",\d+\]\]$/);
    stream.write(frame(0x88, "\x03\xe8"));
    assert.equal((await next())[0], 0x88);
    stream.end();
    assert.equal(await next(), undefined, "the stream ends");

    for (const headers of [
      { ":protocol": "connect-udp" },
      { "sec-websocket-version": "12" },
      { ":path": "/socket.io/?EIO=4&transport=polling" },
      { ":path": "/socket.io/?EIO=4&transport=websocket&sid=unknown" },
    ]) {
      const [refusal, refused] = await ask(headers);
      refused.resume();
      assert.equal(refusal[":status"], 400, JSON.stringify(headers));
    }
  } finally {
    session.destroy();
  }
});
