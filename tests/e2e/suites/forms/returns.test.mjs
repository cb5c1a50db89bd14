// Return types: what the acknowledgement is, and what it is for an event that was rejected.
import assert from "node:assert/strict";
import { ask } from "../../helpers/client.mjs";
import { answers, forms, unanswered } from "../../helpers/forms.mjs";

const FORMS = {
  "no return type": "no return type, asked and not asked",
  "Ack": "an empty acknowledgement",
  "T": "values",
  "Result<T, E> with E: From<Rejection>": "results whose error can say why",
  "Result<T, E> without From<Rejection>": "results whose error cannot",
  "Result<(), String>": "results without a value",
  "an alias named Result": "an alias",
  "a panic": "a panic is an error of the contract",
  "nobody asks": "no answer that nobody asked for",
};

forms(FORMS, {
  "no return type, asked and not asked": async ({ open }) => {
    const socket = await open("/returns");
    socket.emit("nothing", 1);
    await answers(socket, [
      [["nothing", 10], []],
      [["sum"], [11]],
    ]);
  },

  "an empty acknowledgement": async ({ open }) => {
    const socket = await open("/returns");
    await answers(socket, [[["empty"], []]]);
    assert.equal(await socket.emitWithAck("empty"), undefined);
  },

  "values": async ({ open }) => {
    await answers(await open("/returns"), [
      [["value"], [{ x: 1, y: -2 }]],
      [["optional", true], [7]],
      [["optional", false], [null]],
      [["tuple"], [[7, "seven"]]],
    ]);
  },

  "results whose error can say why": async ({ open }) => {
    const socket = await open("/returns");
    await answers(socket, [
      [["told", 4], [{ ok: true, data: 2 }]],
      [["told", 3], [{ ok: false, error: { code: "odd", value: 3 } }]],
    ]);
    for (const [args, message] of [
      [["three"], "event `told`, argument 0 (`value`): invalid type: expected i32"],
      [[], "event `told`, argument 0 (`value`): missing"],
    ]) {
      const error = { code: "rejected", kind: "Payload", message };
      assert.deepEqual(await ask(socket, "told", ...args), [{ ok: false, error }]);
    }
  },

  "results whose error cannot": async ({ open }) => {
    const socket = await open("/returns");
    await answers(socket, [
      [["untold", 4], [{ ok: true, data: 2 }]],
      [["untold", 3], [{ ok: false, error: { reason: "odd" } }]],
    ]);
    await unanswered(socket, [["untold", "three"], ["untold"]], ["empty"]);
  },

  "results without a value": async ({ open }) => {
    await answers(await open("/returns"), [
      [["textError", 4], [{ ok: true, data: null }]],
      [["textError", 3], [{ ok: false, error: "odd" }]],
      [["textError", {}], [{ ok: false, error: "event `textError`, argument 0 (`value`): invalid type: expected i32" }]],
    ]);
  },

  "an alias": async ({ open }) => {
    await answers(await open("/returns"), [
      [["alias", 4], [{ ok: true, data: 2 }]],
      [["alias", 3], [{ ok: false, error: { code: "odd", value: 3 } }]],
    ]);
  },

  "a panic is an error of the contract": async ({ open }) => {
    const socket = await open("/returns");
    const [{ ok, error }] = await ask(socket, "panics");
    assert.deepEqual([ok, error.code, error.kind], [false, "rejected", "Panic"]);
    await answers(socket, [[["empty"], []]]);
  },

  "no answer that nobody asked for": async ({ open }) => {
    const socket = await open("/returns");
    const packets = [];
    socket.io.on("packet", (packet) => packets.push(packet));
    for (const event of ["value", "empty", "tuple"]) socket.emit(event);
    for (const value of [4, 3, "three"]) socket.emit("told", value);
    await answers(socket, [[["sum"], [0]]]);
    assert.deepEqual(
      packets.map(({ type, data }) => [type, data]),
      [[3, [0]]],
    );
  },
});
