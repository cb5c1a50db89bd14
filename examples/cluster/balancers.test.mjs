// Through each load balancer: clients of every kind connect, are spread over all servers, and hear
// each other wherever they are. A balancer that is not installed is left out, unless CI=true.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { isInstalled, startChat, startCluster } from "./cluster.mjs";

const CLIENTS = 30;
const BALANCERS = ["nginx", "haproxy"];
const installed = BALANCERS.filter((kind) => process.env.CI === "true" || isInstalled(kind));

/** One user of the chat, who notes what is said in a room. */
async function guest(url, name, room, options) {
  const socket = io(`${url}/chat`, { auth: { name }, forceNew: true, reconnection: false, reconnectionDelay: 100, ...options });
  const heard = [];
  socket.on("message", (room, message) => heard.push(`${message.author}: ${message.text}`));
  try {
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    await until(`the upgrade of ${name}`, () => options.transports?.[0] === "polling" || isWebSocket(socket));
    const entered = await socket.timeout(20_000).emitWithAck("join", room);
    assert.equal(entered.ok, true, JSON.stringify(entered));
  } catch (error) {
    socket.disconnect();
    throw error;
  }
  const [, mark] = /^(n\d)_/.exec(socket.io.engine.id) ?? [];
  return { name, socket, heard, server: mark ?? "node" };
}

const isWebSocket = (socket) => socket.io.engine.transport.name === "websocket";

/** Ends when it is true, or fails. */
async function until(what, isTrue) {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    assert.ok(Date.now() < deadline, `${what} takes too long`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const kind of BALANCERS) {
  describe(kind, { skip: !installed.includes(kind) && `${kind} is not installed` }, () => {
    let cluster, url;

    before(async () => {
      cluster = await startCluster({ balancer: kind });
      ({ url } = cluster);
    });

    after(() => cluster?.stop());

    const ways = { polling: { transports: ["polling"] }, upgrade: {}, websocket: { transports: ["websocket"] } };
    for (const [way, options] of Object.entries(ways)) {
      test(`${CLIENTS} clients by ${way}`, { timeout: 120_000 }, async (t) => {
        const room = `${kind} ${way}`;
        const names = Array.from({ length: CLIENTS }, (_, i) => `${kind} ${way} ${i}`);
        const arrivals = await Promise.allSettled(names.map((name) => guest(url, name, room, options)));
        const guests = arrivals.flatMap((arrival) => arrival.value ?? []);
        try {
          assert.deepEqual(arrivals.flatMap((arrival) => arrival.reason?.message ?? []), []);
          const spread = cluster.servers.map(({ name }) => [name, guests.filter(({ server }) => server === name).length]);
          t.diagnostic(spread.map((server) => server.join(" ")).join(", "));
          assert.ok(spread.every(([, clients]) => clients > 0), "each server has some");

          // Everybody sees everybody.
          const { data } = await guests[0].socket.timeout(20_000).emitWithAck("join", room);
          assert.deepEqual(data.members, [...names].sort());

          // Everybody says two things; everybody else hears them, once and in this order.
          for (const { socket, name } of guests) {
            for (const text of ["first", "second"]) socket.timeout(20_000).emitWithAck("say", room, text).catch(() => {});
          }
          await until("what is said", () => guests.every(({ heard }) => heard.length >= 2 * (CLIENTS - 1)));
          for (const { heard, name } of guests) {
            const others = names.filter((other) => other !== name);
            const expected = others.flatMap((other) => [`${other}: first`, `${other}: second`]).sort();
            assert.deepEqual([...heard].sort(), expected, `what ${name} heard`);
            for (const other of others) {
              assert.ok(heard.indexOf(`${other}: first`) < heard.indexOf(`${other}: second`), `the order of ${other}`);
            }
          }

          // Whoever comes now reads it all, from whatever server.
          const { data: room_ } = await guests.at(-1).socket.timeout(20_000).emitWithAck("join", room);
          assert.equal(room_.history.length, 50);
        } finally {
          for (const { socket } of guests) socket.disconnect();
        }
      });
    }

    test("names are taken on all servers", { timeout: 60_000 }, async () => {
      const options = { transports: ["polling"] };
      const ann = await guest(url, `Ann of ${kind}`, "lobby", options);
      try {
        for (let i = 0; i < cluster.servers.length; i++) {
          const error = await guest(url, `ANN OF ${kind}`, "lobby", options).catch((error) => error);
          assert.equal(error.data?.code, "nameTaken", String(error));
        }
      } finally {
        ann.socket.disconnect();
      }
    });

    test("a server is restarted, and its clients go on at others", { timeout: 120_000 }, async () => {
      const room = `${kind} restart`;
      const ways = [{ transports: ["polling"] }, { transports: ["websocket"] }];
      const arrivals = Array.from({ length: 16 }, (_, i) => ({ name: `${room} ${i}`, options: { ...ways[i % 2], reconnection: true } }));
      const guests = await Promise.all(arrivals.map(({ name, options }) => guest(url, name, room, options)));
      try {
        const old = cluster.servers.findIndex(({ name }) => name === "n1");
        const moving = guests.filter(({ server }) => server === "n1");
        assert.ok(moving.length > 0);
        let back = 0;
        for (const { socket } of moving) {
          socket.on("connect", async () => {
            const entered = await socket.timeout(20_000).emitWithAck("join", room);
            if (entered.ok) back += 1;
          });
        }
        await cluster.servers[old].stop();
        await until("the return", () => back === moving.length);
        for (const { socket } of moving) assert.doesNotMatch(socket.io.engine.id, /^n1_/);
        for (const { heard } of guests) heard.length = 0;
        await moving[0].socket.timeout(20_000).emitWithAck("say", room, "here again");
        await until("what is said", () => guests.every((guest) => guest === moving[0] || guest.heard.length === 1));
        cluster.servers[old] = await startChat("n1", cluster.redis, new URL(cluster.servers[old].url).port);
      } finally {
        for (const { socket } of guests) socket.disconnect();
      }
    });

    test("the page is served", async () => {
      assert.match(await (await fetch(url)).text(), /<title>/);
    });
  });
}
