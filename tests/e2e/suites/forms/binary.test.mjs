// Binary data wherever a payload can hold it, in both directions.
import assert from "node:assert/strict";
import { ask, next } from "../../helpers/client.mjs";
import { answers, forms, unanswered } from "../../helpers/forms.mjs";

const FORMS = {
  "Binary": "at the top level",
  "&Binary, &[Binary]": "lent",
  "#[rest] Vec<Binary>": "in the remaining arguments",
  "Option<Binary>": "in an Option",
  "in structs, lists and boxes": "nested",
  "#[serde(flatten)]": "flattened",
  "#[serde(untagged)]": "untagged",
  "#[serde(tag)]": "internally tagged",
  "emitted, and in acknowledgements of the client": "from the server, and back",
  "something else instead": "what is no binary is not answered",
};

const A = Buffer.from([1, 2, 255]);
const B = Buffer.from("ünï");
const EMPTY = Buffer.alloc(0);
const LARGE = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 251));
const back = (bytes) => Buffer.from(bytes).reverse();

forms(FORMS, {
  "at the top level": async ({ open }) => {
    await answers(await open("/binary"), [
      [["top", A], [back(A)]],
      [["top", new Uint8Array([7, 8])], [Buffer.from([8, 7])]],
      [["top", EMPTY], [EMPTY]],
      [["top", LARGE], [back(LARGE)]],
    ]);
  },

  "lent": async ({ open }) => {
    await answers(await open("/binary"), [
      [["lent", A, [B, EMPTY]], [[back(B), EMPTY, back(A)]]],
      [["lent", A, []], [[back(A)]]],
    ]);
  },

  "in the remaining arguments": async ({ open }) => {
    await answers(await open("/binary"), [
      [["rest"], [[0, []]]],
      [["rest", A, B, A], [[3, [back(A), back(B), back(A)]]]],
    ]);
  },

  "in an Option": async ({ open }) => {
    await answers(await open("/binary"), [
      [["optional", A], [back(A)]],
      [["optional", null], [null]],
      [["optional"], [null]],
    ]);
  },

  "nested": async ({ open }) => {
    const file = (a, b, preview) => ({ name: "n", parts: [{ data: a }, { data: b }], preview });
    await answers(await open("/binary"), [
      [["nested", file(A, B, LARGE)], [{ ok: true, data: file(back(A), back(B), back(LARGE)) }]],
      [["nested", file(A, B, null)], [{ ok: true, data: file(back(A), back(B), null) }]],
    ]);
  },

  "flattened": async ({ open }) => {
    await answers(await open("/binary"), [
      [["flattened", { id: 1, data: A }], [{ id: 1, data: back(A) }]],
      [["flattened", { id: 2, data: A, x: B, y: EMPTY }], [{ id: 2, data: back(A), x: back(B), y: EMPTY }]],
    ]);
  },

  "untagged": async ({ open }) => {
    await answers(await open("/binary"), [
      [["untagged", 1.5], [-1.5]],
      [["untagged", A], [back(A)]],
      [["untagged", { name: "n", data: B }], [{ name: "n", data: back(B) }]],
    ]);
  },

  "internally tagged": async ({ open }) => {
    await answers(await open("/binary"), [
      [["tagged", { kind: "image", data: A }], [{ kind: "image", data: back(A) }]],
      [["tagged", { kind: "text", text: "t" }], [{ kind: "text", text: "t" }]],
    ]);
  },

  "from the server, and back": async ({ open }) => {
    const socket = await open("/binary");
    const file = { name: "ünï", parts: [{ data: A }, { data: LARGE }], preview: null };
    const changed = { name: "m", parts: [{ data: B }], preview: EMPTY };
    const event = next(socket, "file");
    const asked = new Promise((resolve) => {
      socket.once("transform", (given, answer) => {
        resolve(given);
        answer(changed);
      });
    });
    assert.deepEqual(await ask(socket, "sendBack", file), [changed]);
    assert.deepEqual(await event, [Buffer.from("ünï"), file]);
    assert.deepEqual(await asked, file);
  },

  "what is no binary is not answered": async ({ open }) => {
    const socket = await open("/binary");
    await unanswered(socket, [["top", "text"], ["top", [1, 2]], ["top"], ["lent", A, [1]]], ["optional"]);
    await answers(socket, [[["top", A], [back(A)]]]);
  },
});
