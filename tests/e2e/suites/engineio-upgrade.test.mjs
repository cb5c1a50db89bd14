// From polling to websocket.
import assert from "node:assert/strict";
import { describe, test, within } from "../helpers/core.mjs";
import { F1, F4, MESSAGES, Polling, assertError, get, joined, upgradeRequest } from "../helpers/http.mjs";
import { Ws, assertEchoes } from "../helpers/ws.mjs";

const probePath = (session) => `${session.mount}?EIO=4&transport=websocket&sid=${session.sid}`;

async function probe(session) {
  const ws = await Ws.connect(probePath(session));
  ws.send("2probe");
  await ws.expect("3probe");
  return ws;
}

async function upgrade(session) {
  const ws = await probe(session);
  ws.send("5");
  return ws;
}

describe("the upgrade", () => {
  test("probe, noop, upgrade, and the session goes on over websocket", async () => {
    const session = await joined();
    const poll = session.get();
    const ws = await probe(session);
    assert.equal((await poll).body, "6");
    ws.send("5");
    await assertEchoes(ws);
  });

  test("every further GET gets a noop too", async () => {
    const session = await joined();
    await probe(session);
    for (let i = 0; i < 3; i++) assert.deepEqual(await session.receive(), ["6"]);
  });

  test("the raw engine upgrades too, text and binary", async () => {
    const session = await Polling.open(F1);
    const ws = await upgrade(session);
    ws.send("4text", Buffer.from([1, 2]));
    const seen = [];
    while (seen.length < 2) {
      const message = await ws.next();
      if (message === "2") ws.send("3");
      else seen.push(message);
    }
    assert.deepEqual(seen, ["4text", Buffer.from([1, 2])]);
  });

  test("the upgrade packet without a probe is accepted; a hanging GET gets the close packet", async () => {
    const session = await joined();
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    const ws = await Ws.connect(probePath(session));
    ws.send("5");
    assert.equal((await poll).body, "1");
    await assertEchoes(ws);
  });

  test("packets right behind the upgrade packet are handled", async () => {
    const session = await joined();
    const ws = await probe(session);
    ws.send("5", '420["echo",1]', '421["echo",2]');
    await ws.expect("430[1]", "431[2]");
  });

  test("a second probe on the same socket is answered again", async () => {
    const session = await joined();
    const ws = await probe(session);
    ws.send("2probe");
    await ws.expect("3probe");
    ws.send("5");
    await assertEchoes(ws);
  });

  test("whoami tells the transport before and after", async () => {
    const session = await joined();
    await session.send('420["whoami"]');
    const [before] = await session.receiveCount(1);
    assert.equal(JSON.parse(before.slice(3))[0].transport, "polling");
    const ws = await upgrade(session);
    ws.send('421["whoami"]');
    assert.equal(JSON.parse((await ws.next()).slice(3))[0].transport, "websocket");
  });
});

describe("until the upgrade packet", () => {
  test("what the server sends goes to the hanging GET, not to the websocket", async () => {
    const session = await joined();
    const ws = await probe(session);
    await session.send('420["echo","held"]');
    assert.deepEqual((await session.receive()).filter((packet) => packet !== "6"), ['430["held"]']);
    assert.equal(ws.inbox.length, 0);
  });

  test("what no GET fetched is flushed to the websocket, in order", async () => {
    const session = await joined();
    const ws = await probe(session);
    await session.send('42["burst",500]');
    await session.send('420["echo","last"]');
    assert.equal(ws.inbox.length, 0, "messages before the upgrade packet");
    ws.send("5", '421["echo","over websocket"]');
    for (let i = 0; i < 500; i++) await ws.expect(`42["burst",${i}]`);
    await ws.expect('430["last"]', '431["over websocket"]');
  });

  test("binary that was held back is flushed as binary frames", async () => {
    const session = await joined();
    const ws = await probe(session);
    await session.send('451-0["echo",{"_placeholder":true,"num":0}]', "bAQID");
    ws.send("5");
    await ws.expect('461-0[{"_placeholder":true,"num":0}]', Buffer.from([1, 2, 3]));
  });
});

describe("a second websocket", () => {
  test("while one is probing: closed at once, the first goes on", async () => {
    const session = await joined();
    const first = await probe(session);
    const second = await Ws.connect(probePath(session));
    await second.assertClosed(1005);
    first.send("5");
    await assertEchoes(first);
  });

  test("while one is open and has not probed yet", async () => {
    const session = await joined();
    const first = await Ws.connect(probePath(session));
    const second = await Ws.connect(probePath(session));
    await second.assertClosed(1005);
    first.send("2probe");
    await first.expect("3probe");
  });

  test("after the upgrade: closed at once", async () => {
    const session = await joined();
    const first = await upgrade(session);
    await assertEchoes(first);
    const second = await Ws.connect(probePath(session));
    await second.assertClosed(1005);
    await assertEchoes(first);
  });
});

