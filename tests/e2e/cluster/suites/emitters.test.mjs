// Processes without a server that speak to the cluster: Node's emitter for the classic adapter, and that for streams.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Emitter } from "@socket.io/redis-emitter";
import { encode } from "@msgpack/msgpack";
import { createClient } from "redis";
import { describe, eventually, test, within } from "../../helpers/harness.mjs";
import { ask, open, received, startCluster } from "../helpers/cluster.mjs";
import { VARIANTS } from "../helpers/variants.mjs";

const bytes = (...list) => Buffer.from(list);

/** The entries that the emitter for streams writes; it is not on npm. */
class StreamsEmitter {
  constructor(redis, nsp = "/", opts = { rooms: [], except: [], flags: {} }) {
    Object.assign(this, { redis, nsp, opts });
  }

  with(opts) {
    return new StreamsEmitter(this.redis, this.nsp, { ...this.opts, ...opts });
  }

  add(type, data, binary = false) {
    const text = binary ? Buffer.from(encode(data)).toString("base64") : JSON.stringify(data);
    const fields = ["uid", "emitter", "nsp", this.nsp, "type", String(type), "data", text];
    return this.redis.send("XADD", "socket.io", "MAXLEN", "~", "10000", "*", ...fields);
  }

  of = (nsp) => new StreamsEmitter(this.redis, nsp, this.opts);
  to = (rooms) => this.with({ rooms: [...this.opts.rooms, ...[rooms].flat()] });
  except = (rooms) => this.with({ except: [...this.opts.except, ...[rooms].flat()] });

  emit(...data) {
    const binary = data.some((argument) => Buffer.isBuffer(argument) || Buffer.isBuffer(argument?.bytes));
    return this.add(3, { packet: { type: 2, data, nsp: this.nsp }, opts: this.opts }, binary);
  }

  socketsJoin = (rooms) => this.add(4, { opts: this.opts, rooms: [rooms].flat() });
  socketsLeave = (rooms) => this.add(5, { opts: this.opts, rooms: [rooms].flat() });
  disconnectSockets = (close) => this.add(6, { opts: this.opts, close });
  serverSideEmit = (...packet) => this.add(9, { packet });
}

const EMITTERS = {
  redis: async (redis) => {
    const client = await createClient({ url: redis.url }).connect();
    return { emitter: new Emitter(client), close: () => client.close() };
  },
  "redis, own response channels": (redis) => EMITTERS.redis(redis),
  streams: async (redis) => ({ emitter: new StreamsEmitter(redis), close: () => {} }),
  "streams with recovery": (redis) => EMITTERS.streams(redis),
};

for (const [variant, start] of Object.entries(EMITTERS)) {
  describe(variant, () => {
    let world;
    let emitter;
    let close;
    before(async () => {
      world = await startCluster(VARIANTS[variant]);
      ({ emitter, close } = await start(world.redis));
    });
    after(async () => {
      await close?.();
      await world?.stop();
    });

    let marks = 0;
    /** Waits until what the emitter has said before is with all of them. */
    const passed = async (sockets, from = emitter) => {
      const mark = `mark-${marks++}`;
      const arrivals = sockets.map((socket) => new Promise((resolve) => socket.once(mark, resolve)));
      await from.emit(mark);
      await within(Promise.all(arrivals), `${mark} at all`);
    };

    for (const nsp of ["/", "/chat"]) {
      test(`broadcasts reach whom they name, in ${nsp}`, async () => {
        const sets = [["a"], ["b"], ["a", "b"], []];
        const sockets = await Promise.all(world.servers.flatMap((server) => sets.map((rooms) => open(server, { nsp, rooms }))));
        const from = nsp === "/" ? emitter : emitter.of(nsp);
        const last = sockets.at(-1);
        await from.emit("all", 1, "é", { n: null });
        await from.to("a").emit("a", 1);
        await from.to(["a", "b"]).emit("a or b", 1);
        await from.to("a").except("b").emit("a not b", 1);
        await from.except("a").emit("not a", 1);
        await from.to(last.id).emit("last", 1);
        await passed(sockets, from);
        for (const socket of sockets) {
          const [a, b] = ["a", "b"].map((room) => socket.wanted.includes(room));
          const times = (name) => received(socket, name, world).length;
          assert.deepEqual(received(socket, "all", world), [[1, "é", { n: null }]]);
          assert.equal(times("a"), Number(a));
          assert.equal(times("a or b"), Number(a || b));
          assert.equal(times("a not b"), Number(a && !b));
          assert.equal(times("not a"), Number(!a));
          assert.equal(times("last"), Number(socket === last));
        }
      });
    }

    test("data arrives as it was sent", async () => {
      const sockets = await Promise.all(world.servers.map((server) => open(server)));
      const moments = [
        "2026-11-20T17:00:00.000Z",
        "2026-11-20T17:00:00.123Z",
        "1969-07-20T20:17:40.000Z",
        "2600-01-01T00:00:00.000Z",
      ];
      await emitter.emit("binary", bytes(1, 2), { bytes: bytes() });
      await emitter.emit("numbers", 0, -1, 2 ** 40, 0.1, -(2 ** 40));
      await emitter.emit("dates", ...moments.map((moment) => new Date(moment)));
      await emitter.emit("undefined", [undefined]);
      await passed(sockets);
      for (const socket of sockets) {
        assert.deepEqual(received(socket, "binary", world), [[bytes(1, 2), { bytes: bytes() }]]);
        assert.deepEqual(received(socket, "numbers", world), [[0, -1, 2 ** 40, 0.1, -(2 ** 40)]]);
        assert.deepEqual(received(socket, "dates", world), [moments]);
        assert.deepEqual(received(socket, "undefined", world), [[[null]]]);
      }
    });

    test("sockets join, leave and are disconnected", async () => {
      const sockets = await Promise.all(world.servers.map((server) => open(server, { rooms: ["c"] })));
      const others = await Promise.all(world.servers.map((server) => open(server)));
      const become = (what, test_) =>
        eventually(what, async () =>
          (await Promise.all(sockets.map((s) => ask(s, "whoami")))).every(({ rooms }) => test_(rooms)),
        );
      await emitter.to("c").socketsJoin(["d", "e"]);
      await become("they have joined", (rooms) => rooms.includes("d") && rooms.includes("e"));
      await emitter.to("c").socketsLeave("d");
      await become("they have left", (rooms) => !rooms.includes("d") && rooms.includes("e"));
      const ends = sockets.map((socket) => new Promise((resolve) => socket.once("disconnect", resolve)));
      await emitter.to("e").disconnectSockets(false);
      for (const reason of await within(Promise.all(ends), "all disconnected")) assert.equal(reason, "io server disconnect");
      await passed(others);
    });

    test("every server hears a note", async () => {
      const sockets = await Promise.all(world.servers.map((server) => open(server)));
      await emitter.serverSideEmit("sse-note", variant, { a: [1] });
      for (const socket of sockets) {
        const heard = async () => (await ask(socket, "sse-log")).filter(([, name]) => name === variant);
        await eventually(`the note at ${socket.server.name}`, async () => (await heard()).length > 0);
        assert.deepEqual(await heard(), [["/", variant, { a: [1] }]]);
      }
    });

    test("it does not count as a server", async () => {
      const socket = await open(world.servers[0]);
      assert.equal(await ask(socket, "server-count"), world.servers.length);
      assert.equal((await ask(socket, "fetch-sockets", {})).err, null);
    });
  });
}
