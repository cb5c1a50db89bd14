// The Socket.IO protocol 5, as its description tells it, against the mount F2 (32 cases).
import assert from "node:assert/strict";
import { describe, test, within } from "../helpers/core.mjs";
import { F2, Polling, get, request } from "../helpers/http.mjs";
import { Ws, openWs } from "../helpers/ws.mjs";

const POLLING = `${F2}?EIO=4&transport=polling`;
const WEBSOCKET = `${F2}?EIO=4&transport=websocket`;

async function assertConnected(ws, nsp = "/", auth = {}) {
  const prefix = nsp === "/" ? "" : `${nsp},`;
  const reply = await ws.next("the CONNECT reply");
  assert.ok(reply.startsWith(`40${prefix}{`), `expected 40${prefix}{"sid":..} but got ${reply}`);
  const { sid, ...rest } = JSON.parse(reply.slice(2 + prefix.length));
  assert.equal(typeof sid, "string");
  assert.deepEqual(rest, {});
  await ws.expect(`42${prefix}${JSON.stringify(["auth", auth])}`);
  return sid;
}

/** A websocket session that has joined `/` and has read its `auth` event. */
async function main() {
  const ws = await openWs(F2);
  ws.send("40");
  await assertConnected(ws);
  return ws;
}

async function assertRefused(path) {
  const ws = new Ws(path);
  ws.opened.catch(() => {});
  await within(ws.closed, "the websocket to be refused");
  assert.deepEqual(ws.inbox.drain(), []);
}