describe("anything else on the probing socket closes that socket only", () => {
  const inputs = {
    "a message": '420["echo"]',
    "a bare ping": "2",
    "another ping": "2probe2",
    "a pong": "3probe",
    "a noop": "6",
    "a close packet": "1",
    "an open packet": "0",
    "garbage": "zzz",
    "an empty text": "",
    "a binary frame": Buffer.from([1, 2, 3]),
  };
  for (const [name, input] of Object.entries(inputs)) {
    test(`${name}, before the probe`, async () => {
      const session = await joined();
      const ws = await Ws.connect(probePath(session));
      ws.send(input);
      await ws.assertClosed(1005);
      await session.assertAlive();
    });
  }

  for (const name of ["a message", "a close packet", "garbage", "a bare ping"]) {
    test(`${name}, after the probe; then another attempt succeeds`, async () => {
      const session = await joined();
      const ws = await probe(session);
      ws.send(inputs[name]);
      await ws.assertClosed(1005);
      await session.assertAlive();
      const again = await upgrade(session);
      await assertEchoes(again);
    });
  }

  test("the message of a probing socket is not handled", async () => {
    const session = await joined();
    const witness = await joined();
    const ws = await Ws.connect(probePath(session));
    ws.send('42["broadcast",{},"leaked"]');
    await ws.assertClosed(1005);
    await witness.assertAlive();
  });

  test("an oversize message: 1009, the session stays on polling", async () => {
    const session = await joined();
    const ws = await probe(session);
    ws.send(`4${"x".repeat(1_000_000)}`);
    await ws.assertClosed(1009);
    await session.assertAlive();
  });
});

describe("after the upgrade", () => {
  test("polling requests of the session are refused", async () => {
    const session = await joined();
    const ws = await upgrade(session);
    await assertEchoes(ws);
    assertError(await session.get(), 3);
    assertError(await session.post("40"), 3);
    await assertEchoes(ws);
  });

  test("closing the websocket ends the session, there is no way back", async () => {
    const session = await joined();
    const ws = await upgrade(session);
    await assertEchoes(ws);
    await ws.close();
    await session.assertGone();
  });

  test("a close packet over websocket is ignored here too", async () => {
    const session = await joined();
    const ws = await upgrade(session);
    ws.send("1");
    await assertEchoes(ws);
  });
});

describe("an attempt that fails", () => {
  test("upgradeTimeout: the websocket is closed, polling goes on, another attempt is allowed", async () => {
    const session = await joined();
    const began = performance.now();
    const ws = await probe(session);
    await ws.assertClosed(1005);
    const took = performance.now() - began;
    assert.ok(took > 800 && took < 3000, `closed after ${took} ms`);
    await session.assertAlive();
    await assertEchoes(await upgrade(session));
  });

  test("upgradeTimeout runs without a probe too", async () => {
    const session = await joined();
    const ws = await Ws.connect(probePath(session));
    await ws.assertClosed(1005);
    await session.assertAlive();
  });

  test("a probing client that goes away does no harm", async () => {
    const session = await joined();
    const ws = await probe(session);
    ws.socket.terminate();
    await ws.closed;
    await session.assertAlive();
  });

  test("the session closes while a websocket is probing: that is closed too", async () => {
    const session = await joined();
    const ws = await probe(session);
    await session.send("1");
    await ws.assertClosed(1005);
    await session.assertGone();
  });

  test("unknown sid, other protocol, other mount: 400 text/html", async () => {
    const session = await Polling.open(F4);
    for (const [path, code] of [
      [`${F4}?EIO=4&transport=websocket&sid=nope`, 1],
      [`${F4}?EIO=3&transport=websocket&sid=${session.sid}`, 3],
      [`${F4}?transport=websocket&sid=${session.sid}`, 3],
      [`${F1}?EIO=4&transport=websocket&sid=${session.sid}`, 1],
    ]) {
      const answer = await upgradeRequest(path);
      assert.deepEqual(
        [path, answer.status, answer.headers["content-type"], answer.body],
        [path, 400, "text/html", MESSAGES[code]],
      );
    }
    await session.send("40");
    assert.match((await session.receive())[0], /^40\{/);
  });

  test("an upgrade request with transport=polling opens nothing and does not disturb the session", async () => {
    const session = await joined();
    const ws = new Ws(`${F4}?EIO=4&transport=polling&sid=${session.sid}`);
    await ws.opened.catch(() => {});
    await within(ws.closed, "the socket to close");
    assert.deepEqual(ws.inbox.drain(), []);
    await session.assertAlive();
  });

  test("a plain GET with transport=websocket is no upgrade", async () => {
    const session = await joined();
    assertError(await get(probePath(session)), 3);
    await session.assertAlive();
  });
});
