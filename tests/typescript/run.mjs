// The generated TypeScript: type-checked by both majors of the compiler, and true about what travels.
//
//   node run.mjs            everything
//   node run.mjs types      only what needs no server
//
// SHAPES: the binary of the fixture, default `target/debug/fixture-shapes`.

import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const COMPILERS = ["typescript", "typescript-6"].map((name) => join(HERE, "node_modules", name, "bin/tsc"));
/** A browser's library, that of a bundler, and Node.js without one of a browser. */
const PROJECTS = ["tsconfig.json", "tsconfig.bundler.json", "tsconfig.node.json"];

function node(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: HERE, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

for (const compiler of COMPILERS) {
  node(compiler, "--version");
  for (const project of PROJECTS) {
    console.log(`  ${project}`);
    node(compiler, "--project", project);
  }
  console.log("  the page of the chat");
  node(compiler, "--project", "../../examples/chat/web", "--noEmit");
}
node("--test", "--test-reporter=spec", "page.test.mjs", "asyncapi.test.mjs");
if (process.argv[2] !== "types") {
  rmSync(join(HERE, "dist"), { recursive: true, force: true });
  node(COMPILERS[0], "--project", "tsconfig.runtime.json");
  node("--test", "--test-reporter=spec", "dist/runtime/truth.test.js");
}
