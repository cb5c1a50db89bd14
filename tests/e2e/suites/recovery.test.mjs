// Connection state recovery (mount F6) with the stock socket.io-client, and on the wire.
import assert from "node:assert/strict";
import { base, cleanup, deliberate, describe, eventually, nodeOnly, test, within } from "../helpers/core.mjs";
import { TRANSPORTS, ask, connect, connected, next, record } from "../helpers/client.mjs";
import { F6 } from "../helpers/http.mjs";
import { jitter } from "../helpers/jitter.mjs";
import { proxy } from "../helpers/proxy.mjs";
import { joinedWs, openWs } from "../helpers/ws.mjs";

const path = F6;
const bytes = (...list) => Buffer.from(list);
const OFFSET = /^[\w.-]+$/;

/** Loses the connection in a way that both sides notice. */
async function drop(socket) {
  const lost = next(socket, "disconnect");
  socket.io.engine.close();
  await lost;
}

/** Comes back, and reports whether to the same session. */
async function back(socket) {
  socket.connect();
  await connected(socket);
  return socket.recovered;
}

/** Events without offsets. */
const plain = (events) =>
  events.map((event) => {
    const args = [...event];
    assert.match(args.pop(), OFFSET);
    return args;
  });

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  const open = (namespace = "/", options = {}) => connect(namespace, { path, transports, ...options });

  describe(`over ${name}`, () => {
    test("missed events, rooms and ids come back", async () => {
      const [ann, bob] = [await open("/chat"), await open("/chat")];
      const { id } = ann;
      await ask(ann, "join", "red");
      await ask(bob, "broadcast", {}, "first", 1);
      await eventually("ann has it", () => ann._lastOffset);
      const events = record(ann);
      await drop(ann);
      await ask(bob, "broadcast", {}, "everybody", 2);
      await ask(bob, "broadcast", { to: ["red"] }, "red", { deep: [bytes(1, 2), bytes()] });
      await ask(bob, "broadcast", { to: ["blue"] }, "blue", 3);
      await ask(bob, "broadcast", { except: ["red"] }, "not red", 4);
      await ask(bob, "broadcast", { to: [id] }, "ann", 5);
      assert.equal(await back(ann), true);
      assert.equal(ann.id, id);
      await ask(bob, "broadcast", {}, "live", 6);
      await eventually("the last event", () => events.length >= 4);
      const expected = [["everybody", 2], ["red", { deep: [bytes(1, 2), bytes()] }], ["ann", 5], ["live", 6]];
      assert.deepEqual(plain(events), expected);
      const [who] = await ask(ann, "whoami");
      assert.equal(who.recovered, true);
      assert.equal(who.id, id);
      assert.deepEqual(who.rooms, [id, "red"].sort());
    });

    test("a clean end is final", async () => {
      const ann = await open();
      const { id } = ann;
      ann.emit("burst", 1);
      await eventually("ann has an offset", () => ann._lastOffset);
      ann.disconnect();
      assert.equal(await back(ann), false);
      assert.notEqual(ann.id, id);
      const kicked = next(ann, "disconnect");
      ann.emit("bye", false);
      assert.deepEqual((await kicked)[0], "io server disconnect");
      assert.equal(await back(ann), false);
    });

    deliberate("a session that has received no event yet", async () => {
      const [ann, bob] = [await open(), await open()];
      const events = record(ann);
      await drop(ann);
      await ask(bob, "broadcast", {}, "first", 1);
      assert.equal(await back(ann), true);
      await eventually("the event", () => events.length === 1);
      assert.deepEqual(plain(events), [["first", 1]]);
    });

    nodeOnly("a session that has received no event yet is lost", async () => {
      const ann = await open();
      await drop(ann);
      assert.equal(await back(ann), false);
    });

    deliberate("many times in a row, each before the old connection is known to be lost", async () => {
      const network = await proxy(base.origin);
      cleanup(() => network.close());
      const ann = await open("/", { origin: network.url });
      const bob = await open();
      const { id } = ann;
      const events = record(ann);
      const expected = [];
      for (let round = 0; round < 5; round++) {
        const lost = next(ann, "disconnect");
        network.lose({ silent: true });
        await lost;
        await ask(bob, "broadcast", {}, "missed", round);
        network.restore();
        assert.equal(await back(ann), true, `round ${round}`);
        // The late end of the connection before.
        network.reveal();
        await ask(bob, "broadcast", {}, "live", round);
        expected.push(["missed", round], ["live", round]);
      }
      await eventually("the last event", () => events.length >= expected.length);
      assert.deepEqual(plain(events), expected);
      assert.equal(ann.id, id);
      const [sockets] = await ask(bob, "sockets", null);
      assert.deepEqual(sockets, [ann.id, bob.id].sort());
    });

    deliberate("volatile events that end in text are no offsets", async () => {
      const [ann, bob] = [await open(), await open()];
      await ask(bob, "broadcast", {}, "first", 1);
      await eventually("ann has it", () => ann._lastOffset);
      const end = next(ann, "v-end");
      ann.emit("volatile-burst", 3);
      await end;
      const offset = ann._lastOffset;
      assert.match(offset, OFFSET);
      await drop(ann);
      assert.equal(await back(ann), true);
    });

    test("events that ask for an answer, and end in text, are no offsets", async () => {
      const [ann, bob] = [await open(), await open()];
      await ask(bob, "broadcast", {}, "first", 1);
      await eventually("ann has it", () => ann._lastOffset);
      ann.on("question", (text, answer) => answer(text));
      assert.deepEqual(await ask(ann, "call-me", "question", "ends in text"), [{ ok: true, args: ["ends in text"] }]);
      const { id } = ann;
      await drop(ann);
      // Node recovers nobody whose old connection it has not given up.
      await eventually("the server has noticed", async () => !(await ask(bob, "sockets", null))[0].includes(id));
      assert.equal(await back(ann), true);
    });

    test("an event that asks for an answer is not sent again", async () => {
      const [ann, bob] = [await open(), await open()];
      await ask(bob, "broadcast", {}, "first", 1);
      await eventually("ann has it", () => ann._lastOffset);
      await ask(ann, "join", "red");
      const asked = [];
      ann.on("question", () => asked.push("question"));
      const answer = ask(bob, "collect", "red", 1000, "question");
      await eventually("it is asked", () => asked.length === 1);
      await drop(ann);
      await ask(bob, "broadcast", {}, "behind", 2);
      const behind = next(ann, "behind");
      assert.equal(await back(ann), true);
      await behind;
      assert.deepEqual(asked, ["question"]);
      assert.deepEqual(await answer, [{ ok: false, responses: [] }]);
    });
  });
}

