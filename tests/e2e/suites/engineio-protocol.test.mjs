// The Engine.IO protocol 4, as its description tells it, against the raw mount F1 (25 cases).
import assert from "node:assert/strict";
import { describe, test, eventually, within } from "../helpers/core.mjs";
import { F1, Polling, get, post, request } from "../helpers/http.mjs";
import { Ws, openWs } from "../helpers/ws.mjs";

const POLLING = `${F1}?EIO=4&transport=polling`;
const WEBSOCKET = `${F1}?EIO=4&transport=websocket`;

function assertOpenPacket(packet, upgrades) {
  assert.equal(packet[0], "0");
  const { sid, ...rest } = JSON.parse(packet.slice(1));
  assert.equal(typeof sid, "string");
  assert.ok(sid.length > 0);
  assert.deepEqual(rest, { upgrades, pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
}

/** A websocket request that must not lead to a session. */
async function assertNoWebsocket(path) {
  const ws = new Ws(path);
  ws.opened.catch(() => {});
  await within(ws.closed, "the websocket to be refused");
  assert.deepEqual(ws.inbox.drain(), []);
}

describe("handshake over HTTP", () => {
  test("opens a session", async () => {
    const answer = await get(POLLING);
    assert.equal(answer.status, 200);
    assertOpenPacket(answer.body, ["websocket"]);
  });

  test("fails with an invalid EIO", async () => {
    assert.equal((await get(`${F1}?transport=polling`)).status, 400);
    assert.equal((await get(`${F1}?EIO=abc&transport=polling`)).status, 400);
  });

  test("fails with an invalid transport", async () => {
    assert.equal((await get(`${F1}?EIO=4`)).status, 400);
    assert.equal((await get(`${F1}?EIO=4&transport=abc`)).status, 400);
  });

  test("fails with an invalid method", async () => {
    assert.equal((await request("POST", POLLING)).status, 400);
    assert.equal((await request("PUT", POLLING)).status, 400);
  });
});

describe("handshake over websocket", () => {
  test("opens a session", async () => {
    const ws = await Ws.connect(WEBSOCKET);
    assertOpenPacket(await ws.next(), []);
  });

  test("fails with an invalid EIO", async () => {
    await assertNoWebsocket(`${F1}?transport=websocket`);
    await assertNoWebsocket(`${F1}?EIO=abc&transport=websocket`);
  });

  test("fails with an invalid transport", async () => {
    await assertNoWebsocket(`${F1}?EIO=4`);
    await assertNoWebsocket(`${F1}?EIO=4&transport=abc`);
  });
});

describe("messages over HTTP", () => {
  test("one packet", async () => {
    const session = await Polling.open(F1);
    const pushed = await session.post("4hello");
    assert.deepEqual([pushed.status, pushed.body], [200, "ok"]);
    const polled = await session.get();
    assert.deepEqual([polled.status, polled.body], [200, "4hello"]);
  });

  test("several packets", async () => {
    const session = await Polling.open(F1);
    await session.send("4test1", "4test2", "4test3");
    assert.equal((await session.get()).body, "4test1\x1e4test2\x1e4test3");
  });

  test("text and binary", async () => {
    const session = await Polling.open(F1);
    await session.send("4hello", "bAQIDBA==");
    assert.equal((await session.get()).body, "4hello\x1ebAQIDBA==");
  });

  test("an invalid packet closes the session", async () => {
    const session = await Polling.open(F1);
    const pushed = await session.post("abc");
    assert.equal(pushed.status, 200);
    assert.equal((await session.get()).status, 400);
  });

  test("two polls at once close the session", async () => {
    const session = await Polling.open(F1);
    const answers = await Promise.all([session.get(), session.get()]);
    assert.deepEqual(answers.map(({ status, body }) => [status, body]).sort(), [[200, "1"], [400, ""]]);
    assert.equal((await session.get()).status, 400);
  });

  test("a cancelled poll closes the session", async () => {
    const session = await Polling.open(F1);
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    poll.abort();
    await eventually("the session is closed", async () => (await post(session.path, "6")).status === 400);
  });
});

describe("messages over websocket", () => {
  test("text", async () => {
    const ws = await openWs(F1);
    ws.send("4hello");
    await ws.expect("4hello");
  });

  test("binary", async () => {
    const ws = await openWs(F1);
    ws.send(Buffer.from([1, 2, 3, 4]));
    await ws.expect(Buffer.from([1, 2, 3, 4]));
  });

  test("an invalid packet closes the session", async () => {
    const ws = await openWs(F1);
    ws.send("abc");
    await ws.assertClosed(1005);
  });
});

describe("heartbeat over HTTP", () => {
  test("ping and pong", async () => {
    const session = await Polling.open(F1);
    for (let i = 0; i < 3; i++) {
      assert.equal((await session.get()).body, "2");
      assert.equal((await session.post("3")).status, 200);
    }
  });

  test("no pong closes the session", async () => {
    const session = await Polling.open(F1);
    assert.equal((await session.get()).body, "2");
    assert.equal((await session.get()).body, "1");
    assert.equal((await session.get()).status, 400);
  });
});

describe("heartbeat over websocket", () => {
  test("ping and pong", async () => {
    const ws = await openWs(F1, { autoPong: false });
    for (let i = 0; i < 3; i++) {
      await ws.expect("2");
      ws.send("3");
    }
  });

  test("no pong closes the session", async () => {
    const ws = await openWs(F1, { autoPong: false });
    await ws.expect("2");
    await ws.assertClosed(1005);
  });
});

describe("close", () => {
  test("over HTTP: the hanging poll gets a noop", async () => {
    const session = await Polling.open(F1);
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    await session.send("1");
    assert.deepEqual([(await poll).status, (await poll).body], [200, "6"]);
    assert.equal((await session.get()).status, 400);
  });

  test("over websocket: by closing the connection", async () => {
    const ws = await openWs(F1);
    ws.socket.close();
    const { code } = await within(ws.closed, "the close handshake");
    assert.equal(code, 1005);
  });
});

describe("upgrade", () => {
  async function upgraded() {
    const session = await Polling.open(F1);
    const ws = await Ws.connect(`${WEBSOCKET}&sid=${session.sid}`, { autoPong: true });
    ws.send("2probe");
    await ws.expect("3probe");
    ws.send("5", "4hello");
    await ws.expect("4hello");
    return { session, ws };
  }

  test("from polling to websocket", async () => {
    const { ws } = await upgraded();
    ws.send("4again");
    await ws.expect("4again");
  });

  test("HTTP requests of the session are refused afterwards", async () => {
    const { session, ws } = await upgraded();
    assert.equal((await session.get()).status, 400);
    ws.send("4again");
    await ws.expect("4again");
  });

  test("another websocket of the session is closed afterwards", async () => {
    const { session, ws } = await upgraded();
    const other = await Ws.connect(`${WEBSOCKET}&sid=${session.sid}`);
    await other.assertClosed(1005);
    ws.send("4again");
    await ws.expect("4again");
  });
});
