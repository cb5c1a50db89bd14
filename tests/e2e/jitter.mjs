// The jitter experiment: see README.md. Prints its figures as JSON.
import { parseArgs } from "node:util";
import { jitter } from "./helpers/jitter.mjs";
import { start } from "./helpers/start.mjs";

const { values } = parseArgs({
  options: {
    server: { type: "string" },
    reference: { type: "boolean" },
    url: { type: "string" },
    path: { type: "string", default: "/recovery/" },
    clients: { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
    rate: { type: "string", default: "50" },
    transports: { type: "string", default: "websocket" },
  },
});
if ([values.server, values.reference, values.url].filter(Boolean).length !== 1) {
  console.error('usage: node jitter.mjs --server "<command>" | --reference | --url URL [--path P] [--clients N] [--seconds N]');
  console.error("       [--rate N] [--transports websocket|polling|polling,websocket]");
  process.exit(2);
}
const server = values.url ? undefined : await start(values);
const figures = await jitter({
  url: values.url ?? `http://127.0.0.1:${server.port}`,
  path: values.path,
  clients: Number(values.clients),
  seconds: Number(values.seconds),
  rate: Number(values.rate),
  transports: values.transports.split(","),
});
await server?.stop();
console.log(JSON.stringify(figures, null, 2));
process.exit(figures.missing || figures.twice || figures.disordered ? 1 : 0);
