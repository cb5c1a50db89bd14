// The AsyncAPI document is one: by the official schema, and every reference leads somewhere.

import { Ajv } from "ajv";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

const document = JSON.parse(readFileSync(new URL("generated/asyncapi.json", import.meta.url), "utf8"));
const official = createRequire(import.meta.url)("@asyncapi/specs/schemas/3.0.0.json");

function validator() {
  // The official schema brings draft 07 along.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, meta: false, validateSchema: false });
  return ajv.compile(official);
}

test("the official schema takes it", () => {
  const validate = validator();
  validate(document);
  assert.deepEqual(validate.errors, null);
});

test("the official schema would notice", () => {
  const validate = validator();
  const broken = structuredClone(document);
  broken.operations["Lobby.receive.setMood"].action = "take";
  assert.equal(validate(broken), false);
});

test("every reference leads somewhere", () => {
  let count = 0;
  const walk = (value) => {
    if (typeof value !== "object" || value === null) return;
    if (typeof value.$ref === "string") {
      count += 1;
      const target = value.$ref.slice(2).split("/").reduce((at, key) => at?.[key], document);
      assert.ok(target, value.$ref);
    }
    Object.values(value).forEach(walk);
  };
  walk(document);
  assert.ok(count > 200);
});

test("it says what the traits say", () => {
  const { Shapes, Lobby } = document.channels;
  assert.equal(Shapes.address, "/shapes/{lab}");
  assert.deepEqual(Object.keys(Shapes.parameters), ["lab"]);
  assert.equal(Lobby.summary, "A second namespace, which shares types with the first.");
  const ask = document.operations["Lobby.receive.whoIsHere"];
  assert.equal(ask.action, "receive");
  assert.equal(ask.summary, "Everybody who is here.");
  assert.deepEqual(ask.reply.messages, [{ $ref: "#/channels/Lobby/messages/receive.whoIsHere.ack" }]);
  assert.equal(document.operations["Lobby.send.cameIn"].action, "send");
  assert.equal(document.operations["Shapes.receive.gone"]["x-deprecated"], "use `optional`");
  assert.deepEqual(Shapes.messages.connect.payload, { $ref: "#/components/schemas/Key" });
});
