// Runs the suites of the cluster; see README.md.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { render } from "./helpers/table.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const usage =
  'usage: node run.mjs [--server "<command>" [--kinds node,ours,ours]] [--only text] [--grep regexp] [--long] [--table [--json file]] [--verbose]';

let options;
try {
  options = parseArgs({
    options: {
      server: { type: "string" },
      kinds: { type: "string" },
      only: { type: "string" },
      grep: { type: "string" },
      long: { type: "boolean" },
      table: { type: "boolean" },
      json: { type: "string" },
      verbose: { type: "boolean" },
    },
  }).values;
} catch (error) {
  fail(`${error.message}\n${usage}`);
}

const suites = join(here, "suites");
const files = readdirSync(suites)
  .filter((name) => name.endsWith(".test.mjs") && name.includes(options.only ?? ""))
  .sort()
  .map((name) => join(suites, name));
if (files.length === 0) fail(`no suite in ${suites} matches --only ${options.only}`);

if (options.kinds !== undefined) {
  const kinds = options.kinds.split(",");
  const known = options.server ? ["node", "ours"] : ["node"];
  if (kinds.length < 3 || !kinds.every((kind) => known.includes(kind))) fail(`--kinds are three or more of ${known}`);
  process.env.CLUSTER_KINDS = options.kinds;
}
const folder = mkdtempSync(join(tmpdir(), "cluster-table-"));
process.env.CLUSTER_ROWS = join(folder, "rows");
if (options.server) process.env.CLUSTER_SERVER = options.server;
if (options.long) process.env.CLUSTER_LONG = "1";
if (options.verbose) process.env.CLUSTER_VERBOSE = "1";

const target = options.server ? "ours beside node" : "node alone";
const counts = { pass: 0, fail: 0, skip: 0 };
const began = Date.now();
// The suites run in processes of their own, which end their servers when they end.
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
const stream = run({
  signal: stop.signal,
  files,
  // Most of the time is spent waiting; figures are taken by one suite at a time.
  concurrency: options.table ? 1 : 2,
  timeout: 3_600_000,
  testNamePatterns: options.grep ? [new RegExp(options.grep)] : undefined,
});
const isCase = ({ details, name, file }) => details?.type !== "suite" && name !== file && !name.endsWith(".test.mjs");
stream.on("test:pass", (event) => {
  if (!isCase(event)) return;
  if (event.skip !== undefined) counts.skip++;
  else counts.pass++;
});
let failed = false;
stream.on("test:fail", (event) => {
  failed = true;
  if (isCase(event)) counts.fail++;
});
stream.compose(new spec()).pipe(process.stdout);
await new Promise((resolve) => stream.once("end", resolve));

if (options.table) render(process.env.CLUSTER_ROWS, options.json);
rmSync(folder, { recursive: true });
const seconds = ((Date.now() - began) / 1000).toFixed(1);
console.log(`\n${target}: ${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped in ${seconds} s`);
if (counts.pass === 0) console.log("no test ran");
process.exitCode = failed || counts.pass === 0 ? 1 : 0;

function fail(message) {
  console.error(message);
  process.exit(2);
}
