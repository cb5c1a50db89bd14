// Connection state recovery over streams: a session is left on one server and found on another.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { describe, eventually, test, within } from "../../helpers/harness.mjs";
import { MIXED, ask, complete, connected, fence, isOffset, open, received, startCluster, warm } from "../helpers/cluster.mjs";
import { PLAIN } from "../helpers/variants.mjs";

const bytes = (...list) => Buffer.from(list);
/** Each way a session can go between the kinds. */
const WAYS = [
  [0, 1],
  [1, 0],
  [1, 2],
  [2, 2],
];

describe("streams with recovery", () => {
  let world;
  before(async () => {
    world = await startCluster(PLAIN.streams, { kinds: MIXED, durable: true });
  });
  after(() => world?.stop());

  /** A client that has an offset, so that it can come back. */
  const member = async (server, caller, options) => {
    const socket = await open(server, options);
    await fence(caller, [socket]);
    return socket;
  };

  /** Loses the connection, and waits until the session is kept. */
  const lose = async (socket) => {
    socket.io.engine.close();
    await kept(socket);
  };
  const kept = (socket) =>
    eventually("the session is kept", async () => (await world.redis.send("EXISTS", `sio:session:${socket._pid}`)) === 1);

  /** Comes back on a server; whether to the same session. */
  const back = async (socket, server) => {
    socket.server = server;
    socket.io.uri = server.url;
    socket.connect();
    await connected(socket);
    return socket.recovered;
  };

  /** All that came since, without what the helpers send, and without offsets. */
  const since = (socket, at) =>
    socket.events
      .slice(at)
      .filter(([name]) => !/^(?:fence-|warm$)/.test(name))
      .map((event) => event.filter((part) => !isOffset(part)));

  for (const [from, to] of WAYS) {
    const way = `from ${MIXED[from]}-${from} to ${MIXED[to]}-${to}`;

    test(`missed events, rooms, data and id come back, ${way}`, async () => {
      const [left, found] = [world.servers[from], world.servers[to]];
      for (const speaker of world.servers) {
        const caller = await open(speaker);
        const ann = await member(left, caller, { name: "ann", rooms: ["red"] });
        const { id } = ann;
        const at = ann.events.length;
        await lose(ann);
        await ask(caller, "emit", {}, "everybody", [1, "é"]);
        await ask(caller, "emit", { rooms: ["red"] }, "red", [{ deep: [bytes(1, 2), bytes()] }]);
        await ask(caller, "emit", { rooms: ["blue"] }, "blue", [3]);
        await ask(caller, "emit", { rooms: ["red", "blue"] }, "both", [4]);
        await ask(caller, "emit", { except: ["red"] }, "not red", [5]);
        await ask(caller, "emit", { rooms: [id] }, "ann", [6]);
        await ask(caller, "emit", { nsp: "/chat" }, "elsewhere", [7]);
        await ask(caller, "emit", { flags: { volatile: true } }, "volatile", [8]);
        await fence(caller, [caller]);
        assert.equal(await back(ann, found), true, speaker.name);
        assert.equal(ann.id, id);
        await fence(caller, [ann]);
        const expected = [
          ["everybody", 1, "é"],
          ["red", { deep: [bytes(1, 2), bytes()] }],
          ["both", 4],
          ["ann", 6],
        ];
        // Node keeps volatile events in the stream, and replays them there.
        const seen = since(ann, at);
        assert.deepEqual(
          seen.filter(([name]) => name !== "volatile"),
          expected,
          speaker.name,
        );
        const who = await ask(ann, "whoami");
        const data = { name: "ann", srv: left.name };
        assert.deepEqual(who, { server: found.name, sid: id, rooms: [id, "red"].sort(), recovered: true, data });
        await ask(caller, "emit", { rooms: ["red"] }, "red", [9]);
        await fence(caller, [ann]);
        assert.deepEqual(received(ann, "red", world).at(-1), [9]);
      }
    });

    test(`a session is good once, ${way}`, async () => {
      const caller = await open(world.servers[from]);
      const ann = await member(world.servers[from], caller);
      const { id, _pid: pid, _lastOffset: offset } = ann;
      await lose(ann);
      assert.equal(await back(ann, world.servers[to]), true);
      const thief = await open(world.servers[to], { auth: {} });
      thief.disconnect();
      Object.assign(thief, { _pid: pid, _lastOffset: offset });
      thief.connect();
      await connected(thief);
      if (MIXED[to] === "ours") {
        // Who asks last has it, because a client may be back before its old connection is known to be lost. Never two at once.
        assert.deepEqual([thief.recovered, thief.id], [true, id]);
        await eventually("the first has lost it", () => !ann.connected);
        return;
      }
      assert.equal(thief.recovered, false);
      assert.notEqual(thief.id, id);
    });
  }

  for (const [name, change] of Object.entries({
    "an unknown session": { _pid: "AAAAAAAAAAAAAAAAAAAA" },
    "an unknown offset": ({ _lastOffset }) => ({ _lastOffset: _lastOffset.replace(/\d+$/, "77") }),
    "an offset that is none": { _lastOffset: "Q7uKWoZ" },
    "an offset beyond all": { _lastOffset: "99999999999999999999999-1" },
  })) {
    test(`${name} begins anew`, async () => {
      for (const server of world.servers) {
        const caller = await open(server);
        const ann = await member(server, caller);
        const { id } = ann;
        await lose(ann);
        Object.assign(ann, typeof change === "function" ? change(ann) : change);
        assert.equal(await back(ann, server), false, server.name);
        assert.notEqual(ann.id, id);
        await fence(caller, [ann]);
      }
    });
  }

  test("who leaves on purpose begins anew", async () => {
    for (const server of world.servers) {
      const caller = await open(server);
      const ann = await member(server, caller);
      ann.disconnect();
      await fence(caller, [caller]);
      assert.equal(await back(ann, server), false, server.name);
    }
  });

  for (const [from, to] of WAYS.filter(([from, to]) => from !== to)) {
    test(`a server closes, and its clients go on, from ${MIXED[from]}-${from} to ${MIXED[to]}-${to}`, async () => {
      const [left, found] = [world.servers[from], world.servers[to]];
      const caller = await open(found);
      const ann = await member(left, caller, { name: "ann", rooms: ["red"] });
      const at = ann.events.length;
      const gone = new Promise((resolve) => ann.once("disconnect", resolve));
      await left.close();
      await within(gone, "the end of the connection");
      await kept(ann);
      await ask(caller, "emit", { rooms: ["red"] }, "missed", [1]);
      assert.equal(await back(ann, found), true);
      await fence(caller, [ann]);
      assert.deepEqual(since(ann, at), [["missed", 1]]);

      // And back to the same server, which has begun anew.
      await left.restart();
      await complete(world);
      await warm(world.servers);
      const again = ann.events.length;
      await lose(ann);
      await ask(caller, "emit", { rooms: ["red"] }, "missed", [2]);
      assert.equal(await back(ann, left), true);
      await fence(caller, [ann]);
      assert.deepEqual(since(ann, again), [["missed", 2]]);
      assert.deepEqual((await ask(ann, "whoami")).data, { name: "ann", srv: left.name });
    });
  }

  test("Redis is killed, and sessions outlive it", async () => {
    for (const found of world.servers) {
      const [left, ...others] = world.servers;
      const ann = await member(left, await open(others[0]), { name: "ann", rooms: ["red"] });
      const { id } = ann;
      await lose(ann);
      // Node does not survive that a command on its way fails: everything has been answered when Redis dies.
      for (const server of world.servers) await ask(await open(server), "server-count");
      await world.redis.kill();
      await world.redis.restart();
      await complete(world);
      await warm(world.servers);
      const caller = await open(found);
      const at = ann.events.length;
      await ask(caller, "emit", { rooms: ["red"] }, "missed", [1]);
      await fence(caller, [caller]);
      assert.equal(await back(ann, found), true, found.name);
      assert.equal(ann.id, id);
      await fence(caller, [ann]);
      assert.deepEqual(since(ann, at), [["missed", 1]]);
    }
  });
});
