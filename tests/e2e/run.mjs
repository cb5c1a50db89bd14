// Starts a fixture server, runs the suites against it, stops it again. See README.md.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { start } from "./helpers/start.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const usage =
  'usage: node run.mjs --server "<command>" | --reference | --url URL [--suites folder] [--only text] [--grep regexp] [--verbose]';

let options;
try {
  options = parseArgs({
    options: {
      server: { type: "string" },
      reference: { type: "boolean" },
      url: { type: "string" },
      suites: { type: "string", default: "." },
      only: { type: "string" },
      grep: { type: "string" },
      verbose: { type: "boolean" },
    },
  }).values;
} catch (error) {
  fail(`${error.message}\n${usage}`);
}
if ([options.server, options.reference, options.url].filter(Boolean).length !== 1) fail(usage);

// A folder of its own holds suites for a fixture that the official server has no twin of.
if (options.reference && options.suites !== ".") fail("the official server runs the suites of the folder itself only");
const suites = join(here, "suites", options.suites);
const files = readdirSync(suites)
  .filter((name) => name.endsWith(".test.mjs") && name.includes(options.only ?? ""))
  .sort()
  .map((name) => join(suites, name));
if (files.length === 0) fail(`no suite in ${suites} matches --only ${options.only}`);

const server = options.url ? undefined : await start(options).catch((error) => fail(error.message));
process.env.SUITE_URL = options.url ?? `http://127.0.0.1:${server.port}`;
process.env.SUITE_TARGET ??= options.reference ? "reference" : "ours";

const counts = { pass: 0, fail: 0, skip: 0 };
const began = Date.now();
const stream = run({
  files,
  concurrency: 1,
  timeout: 600_000,
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

const died = server?.exit;
await server?.stop();
const seconds = ((Date.now() - began) / 1000).toFixed(1);
console.log(
  `\n${process.env.SUITE_TARGET}: ${counts.pass} passed, ${counts.fail} failed, ${counts.skip} skipped in ${seconds} s`,
);
if (died) console.log(`the server died during the run (${died}); its last words:\n${server.tail()}`);
if (counts.pass === 0) console.log("no test ran");
process.exitCode = failed || counts.pass === 0 || died ? 1 : 0;

function fail(message) {
  console.error(message);
  process.exit(2);
}
