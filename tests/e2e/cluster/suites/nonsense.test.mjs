// Everybody who reaches Redis can publish anything: our servers survive it, say nothing of it to clients, and go on.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { decode, encode } from "@msgpack/msgpack";
import { createClient } from "redis";
import { describe, eventually, test } from "../../helpers/harness.mjs";
import { PURE, ask, askIn, fence, open, startCluster } from "../helpers/cluster.mjs";
import { lint, watch } from "../helpers/lint.mjs";
import { KILLERS, LIES, nonsense } from "../helpers/nonsense.mjs";
import { tested } from "../helpers/servers.mjs";
import { PLAIN } from "../helpers/variants.mjs";

/** Events that a stock server cannot send, because their names are taken. */
const RESERVED = ["connect", "disconnect"];

for (const [adapter, env] of Object.entries(PLAIN)) {
  describe(adapter, { skip: tested === "node" && "Node does not survive it" }, () => {
    let world;
    let wire;
    before(async () => {
      world = await startCluster(env, { kinds: PURE });
      wire = await watch(world.redis);
    });
    after(() => world?.stop());

    const alive = () => {
      for (const server of world.servers) assert.equal(server.exit, undefined, server.tail());
    };

    test("no nonsense is noticed", { timeout: 240_000 }, async () => {
      const sockets = await Promise.all(world.servers.map((server) => open(server, { rooms: ["red"] })));
      // What the start of the cluster has sent may still come before it.
      for (const caller of sockets) await fence(caller, sockets);
      for (const socket of sockets) socket.events.length = 0;
      assert.equal(await world.redis.send("CONFIG", "RESETSTAT"), "OK");
      const own = (await world.redis.send("PUBSUB", adapter === "sharded" ? "SHARDCHANNELS" : "CHANNELS", "socket.io*"))
        .map(String)
        .filter((channel) => /#\/#[\w-]+#$/.test(channel));
      assert.ok(own.length >= world.servers.length, `the servers' own channels: ${own}`);
      const messages = nonsense(adapter, own);
      for (const { name, words } of messages) {
        await world.redis.send(...words);
        for (const caller of sockets) {
          await fence(caller, sockets).catch((error) => {
            alive();
            throw new Error(`after ${name}: ${error.message}`);
          });
        }
        for (const socket of sockets) {
          const strange = socket.events.filter(
            ([event]) => typeof event !== "string" || !(event.startsWith("fence-") || RESERVED.includes(event)),
          );
          assert.deepEqual(strange, [], `after ${name}`);
          assert.ok(socket.connected, `connected after ${name}`);
          socket.events.length = 0;
        }
      }
      alive();
      const stats = (await world.redis.send("INFO", "commandstats")).toString();
      const reads = Number(/cmdstat_xread:calls=(\d+)/.exec(stats)?.[1] ?? 0);
      assert.ok(reads < 20 * messages.length, `${reads} reads of the stream: an entry is read again and again`);

      // And everything works as if nothing had been.
      for (const caller of sockets) {
        caller.on("ask", (ack) => ack(1));
      }
      for (const caller of sockets) {
        const fetched = await ask(caller, "fetch-sockets", {});
        assert.equal(fetched.err, null);
        assert.deepEqual(fetched.sockets.map(({ id }) => id).sort(), sockets.map(({ id }) => id).sort());
        for (const { rooms, id } of fetched.sockets) assert.deepEqual(rooms, [id, "red"].sort());
        assert.deepEqual(await ask(caller, "emit-ack", {}, 3000, "ask", []), { err: null, responses: [1, 1] });
        assert.deepEqual(await ask(caller, "sse-log"), []);
        const { err, responses } = await ask(caller, "server-side-emit-ack", "/", "sse-ask", [1]);
        assert.equal(err, null);
        assert.equal(responses.length, world.servers.length - 1);
      }
    });

    test("a server that lies costs the time-out, and nothing more", { timeout: 60_000 }, async () => {
      const sockets = await Promise.all(world.servers.map((server) => open(server)));
      for (const socket of sockets) socket.on("ask", (ack) => ack(1));
      const liar = await lie(adapter, world.redis);
      try {
        const [caller] = sockets;
        await eventually("the liar counts", async () => (await ask(caller, "server-count")) === world.servers.length + 1);
        const asked = LIES.fetch.map(() => askIn(15_000, caller, "fetch-sockets", {}));
        const broadcast = LIES.acks.map(() => askIn(15_000, caller, "emit-ack", {}, 2000, "ask", []));
        const [fetched, acks] = await Promise.all([Promise.all(asked), Promise.all(broadcast)]);
        for (const { sockets: found } of fetched) {
          for (const { id } of found) assert.match(id, /^[\w-]{20}$/);
          assert.ok(
            sockets.every((socket) => found.some(({ id }) => id === socket.id)),
            "what was true is there",
          );
        }
        for (const { responses } of acks) assert.deepEqual(responses, [1, 1]);
        assert.equal(liar.lies(), LIES.fetch.length + LIES.acks.length);
      } finally {
        await liar.close();
      }
      alive();
      for (const caller of sockets) {
        await eventually("the liar is forgotten", async () => (await ask(caller, "server-count")) === world.servers.length);
        const { err, sockets: found } = await ask(caller, "fetch-sockets", {});
        assert.equal(err, null);
        assert.equal(found.length, sockets.length);
      }
    });

    test("nonsense is not answered with nonsense", async () => {
      const commands = await wire.stop();
      const writers = new Map(world.servers.flatMap(({ name, link }) => [...link.addresses].map((at) => [at, name])));
      const complaints = lint(commands, env, writers);
      assert.deepEqual(complaints.slice(0, 20), [], `${complaints.length} complaints`);
    });
  });
}

/** A member of the cluster that answers each request with the next lie. */
async function lie(adapter, redis) {
  const client = await createClient({ url: redis.url }).connect();
  const ears = await createClient({ url: redis.url }).connect();
  const counts = { fetch: 0, acks: 0 };
  const isFetch = (type) => type === (adapter === "redis" ? 5 : 7);
  const isAcks = (type, data) => (adapter === "redis" ? type === 7 : type === 3 && data?.requestId !== undefined);
  const hear = async (bytes) => {
    const message = bytes[0] === 0x7b ? JSON.parse(bytes.toString()) : decode(bytes);
    const { type, uid, nsp, data, requestId = data?.requestId } = message;
    const kind = isFetch(type) ? "fetch" : isAcks(type, data) ? "acks" : undefined;
    if (!kind) return;
    const part = LIES[kind][counts[kind]++];
    const response = { fetch: 8, acks: 11 }[kind];
    if (adapter === "redis") {
      const words = { requestId, ...(kind === "acks" && { type: 8 }), ...part };
      await client.publish("socket.io-response#/#", JSON.stringify(words));
    } else {
      const words = { type: response, data: { requestId, ...part }, uid: "fedcba9876543210", nsp };
      const command = adapter === "sharded" ? "SPUBLISH" : "PUBLISH";
      await client.sendCommand([
        command,
        `socket.io#/#${uid}#`,
        adapter === "sharded" ? JSON.stringify(words) : Buffer.from(encode(words)),
      ]);
    }
  };
  if (adapter === "sharded") await ears.sSubscribe("socket.io#/#", hear, true);
  else await ears.subscribe(adapter === "redis" ? "socket.io-request#/#" : "socket.io#/#", hear, true);
  return {
    lies: () => counts.fetch + counts.acks,
    async close() {
      ears.destroy();
      client.destroy();
    },
  };
}

describe("Node", { skip: tested !== "node" && "it is about Node" }, () => {
  test("does not survive one request without opts", async () => {
    const world = await startCluster(PLAIN.redis, { kinds: PURE });
    try {
      await world.redis.send(...KILLERS.redis);
      await eventually("all servers are dead", () => world.servers.every(({ exit }) => exit !== undefined));
    } finally {
      await world.stop();
    }
  });

  test("reads one entry without data for ever", async () => {
    const world = await startCluster(PLAIN.streams, { kinds: PURE });
    try {
      await world.redis.send("CONFIG", "RESETSTAT");
      await world.redis.send(...KILLERS.streams);
      await eventually("thousands of reads", async () => {
        const stats = (await world.redis.send("INFO", "commandstats")).toString();
        return Number(/cmdstat_xread:calls=(\d+)/.exec(stats)?.[1] ?? 0) > 1000;
      });
    } finally {
      await world.stop();
    }
  });
});
