// What becomes of messages and requests while Redis, a link or a server fails. Every case is a row of the table.
// For ours there are promises; the official server only has its figures taken. The suites run it per adapter.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, eventually, test } from "../../helpers/harness.mjs";
import { PURE, ask, askIn, complete, fence, open, settled, startCluster } from "./cluster.mjs";
import { tested } from "./servers.mjs";
import { row } from "./table.mjs";
import { traffic } from "./traffic.mjs";
import { VARIANTS } from "./variants.mjs";

const ours = tested === "ours";
const long = process.env.CLUSTER_LONG === "1";
const OUTAGE = long ? 1500 : 600;
const COUNT = long ? 1600 : 400;
/** Into the flood, before anything fails. */
const LEAD = long ? 2000 : 500;

const ADAPTERS = { redis: VARIANTS.redis, sharded: VARIANTS["sharded, dynamic"], streams: VARIANTS.streams };

/** The outages: what happens between their two ends. */
const OUTAGES = {
  "Redis killed and back": {
    // What Redis forgets, no reader can find: only a durable one shows whether servers lose anything.
    durable: true,
    everywhere: true,
    async begin({ redis }) {
      await redis.kill();
    },
    async end({ redis }) {
      await redis.restart();
    },
  },
  "Redis stopped for a while": {
    everywhere: true,
    onlyLong: true,
    begin: ({ redis }) => redis.pause(),
    end: ({ redis }) => redis.resume(),
  },
  "the receiver's link cut": {
    begin: ({ servers }) => servers[1].link.cut(),
    end: ({ servers }) => servers[1].link.restore(),
  },
  "the sender's link cut": {
    everywhere: true,
    begin: ({ servers }) => servers[0].link.cut(),
    end: ({ servers }) => servers[0].link.restore(),
  },
  "the receiver's connections half-open": {
    onlyLong: true,
    lasting: true,
    begin: ({ servers }) => servers[1].link.freeze(),
    end: () => {},
  },
  "the sender's connections half-open": {
    onlyLong: true,
    lasting: true,
    everywhere: true,
    begin: ({ servers }) => servers[0].link.freeze(),
    end: () => {},
  },
  "all connections killed five times": {
    onlyLong: true,
    everywhere: true,
    async begin({ redis }) {
      for (let time = 0; time < 5; time++) {
        if (time > 0) await sleep(700);
        for (const type of ["normal", "pubsub"]) await redis.send("CLIENT", "KILL", "TYPE", type, "SKIPME", "yes");
      }
    },
    end: () => {},
  },
};

/** What can befall a server while others wait for it. */
const STRIKES = {
  "a server killed": (server) => server.kill(),
  "a server stopped": (server) => server.pause(),
};

const show = (value) => (value === undefined ? "never" : value);