describe("on the wire", () => {
  const connectReply = async (ws) => {
    const reply = await ws.next("the CONNECT reply");
    assert.ok(reply.startsWith("40{"), reply);
    return JSON.parse(reply.slice(2));
  };

  const session = async () => {
    const ws = await openWs(path);
    ws.send("40");
    const { sid, pid, ...rest } = await connectReply(ws);
    assert.deepEqual(rest, {});
    assert.match(pid, /^[\w-]{20}$/);
    assert.notEqual(pid, sid);
    return { ws, sid, pid };
  };

  const event = async (ws) => JSON.parse((await ws.next("an event")).replace(/^4\d/, "").replace(/^\d+-/, ""));

  test("offsets are the last argument, but of volatile events and of those that ask", async () => {
    const { ws } = await session();
    ws.send('42["burst",2]');
    for (const i of [0, 1]) {
      const [name, number, offset, ...rest] = await event(ws);
      assert.deepEqual([name, number, rest], ["burst", i, []]);
      assert.match(offset, OFFSET);
    }
    ws.send('42["binary-me"]');
    const binary = await event(ws);
    assert.equal(binary.length, 3);
    assert.match(binary[2], OFFSET);
    for (let i = 0; i < 3; i++) assert.ok(Buffer.isBuffer(await ws.next("an attachment")));
    ws.send('42["volatile-burst",1]');
    assert.deepEqual(await event(ws), ["v", 0]);
    assert.equal((await event(ws)).length, 2);
    ws.send('427["call-me","q"]');
    assert.match(await ws.next("the question"), /^42\d+\["q"\]$/);
  });

  test("what was missed comes before the CONNECT reply", async () => {
    const { ws, sid, pid } = await session();
    ws.send('42["burst",3]');
    const [, , offset] = await event(ws);
    ws.socket.close();
    await ws.closed;
    const again = await openWs(path);
    again.send(`40${JSON.stringify({ pid, offset })}`);
    assert.deepEqual((await event(again)).slice(0, 2), ["burst", 1]);
    assert.deepEqual((await event(again)).slice(0, 2), ["burst", 2]);
    assert.deepEqual(await connectReply(again), { sid, pid });
  });

  test("unknown private ids and offsets begin a new session", async () => {
    for (const wrong of ["pid", "offset"]) {
      const { ws, sid, pid } = await session();
      ws.send('42["burst",2]');
      const [, , offset] = await event(ws);
      ws.socket.close();
      await ws.closed;
      const again = await openWs(path);
      again.send(`40${JSON.stringify({ pid, offset, [wrong]: "abcdefghij0123456789" })}`);
      const reply = await connectReply(again);
      assert.notEqual(reply.sid, sid);
      assert.notEqual(reply.pid, pid);
    }
  });

  deliberate("a session is in one place: the second to ask takes it from the first", async () => {
    const { ws, sid, pid } = await session();
    ws.send('42["burst",1]');
    const [, , offset] = await event(ws);
    const second = await openWs(path);
    second.send(`40${JSON.stringify({ pid, offset })}`);
    assert.deepEqual(await connectReply(second), { sid, pid });
    await within(ws.closed, "the first connection to be closed");
    second.send('420["whoami"]');
    const [who] = JSON.parse((await second.next("the answer")).slice(3));
    assert.equal(who.recovered, true);
    assert.deepEqual(who.auth, {}, "the private id is no auth");
  });

  deliberate("a volatile event that ends in text gets a null behind it", async () => {
    const { ws } = await session();
    ws.send('42["volatile-burst",0]');
    assert.equal((await event(ws)).length, 2);
    const plainMount = await joinedWs();
    plainMount.send('42["volatile-burst",0]');
    assert.equal(await plainMount.next(), '42["v-end"]');
  });
});

for (const transport of ["websocket", "polling"]) {
  deliberate(`jitter over ${transport}: everything arrives, in order, once`, { timeout: 120_000 }, async () => {
    const options = { clients: 50, seconds: 12, up: [500, 2500], rate: 50, transports: [transport] };
    const { missing, twice, disordered, begunAnew, losses } = await jitter({ url: base.origin, path, ...options });
    assert.deepEqual({ missing, twice, disordered, begunAnew }, { missing: 0, twice: 0, disordered: 0, begunAnew: 0 });
    assert.ok(losses > 50, `only ${losses} losses`);
  });
}
