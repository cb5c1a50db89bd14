// A rolling deploy: three servers are restarted one by one under their clients, while somebody broadcasts.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, test } from "../../helpers/harness.mjs";
import { balance } from "../helpers/balancer.mjs";
import { ask, client, complete, connected, drop, open, startCluster } from "../helpers/cluster.mjs";
import { tested } from "../helpers/servers.mjs";
import { row } from "../helpers/table.mjs";
import { PLAIN } from "../helpers/variants.mjs";

const long = process.env.CLUSTER_LONG === "1";
const CLIENTS = long ? 200 : 60;
/** Between two messages, in ms. */
const INTERVAL = 20;

test("a rolling restart loses nothing and repeats nothing", { timeout: 180_000 }, async () => {
  const world = await startCluster(PLAIN.streams, { kinds: [tested, tested, tested] });
  const balancer = await balance(world.servers.map(({ port }) => port));
  const members = [];
  try {
    while (members.length < CLIENTS) {
      members.push(...(await Promise.all(Array.from({ length: 20 }, () => member(balancer)))));
    }

    // Messages come one after the other, from a server that is not about to close.
    let speaker = await open(world.servers[2]);
    let sent = 0;
    let over = false;
    const say = async () => {
      await ask(speaker, "emit", {}, "tick", [sent]);
      sent++;
    };
    const said = () =>
      eventually("the last message is out", () => speaker.events.some(([event, at]) => event === "tick" && at === sent - 1));
    let moving;
    const talking = (async () => {
      while (!over) {
        await say();
        if (moving) {
          await said();
          speaker = await open(moving);
          moving = undefined;
        }
        await sleep(INTERVAL);
      }
    })();
    // Who has an offset can come back.
    await eventually("everybody has something", () => members.every(({ seen }) => seen.length > 0));

    for (const [at, server] of world.servers.entries()) {
      moving = world.servers[(at + 1) % world.servers.length];
      await eventually("the speaker has moved", () => moving === undefined);
      await server.close();
      await server.restart();
      await complete(world);
      await eventually("everybody is connected", () => members.every(({ socket }) => socket.connected), 20_000);
    }
    over = true;
    await talking;
    await say();
    const last = sent - 1;
    await eventually("everybody has the last one", () => members.every(({ seen }) => seen.includes(last)), 20_000).catch(
      () => {},
    );

    const figures = { missing: 0, twice: 0, reordered: 0, recovered: 0, anew: 0 };
    for (const { seen, recovered, anew, from } of members) {
      const different = new Set(seen);
      const expected = last - from() + 1;
      figures.missing += expected - different.size;
      figures.twice += seen.length - different.size;
      figures.reordered += seen.filter((number, at) => at > 0 && number < seen[at - 1]).length;
      figures.recovered += recovered();
      figures.anew += anew();
    }
    const delivered = members.reduce((sum, { seen }) => sum + new Set(seen).size, 0);
    row({ event: "rolling restart of three servers", server: tested, clients: CLIENTS, messages: sent, delivered, ...figures });
    assert.ok(figures.recovered + figures.anew >= CLIENTS, "every client has lost its server at least once");
    if (tested !== "ours") return;
    const { missing, twice, reordered, anew } = figures;
    assert.deepEqual({ missing, twice, reordered, anew }, { missing: 0, twice: 0, reordered: 0, anew: 0 });
  } finally {
    for (const { socket } of members) drop(socket);
    balancer.close();
    await world.stop();
  }
});

/** A client behind the balancer, which comes back by itself. */
async function member({ url }) {
  const server = { url, name: "the balancer" };
  const socket = client(server, { tidy: false, reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 200 });
  const seen = [];
  let recovered = 0;
  let anew = 0;
  socket.on("tick", (number) => seen.push(number));
  await connected(socket);
  socket.on("connect", () => (socket.recovered ? recovered++ : anew++));
  return { socket, seen, recovered: () => recovered, anew: () => anew, from: () => seen[0] ?? 0 };
}
