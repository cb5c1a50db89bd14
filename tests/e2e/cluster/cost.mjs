// What a broadcast costs the servers of a cluster: processor time of the sender, of each receiver and of Redis.
//
//     node cluster/cost.mjs [--server "<command>"] [--servers 2,4] [--rate 5000] [--messages 10000]
//
// Without `--server`, the official server. One client on each server; one server broadcasts to all of them. Figures are as good as
// the machine is quiet.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    server: { type: "string" },
    servers: { type: "string", default: "2,4" },
    rate: { type: "string", default: "5000" },
    messages: { type: "string", default: "10000" },
  },
});
if (options.server) process.env.CLUSTER_SERVER = options.server;
const { ask, drop, open, startCluster } = await import("./helpers/cluster.mjs");
const { tested } = await import("./helpers/servers.mjs");
const { VARIANTS } = await import("./helpers/variants.mjs");
const { eventually } = await import("../helpers/harness.mjs");

const ADAPTERS = { redis: VARIANTS.redis, sharded: VARIANTS["sharded, dynamic"], streams: VARIANTS.streams };
const FLOODS = Math.max(1, Math.round(Number(options.rate) / 1000));
const EACH = Math.ceil(Number(options.messages) / FLOODS);
const SENT = FLOODS * EACH;

/** Processor time of a process so far, in µs; the kernel counts in hundredths of a second. */
function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function measure(adapter, count) {
  const world = await startCluster(ADAPTERS[adapter], { kinds: Array.from({ length: count }, () => tested) });
  const sockets = [];
  try {
    for (const server of world.servers) sockets.push(await open(server));
    const counts = sockets.map(() => 0);
    sockets.forEach((socket, at) => socket.on("tick", () => counts[at]++));
    const flood = async (floods, each) => {
      const before = counts.map((count) => count + floods * each);
      for (let i = 0; i < floods; i++) await ask(sockets[0], "flood", {}, "tick", each, 1);
      await eventually("all have arrived", () => counts.every((count, at) => count >= before[at]), 60_000);
    };
    await flood(1, 200);
    const pids = [...world.servers.map(({ pid }) => pid), world.redis.pid];
    const [start, before] = [performance.now(), pids.map(processorTime)];
    await flood(FLOODS, EACH);
    const seconds = (performance.now() - start) / 1000;
    const spent = pids.map((pid, at) => (processorTime(pid) - before[at]) / SENT);
    const redis = spent.pop();
    const [sender, ...receivers] = spent;
    const receiver = receivers.reduce((sum, each) => sum + each, 0) / receivers.length;
    const cell = (number) => number.toFixed(1);
    console.log(`| ${[adapter, tested, count, Math.round(SENT / seconds), cell(sender), cell(receiver), cell(redis)].join(" | ")} |`);
  } finally {
    sockets.forEach(drop);
    await world.stop();
  }
}

console.log("| adapter | server | servers | messages/s | sender, µs/message | receiver, µs/message | Redis, µs/message |");
console.log("|---|---|---:|---:|---:|---:|---:|");
for (const adapter of Object.keys(ADAPTERS)) {
  for (const count of options.servers.split(",")) await measure(adapter, Number(count));
}
process.exit(0);
