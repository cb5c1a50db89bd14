// The chat's page depends on its contract: it compiles as it is, and does not if the contract changes under it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const WEB = join(HERE, "../../examples/chat/web");
const COPY = join(HERE, "dist/page");

function compile(folder) {
  const { status, stdout } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--project", folder, "--noEmit"], {
    cwd: HERE,
    encoding: "utf8",
  });
  return { status, stdout };
}

test("the page compiles", () => assert.deepEqual(compile(WEB), { status: 0, stdout: "" }));

/** What a change of a trait or a type in Rust makes of the generated file, and where the page notices. */
const CHANGES = [
  ["a field is renamed", /^  author: string;$/m, "  writer: string;", /store|view/],
  ["a field has another type", /^  members: string\[\];$/m, "  members: number;", /store/],
  ["an event has another argument", /^  joined: \(room: string, name: string\)/m, "  joined: (room: string, id: number)", /main/],
  ["an event is gone", /^  typing: \(room: string\) => void;$/m, "", /main/],
  ["an event is new to clients", /^  left: /m, "  silenced: (room: string) => void;\n  left: ", /main/],
  ["an answer can fail no more", /Reply<null, ChatError>/, "null", /main/],
  ["there is another error", /\| \{ code: "notInRoom" \}/, '| { code: "notInRoom" } | { code: "banned" }', /connection/],
  ["the login needs more", /^export type ChatAuth = Login;$/m, "export type ChatAuth = Login & { password: string };", /connection/],
  ["the path is another", /"\/chat";/, '"/talk";', /connection/],
];

for (const [what, from, to, where] of CHANGES) {
  test(`the page does not compile if ${what}`, () => {
    rmSync(COPY, { recursive: true, force: true });
    mkdirSync(COPY, { recursive: true });
    for (const name of ["src", "tsconfig.json"]) cpSync(join(WEB, name), join(COPY, name), { recursive: true });
    symlinkSync(join(WEB, "node_modules"), join(COPY, "node_modules"));
    const generated = join(COPY, "src/socket.gen.ts");
    const text = readFileSync(generated, "utf8");
    assert.match(text, from);
    writeFileSync(generated, text.replace(from, to));
    const { status, stdout } = compile(COPY);
    assert.notEqual(status, 0);
    assert.match(stdout, where);
    assert.doesNotMatch(stdout, /^[^ ]*socket\.gen\.ts\(/m);
  });
}
