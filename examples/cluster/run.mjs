// Starts the cluster, and stops it when it is interrupted; see README.md.
//   node run.mjs [--balancer nginx|haproxy] [--port N]
import { parseArgs } from "node:util";
import { isInstalled, startCluster } from "./cluster.mjs";

const { values: options } = parseArgs({ options: { balancer: { type: "string" }, port: { type: "string", default: "3000" } } });
const balancer = options.balancer ?? ["nginx", "haproxy"].find(isInstalled);
for (const [program, wanted] of [["redis-server", !process.env.REDIS_URL], [balancer ?? "nginx or haproxy", true]]) {
  if (wanted && !isInstalled(program)) {
    console.error(`${program} is not installed`);
    process.exit(1);
  }
}

const cluster = await startCluster({ balancer, port: Number(options.port) });
for (const { name, url } of cluster.servers) console.log(`${name.padEnd(8)}${url}`);
console.log(`redis   ${cluster.redis}`);
console.log(`\nopen ${cluster.url}   (${balancer}; interrupt to stop)`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => cluster.stop().then(() => process.exit(0)));
