// Hooks, optional handlers, helpers, receivers, and attributes of Rust on events.
import assert from "node:assert/strict";
import { ask, next, record } from "../../helpers/client.mjs";
import { eventually } from "../../helpers/core.mjs";
import { answers, forms, unanswered } from "../../helpers/forms.mjs";

const FORMS = {
  "#[middleware]": "middleware is asked before every event, known or not",
  "#[fallback]": "unknown events reach the fallback",
  "#[disconnect]": "the disconnect hook knows the reason and the rooms",
  "a default body": "optional handlers",
  "a helper": "a helper is no event",
  "self: Arc<Self>": "a handler that spawns",
  "#[cfg]": "events that are compiled in and out",
  "#[deprecated]": "a deprecated event",
};

forms(FORMS, {
  "middleware is asked before every event, known or not": async ({ open }) => {
    const socket = await open("/hooks");
    const seen = record(socket);
    await answers(socket, [
      [["guarded", "fine"], [{ ok: true, data: "fine" }]],
      [["guarded", "forbidden"], [{ ok: false, error: "not you" }]],
    ]);
    await unanswered(socket, [["unheard of", "forbidden"], ["report", "forbidden"]], ["guarded", "fine"]);
    assert.deepEqual(seen, []);
  },

  "unknown events reach the fallback": async ({ open }) => {
    const socket = await open("/hooks");
    const told = next(socket, "unknownWas");
    socket.emit("unheard of", 1, "two", [3], { four: null });
    assert.deepEqual(await told, ["unheard of", [1, "two", [3], { four: null }]]);
    const asked = next(socket, "unknownWas");
    await answers(socket, [[["nor this"], []]]);
    assert.deepEqual(await asked, ["nor this", []]);
  },

  "the disconnect hook knows the reason and the rooms": async ({ open }) => {
    const witness = await open("/hooks");
    const report = (id) => eventually("a report", async () => (await ask(witness, "report", id))[0]);
    const ends = {
      "client namespace disconnect": (socket) => socket.disconnect(),
      "server namespace disconnect": (socket) => socket.emit("disconnectMe"),
    };
    for (const [reason, end] of Object.entries(ends)) {
      const socket = await open("/hooks");
      const { id } = socket;
      assert.deepEqual(await ask(witness, "report", id), [null]);
      end(socket);
      assert.deepEqual(await report(id), { reason, rooms: 2 });
    }
    const socket = await open("/hooks");
    const { id } = socket;
    // Without leaving its namespace first.
    socket.io.engine.close();
    assert.match((await report(id)).reason, /^transport (close|error)$/);
  },

  "optional handlers": async ({ open }) => {
    await answers(await open("/hooks"), [
      [["byDefault", 21], [42]],
      [["overridden", 21], [43]],
      [["ignored", 1], []],
    ]);
  },

  "a helper is no event": async ({ open }) => {
    const socket = await open("/hooks");
    for (const name of ["twice", "allow", "left", "unknown"]) {
      const told = next(socket, "unknownWas");
      socket.emit(name, 1);
      assert.deepEqual(await told, [name, [1]]);
    }
  },

  "a handler that spawns": async ({ open }) => {
    await answers(await open("/hooks"), [[["spawning", 21], [42]]]);
  },

  "events that are compiled in and out": async ({ open }) => {
    const socket = await open("/hooks");
    await answers(socket, [[["compiledIn"], [true]]]);
    const told = next(socket, "unknownWas");
    socket.emit("compiledOut");
    assert.deepEqual(await told, ["compiledOut", []]);
  },

  "a deprecated event": async ({ open }) => {
    await answers(await open("/hooks"), [[["outdated"], ["still here"]]]);
  },
});