describe("Engine.IO: handshake", () => {
  test("HTTP: opens a session", async () => {
    const answer = await get(POLLING);
    assert.equal(answer.status, 200);
    const { sid, ...rest } = JSON.parse(answer.body.slice(1));
    assert.equal(typeof sid, "string");
    assert.deepEqual(rest, { upgrades: ["websocket"], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
  });

  test("HTTP: fails with an invalid EIO", async () => {
    assert.equal((await get(`${F2}?transport=polling`)).status, 400);
    assert.equal((await get(`${F2}?EIO=abc&transport=polling`)).status, 400);
  });

  test("HTTP: fails with an invalid transport", async () => {
    assert.equal((await get(`${F2}?EIO=4`)).status, 400);
    assert.equal((await get(`${F2}?EIO=4&transport=abc`)).status, 400);
  });

  test("HTTP: fails with an invalid method", async () => {
    assert.equal((await request("POST", POLLING)).status, 400);
    assert.equal((await request("PUT", POLLING)).status, 400);
  });

  test("websocket: opens a session", async () => {
    const ws = await openWs(F2);
    const { sid, ...rest } = ws.handshake;
    assert.equal(typeof sid, "string");
    assert.deepEqual(rest, { upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
  });

  test("websocket: fails with an invalid EIO", async () => {
    await assertRefused(`${F2}?transport=websocket`);
    await assertRefused(`${F2}?EIO=abc&transport=websocket`);
  });

  test("websocket: fails with an invalid transport", async () => {
    await assertRefused(`${F2}?EIO=4`);
    await assertRefused(`${F2}?EIO=4&transport=abc`);
  });
});

describe("Engine.IO: heartbeat", () => {
  test("HTTP: ping and pong", async () => {
    const session = await Polling.open(F2);
    await session.send("40");
    assert.equal((await session.receiveCount(2)).length, 2);
    for (let i = 0; i < 3; i++) {
      assert.equal((await session.get()).body, "2");
      await session.send("3");
    }
  });

  test("HTTP: no pong closes the session", async () => {
    const session = await Polling.open(F2);
    assert.equal((await session.get()).body, "2");
    assert.equal((await session.get()).body, "1");
    assert.equal((await session.get()).status, 400);
  });

  test("websocket: ping and pong", async () => {
    const ws = await openWs(F2, { autoPong: false });
    ws.send("40");
    await assertConnected(ws);
    for (let i = 0; i < 3; i++) {
      await ws.expect("2");
      ws.send("3");
    }
  });

  test("websocket: no pong closes the session", async () => {
    const ws = await openWs(F2, { autoPong: false });
    await ws.expect("2");
    await ws.assertClosed(1005);
  });
});

describe("Engine.IO: close", () => {
  test("HTTP: the hanging poll gets a noop", async () => {
    const session = await Polling.open(F2);
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    await session.send("1");
    assert.equal((await poll).body, "6");
    assert.equal((await session.get()).status, 400);
  });

  test("websocket: by closing the connection", async () => {
    const ws = await openWs(F2);
    assert.equal((await ws.close()).code, 1005);
  });
});

describe("Engine.IO: upgrade", () => {
  async function upgraded() {
    const session = await Polling.open(F2);
    const ws = await Ws.connect(`${WEBSOCKET}&sid=${session.sid}`, { autoPong: true });
    ws.send("2probe");
    await ws.expect("3probe");
    ws.send("5", "40");
    await assertConnected(ws);
    return { session, ws };
  }

  test("from polling to websocket", async () => {
    const { ws } = await upgraded();
    ws.send('42["message","up"]');
    await ws.expect('42["message-back","up"]');
  });

  test("HTTP requests of the session are refused afterwards", async () => {
    const { session } = await upgraded();
    assert.equal((await session.get()).status, 400);
  });

  test("another websocket of the session is closed afterwards", async () => {
    const { session, ws } = await upgraded();
    const other = await Ws.connect(`${WEBSOCKET}&sid=${session.sid}`);
    await other.assertClosed(1005);
    ws.send('42["message","up"]');
    await ws.expect('42["message-back","up"]');
  });
});

describe("connect", () => {
  test("to the main namespace", async () => {
    const ws = await openWs(F2);
    ws.send("40");
    await assertConnected(ws);
  });

  test("to the main namespace with a payload", async () => {
    const ws = await openWs(F2);
    ws.send('40{"token":"123"}');
    await assertConnected(ws, "/", { token: "123" });
  });

  test("to a custom namespace", async () => {
    const ws = await openWs(F2);
    ws.send("40/custom,");
    await assertConnected(ws, "/custom");
  });

  test("to a custom namespace with a payload", async () => {
    const ws = await openWs(F2);
    ws.send('40/custom,{"token":"abc"}');
    await assertConnected(ws, "/custom", { token: "abc" });
  });

  test("to both, with different ids, none of which is the session id", async () => {
    const ws = await openWs(F2);
    ws.send("40");
    const first = await assertConnected(ws);
    ws.send("40/custom,");
    const second = await assertConnected(ws, "/custom");
    assert.equal(new Set([first, second, ws.sid]).size, 3);
  });

  test("to an unknown namespace is refused", async () => {
    const ws = await openWs(F2);
    ws.send("40/random");
    await ws.expect('44/random,{"message":"Invalid namespace"}');
    ws.send("40");
    await assertConnected(ws);
  });

  test("with an invalid handshake closes the connection", async () => {
    const ws = await openWs(F2);
    ws.send("4abc");
    await ws.assertClosed(1005);
  });

  test("no handshake at all: closed after connectTimeout", async () => {
    const began = performance.now();
    const ws = await openWs(F2);
    await ws.assertClosed(1005);
    const took = performance.now() - began;
    assert.ok(took > 800 && took < 3000, `closed after ${took} ms`);
  });
});

describe("disconnect", () => {
  test("from the main namespace: it can be joined again, a late event closes the connection", async () => {
    const ws = await main();
    ws.send("41", "40/custom,");
    await assertConnected(ws, "/custom");
    ws.send("40");
    await assertConnected(ws);
    ws.send("41", "41/custom,", "40/random,");
    await ws.expect('44/random,{"message":"Invalid namespace"}');
    ws.send('42["message","too late"]');
    await ws.assertClosed(1005);
  });

  test("from a custom namespace leaves the main one alone", async () => {
    const ws = await main();
    ws.send("40/custom,");
    await assertConnected(ws, "/custom");
    ws.send("41/custom,");
    ws.send('42["message","message to main namespace"]');
    await ws.expect('42["message-back","message to main namespace"]');
  });
});

describe("message", () => {
  test("plain text", async () => {
    const ws = await main();
    ws.send('42["message",1,"2",{"3":[true]}]');
    await ws.expect('42["message-back",1,"2",{"3":[true]}]');
  });

  test("binary", async () => {
    const ws = await main();
    ws.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6]));
    await ws.expect(
      '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      Buffer.from([1, 2, 3]),
      Buffer.from([4, 5, 6]),
    );
  });

  test("plain text with an ack", async () => {
    const ws = await main();
    ws.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    await ws.expect('43456[1,"2",{"3":[false]}]');
  });

  test("binary with an ack", async () => {
    const ws = await main();
    ws.send('452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6]));
    await ws.expect(
      '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
      Buffer.from([1, 2, 3]),
      Buffer.from([4, 5, 6]),
    );
  });

  test("an unknown packet type, a bad payload or a bad ack id closes the connection", async () => {
    for (const packet of ["4abc", "42{}", "42abc[\"message\"]", "47"]) {
      const ws = await main();
      ws.send(packet);
      await ws.assertClosed(1005);
    }
  });

  test("binary instead of text, and text instead of binary, close the connection", async () => {
    const first = await main();
    first.send(Buffer.from([1, 2, 3]));
    await first.assertClosed(1005);
    const second = await main();
    second.send('451-["message",{"_placeholder":true,"num":0}]', '42["message"]');
    await second.assertClosed(1005);
  });
});
