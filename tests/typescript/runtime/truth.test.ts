// The generated types tell the truth: a client that is typed by them talks to the real server, and everything that crosses the wire
// in either direction is validated against the generated schemas.
//
// SHAPES: the server's binary, default `target/debug/fixture-shapes`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { io } from "socket.io-client";
import type { Refusal, ShapeEvents, Shapes, ShapesAuth, ShapesPath, ShapesSocket, Upload } from "../generated/one.gen.js";
import { mutants } from "./mutants.js";
import { samples } from "./samples.js";
import { check, document, validator } from "./schemas.js";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const PATH: ShapesPath = "/shapes/north";
const AUTH: ShapesAuth = { key: "open sesame" };
const TIMEOUT = 10_000;

let url: string;
let server: ReturnType<typeof spawn>;
let socket: ShapesSocket;
/** What the server sent, in order. */
let received: { event: string; args: unknown[] }[] = [];
let failures: unknown[] = [];

before(async () => {
  const binary = process.env["SHAPES"] ?? `${process.env["CARGO_TARGET_DIR"] ?? `${ROOT}target`}/debug/fixture-shapes`;
  server = spawn(binary, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: server.stdout! }).on("line", (line) => {
      const [, address] = /^listening on (\S+)$/.exec(line) ?? [];
      if (address) resolve(`http://${address}`);
    });
  });
  socket = io(url + PATH, { auth: AUTH, forceNew: true, ackTimeout: TIMEOUT });
  socket.onAny((event: string, ...args: unknown[]) => {
    // A callback is no argument.
    const values = args.filter((arg) => typeof arg !== "function");
    received.push({ event, args: values });
    try {
      check(values, "events", "ShapeEvents", event, "args");
    } catch (error) {
      failures.push(error);
    }
  });
  socket.on("count", (words, _, ack) => ack(words.length));
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
});

after(() => {
  socket?.disconnect();
  server?.kill();
  assert.deepEqual(failures, [], "events that are not what their schema says");
});

type Name = keyof Shapes;
const names = Object.keys(document.events["Shapes"]!) as Name[];
const isAcked = (name: Name) => !["optional", "variadic", "gone"].includes(name);
/** The events that answer `{ ok, .. }`, and send a refusal of their arguments as `error`. */
const isResult = (name: Name) => JSON.stringify(document.events["Shapes"]![name]!.ack ?? "").includes('"ok"') && name !== "ping";

/** Emits without the help of the types: the event is known only here. */
const ask = (name: string, args: unknown[]) =>
  (socket as unknown as { emitWithAck(name: string, ...args: unknown[]): Promise<unknown> }).emitWithAck(name, ...args);

/** JSON without what cannot be compared. */
const comparable = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, value) => (value instanceof ArrayBuffer || value?.type === "Buffer" ? "binary" : value)));

/** Answers the server's next question. */
const answerNext = (reply: (upload: Upload) => unknown) =>
  socket.once("ask", ((upload: Upload, ack: (reply: unknown) => void) => ack(reply(upload))) as ShapeEvents["ask"]);

test("there is a sample of every event, and a schema", () => {
  assert.deepEqual(Object.keys(samples).sort(), [...names].sort());
  assert.ok(names.filter((name) => Object.hasOwn(document.events["ShapeEvents"]!, name)).length >= 40);
});

for (const name of names) {
  test(`${name}: what may be sent is accepted, and what comes back is as promised`, async () => {
    for (const args of samples[name]) {
      check(args, "events", "Shapes", name, "args");
      received = [];
      if (!isAcked(name)) {
        socket.emit(name as "optional", ...(args as [number]));
        // Events are handled in order, so the answer to this one comes behind whatever that one caused.
        await socket.emitWithAck("ping");
      } else {
        if (name === "ask_me") answerNext((upload) => ({ ok: true, data: upload }));
        const reply = await ask(name, args);
        if (document.events["Shapes"]![name]!.ack) check(reply, "events", "Shapes", name, "ack");
        else assert.equal(reply, undefined);
        if (isResult(name)) assert.equal((reply as { ok: boolean }).ok, true, JSON.stringify([args, reply]));
        if (Object.hasOwn(document.events["ShapeEvents"]!, name) && isResult(name)) {
          const [echo] = received;
          assert.equal(echo?.event, name);
          assert.deepEqual(comparable(echo.args), comparable([(reply as { data: unknown }).data]));
        }
      }
    }
  });
}