/** All faults, for one adapter. */
export function faults(adapter) {
  const env = ADAPTERS[adapter];
  describe(adapter, () => {
    for (const [name, outage] of Object.entries(OUTAGES)) {
      if (outage.onlyLong && !long) continue;
      // A half-open connection ends when somebody notices; the flood goes on for as long as that may take.
      const count = outage.lasting ? 4000 : COUNT;
      test(name, { timeout: 120_000 }, async () => {
        const world = await startCluster(env, { kinds: PURE, durable: outage.durable && adapter === "streams" });
        try {
          const fault = async () => {
            await sleep(LEAD);
            const from = Date.now();
            await outage.begin(world);
            if (!outage.lasting) await sleep(OUTAGE);
            await outage.end(world);
            return { from, until: Date.now() };
          };
          const { receivers, died } = await traffic(world, { count, fault, patience: outage.lasting ? 10_000 : 20_000 });
          const [here, there] = receivers;
          row({
            adapter,
            event: name,
            server: tested,
            sent: there.sent,
            lost: there.lost,
            twice: there.twice,
            reordered: there.disordered,
            "late (> 1 s)": there.late,
            "worst delay, ms": there.worst,
            "longest silence, ms": there.silence ?? "without end",
            "lost by local clients": here.lost,
            "their worst delay, ms": here.worst,
            died: died.join(" ") || "no",
          });
          if (!ours) return;
          assert.deepEqual(died, []);
          for (const each of receivers) {
            assert.equal(each.twice, 0, "none twice");
            assert.equal(each.disordered, 0, "in order");
            assert.ok(each.heard, "each hears the sender again");
          }
          assert.equal(here.lost, 0, "local clients lose nothing");
          // Half of them is far from both: an outage that is waited for, and a machine that is busy.
          assert.ok(here.served * 2 >= here.meanwhile, `local clients got ${here.served} of ${here.meanwhile} while it lasted`);
          assert.ok(here.worst < 5000, `local clients wait for nothing: ${here.worst} ms`);
          const recovery = 15_000;
          assert.ok(there.silence < recovery + OUTAGE, `silent for ${there.silence} ms`);
          if (adapter === "streams") assert.equal(there.lost, 0, "streams lose nothing");
          assert.ok(there.lostBefore < 1000, `the first lost was sent ${there.lostBefore} ms before the outage`);
          assert.ok(there.lostAfter < recovery, `the last lost was sent ${there.lostAfter} ms after the outage`);
        } finally {
          await world.stop();
        }
      });
    }

    for (const [name, strike] of Object.entries(STRIKES)) {
      // Where a dead server is missed, a stopped one is as well; one adapter shows it every time.
      if (name === "a server stopped" && adapter !== "streams" && !long) continue;
      test(`${name} with requests in flight`, { timeout: 60_000 }, async () => {
        const world = await startCluster(env, { kinds: [...PURE, tested] });
        try {
          const [caller, other] = await Promise.all(world.servers.slice(0, 2).map((server) => open(server)));
          const victim = await open(world.servers[2]);
          const sockets = [caller, other, victim];
          for (const socket of sockets) socket.on("ask", (ack) => ack(socket.id));
          // Nobody has answered when it strikes.
          world.servers[2].pause();
          const began = Date.now();
          const timed = (promise) => promise.then((answer) => ({ ...answer, took: Date.now() - began }));
          const requests = [
            timed(askIn(25_000, caller, "fetch-sockets", {})),
            timed(askIn(25_000, caller, "server-side-emit-ack", "/", "sse-ask", [1])),
            timed(askIn(25_000, caller, "emit-ack", {}, 2000, "ask", [])),
          ];
          await strike(world.servers[2]);
          const [fetch, sse, acks] = await Promise.all(requests);
          const alive = [caller.id, other.id].sort();
          const again = name === "a server killed" ? await recount(world, caller) : undefined;
          row({
            adapter,
            event: `${name} with requests in flight`,
            server: tested,
            fetchSockets: `${fetch.err ?? "no error"}, ${fetch.sockets.length} of 2, ${fetch.took} ms`,
            serverSideEmit: `${sse.err ?? "no error"}, ${sse.responses.length} of 1, ${sse.took} ms`,
            "emit with acks": `${acks.err ?? "no error"}, ${acks.responses.length} of 2, ${acks.took} ms`,
            "counted right after, ms": again,
          });
          if (!ours) return;
          assert.deepEqual(fetch.sockets.map(({ id }) => id).sort(), alive, "what was there is not thrown away");
          assert.deepEqual(
            sse.responses.map(({ from }) => from),
            [other.server.name],
          );
          assert.deepEqual(acks.responses.sort(), alive);
          for (const { took } of [fetch, sse, acks]) assert.ok(took < 15_000, `${took} ms`);
        } finally {
          await world.stop();
        }
      });
    }

    test("Redis away: what still works, and what ends", { timeout: 90_000 }, async () => {
      const world = await startCluster(env, { kinds: PURE });
      try {
        const [caller, neighbour, remote] = await Promise.all(
          [0, 0, 1].map((at) => open(world.servers[at], { rooms: ["red"] })),
        );
        await settled(world, [caller, neighbour, remote]);
        await world.redis.kill();
        // What is asked in the moment of its death is another matter: now everybody knows.
        await sleep(OUTAGE);
        const within_ = async (ms, event, ...args) => {
          const began = Date.now();
          try {
            const answer = await askIn(ms, caller, event, ...args);
            return { answer, took: Date.now() - began };
          } catch {
            return { took: `over ${ms}` };
          }
        };
        const patience = ours || long ? 20_000 : 3000;
        const local = new Promise((resolve) => neighbour.once("local", () => resolve(Date.now())));
        const began = Date.now();
        const emitted = within_(patience, "emit", { rooms: ["red"] }, "local", [1]);
        const joined = within_(patience, "sockets-join", { rooms: ["red"] }, ["down"]);
        const requests = [
          within_(patience, "fetch-sockets", {}),
          within_(patience, "server-count"),
          within_(patience, "server-side-emit-ack", "/", "sse-ask", [1]),
        ];
        const [, , fetch, count, sse] = await Promise.all([emitted, joined, ...requests]);
        const heard = await Promise.race([local.then((at) => at - began), sleep(100, undefined)]);
        const { rooms } = await askIn(2000, neighbour, "whoami").catch(() => ({ rooms: [] }));
        const applied = rooms.includes("down");
        await world.redis.restart();
        const outcome = ({ answer, took }) =>
          answer === undefined ? `nothing, ${took} ms` : `${answer?.err ?? "an answer"}, ${took} ms`;
        row({
          adapter,
          event: "requests while Redis is away",
          server: tested,
          "emit reaches local clients, ms": show(heard),
          "socketsJoin applied locally": applied,
          fetchSockets: outcome(fetch),
          serverCount: outcome(count),
          serverSideEmit: outcome(sse),
          died:
            world.servers
              .filter(({ exit }) => exit !== undefined)
              .map(({ name }) => name)
              .join(" ") || "no",
        });
        if (!ours) return;
        assert.notEqual(heard, undefined, "local clients are served");
        assert.ok(applied, "the join is applied here");
        for (const [what, { took }] of Object.entries({ fetch, count, sse })) assert.ok(took < 15_000, `${what}: ${took} ms`);
        assert.ok(fetch.answer.sockets.length >= 2, "the local sockets are known");
        await complete(world);
        await eventually(
          "the servers hear each other again",
          () =>
            fence(caller, [caller, neighbour, remote]).then(
              () => true,
              () => false,
            ),
          15_000,
        );
        const both = await ask(caller, "fetch-sockets", {});
        assert.equal(both.err, null);
        assert.equal(both.sockets.length, 3);
      } finally {
        await world.stop();
      }
    });

    if (long) {
      test("25 000 messages while the receiver is stopped", { timeout: 120_000 }, async () => {
        const world = await startCluster(env, { kinds: PURE });
        try {
          const fault = async (caller) => {
            const from = Date.now();
            world.servers[1].pause();
            // One of its own socket has come when all the others have been sent.
            await sleep(5500);
            await ask(caller, "whoami");
            await sleep(500);
            world.servers[1].resume();
            return { from, until: Date.now() };
          };
          const { receivers, died } = await traffic(world, { count: 25_000, floods: 5, interval: 1, fault, patience: 20_000 });
          const [here, there] = receivers;
          row({
            adapter,
            event: "25 000 messages while the receiver is stopped",
            server: tested,
            sent: there.sent,
            lost: there.lost,
            twice: there.twice,
            reordered: there.disordered,
            "lost by local clients": here.lost,
            "their worst delay, ms": here.worst,
            died: died.join(" ") || "no",
          });
          if (!ours) return;
          assert.deepEqual(died, []);
          for (const each of receivers) assert.deepEqual([each.twice, each.disordered], [0, 0]);
          assert.equal(here.lost, 0);
          assert.ok(there.heard);
        } finally {
          await world.stop();
        }
      });
    }
  });
}

/** How long until the count of servers is right again, in ms. */
async function recount({ servers }, caller) {
  const began = Date.now();
  await eventually(
    "the dead one is not counted",
    async () => (await ask(caller, "server-count")) === servers.length - 1,
    10_000,
  );
  return Date.now() - began;
}