/** Where the server and the schemas disagree, and why. Each has to occur: what is explained here is no mistake of the generator's. */
const EXPLAINED: [why: string, disagreement: RegExp][] = [
  ["schemars does not know the keys of a map if they are variants with documentation", /^documented_keys: allowed: .*unknown variant/],
  ["nor that they are single characters", /^maps: allowed: .*"by_char":\{"c":1,"unexpected":1\}.*expected a character/],
  ["serde's own types have no other fields", /^misc: allowed: .*"(secs|start|Ok|Err)":[^}]*"unexpected":1/],
  ["and so has a `Result`", /^outcome: allowed: .*"unexpected":1/],
  ["`#[schemars(with = \"String\")]` is all that the schema knows", /^string_number: allowed: \[\{"id":"x?"\}/],
  ["`#[serde(other)]` takes every text", /^other_variant: forbidden: \["x?",/],
  ["a flattened option that is wrong is none", /^flat_option: forbidden: \[\{"id":1,"room":/],
  ["a flattened tag may also be the number of the variant", /^flat_enum: forbidden: \[\{"id":\d,"type":0/],
];

test("the server takes exactly what the schemas allow", async () => {
  const disagreements: string[] = [];
  const counts = { valid: 0, invalid: 0 };
  for (const name of names.filter(isResult)) {
    // These ask the client only if their arguments are right.
    if (name === "ask_me" || name === "count_me") continue;
    const validate = validator("events", "Shapes", name, "args");
    for (const [value] of samples[name] as [unknown][]) {
      for (const mutant of mutants(value)) {
        const valid = validate([mutant]);
        const reply = (await ask(name, [mutant])) as { ok: boolean };
        check(reply, "events", "Shapes", name, "ack");
        counts[valid ? "valid" : "invalid"] += 1;
        if (valid !== reply.ok) disagreements.push(`${name}: ${valid ? "allowed" : "forbidden"}: ${JSON.stringify([mutant, reply])}`);
      }
    }
  }
  const unexplained = disagreements.filter((text) => !EXPLAINED.some(([, pattern]) => pattern.test(text)));
  assert.deepEqual(unexplained, []);
  for (const [why, pattern] of EXPLAINED) assert.ok(disagreements.some((text) => pattern.test(text)), `no longer so: ${why}`);
  assert.ok(counts.valid > 100 && counts.invalid > 1000, JSON.stringify(counts));
});

test("answers of the client: what is promised is taken, anything else is not", async () => {
  const upload = { name: "n", data: Uint8Array.of(1, 2) };
  const answer = async (reply: unknown) => {
    answerNext(() => reply);
    return socket.emitWithAck("ask_me", upload);
  };
  const right = { ok: true, data: upload };
  check(right, "events", "ShapeEvents", "ask", "ack");
  assert.equal((await answer(right)).ok, true);
  assert.deepEqual(await answer({ ok: false, error: "no" }), { ok: false, error: "no" });
  for (const wrong of [{ ok: true, data: { name: "n" } }, { ok: true }, { ok: false, error: 1 }, 1, null, { ok: "true" }]) {
    assert.equal(validator("events", "ShapeEvents", "ask", "ack")(wrong), false, JSON.stringify(wrong));
    const reply = await answer(wrong);
    assert.ok(!reply.ok && reply.error !== "no", JSON.stringify([wrong, reply]));
  }
});

test("the other events arrive as promised", async () => {
  const answered = new Promise<void>((resolve) => socket.once("nothing", (ack) => (ack(), resolve())));
  received = [];
  await socket.emitWithAck("emit_rest");
  await answered;
  assert.deepEqual(received.map(({ event }) => event), ["slice", "many", "nothing"]);
});

test("a refusal carries the type that was included", async () => {
  const refused = io(url + PATH, { auth: { key: "wrong" } satisfies ShapesAuth, forceNew: true, reconnection: false });
  const error = await new Promise<Error & { data?: Refusal }>((resolve) => refused.once("connect_error", resolve));
  refused.disconnect();
  check(error.data, "$defs", "Refusal");
  check({ key: "" }, "auth", "Shapes");
  assert.equal(validator("auth", "Shapes")({}), false);
});
