// Emitters: every form of address, calls of one and of many clients, raw events, both directions.
import assert from "node:assert/strict";
import { ask, next, record } from "../../helpers/client.mjs";
import { eventually } from "../../helpers/core.mjs";
import { answers, forms } from "../../helpers/forms.mjs";

const FORMS = {
  "emits = Trait": "to one client",
  "socket.emit(), try_emit(), timeout(..)": "to one client",
  "socket.volatile(), namespace().volatile()": "volatile events",
  "#[event(volatile)]": "volatile events",
  "to, except, broadcast": "to rooms, and to all but some",
  "to, except, timeout, local of a namespace": "to rooms, and to all but some",
  "the same name in both directions": "one name, both ways",
  "emit_raw": "raw events",
  "a reserved name in emit_raw": "raw events",
  "a call: T": "calls of one client",
  "a call: Result<T, E>": "calls of one client",
  "a call: Ack": "calls of one client",
  "a call with timeout(..)": "calls of one client",
  "a call of many, as Vec": "calls of many clients",
  "a call of many, as Stream": "answers of many clients, one by one",
};

const told = (address) => ["told", address, { x: 1, y: 2 }, 3];

forms(FORMS, {
  "to one client": async ({ open }) => {
    const [socket, other] = await Promise.all([open("/emits"), open("/emits")]);
    const seen = [record(socket), record(other)];
    const addresses = ["one", "try", "oneTimeout", "oneTimeoutTry", "toOne"];
    for (const address of addresses) await answers(socket, [[["tell", address, "", ""], []]]);
    await answers(other, [[["join", []], []]]);
    assert.deepEqual(seen, [addresses.map(told), []]);
  },

  "volatile events": async ({ open }) => {
    const [socket, other] = await Promise.all([open("/emits"), open("/emits")]);
    const seen = [record(socket), record(other)];
    const came = (events, event) => events.some((given) => JSON.stringify(given) === JSON.stringify(event));
    // They may be dropped, so they are asked for until one has come.
    const until = (what, question, events, event) =>
      eventually(what, async () => {
        await ask(socket, ...question);
        return came(events, event);
      });
    await until("#[event(volatile)]", ["lose", 7], seen[0], ["lost", 7]);
    await until("one, volatile", ["tell", "oneVolatile", "", ""], seen[0], told("oneVolatile"));
    await until("all, volatile, here", ["tell", "allVolatile", "", ""], seen[0], told("allVolatile"));
    await until("all, volatile, there", ["tell", "allVolatile", "", ""], seen[1], told("allVolatile"));
  },

  "to rooms, and to all but some": async ({ open }) => {
    // `a` speaks, `b` is in one room, `c` in both, `d` in none.
    const sockets = await Promise.all(["a", "b", "c", "d"].map(() => open("/emits")));
    const rooms = [[], ["blue"], ["blue", "red"], []];
    await Promise.all(sockets.map((socket, i) => ask(socket, "join", rooms[i])));
    const seen = sockets.map(record);
    const expected = {
      to: "bc",
      union: "bc",
      // An address that starts at a socket leaves that socket out.
      except: "d",
      toExcept: "b",
      broadcast: "bcd",
      all: "abcd",
      allTo: "bc",
      allExcept: "ad",
      allTimeout: "abcd",
      local: "abcd",
      toLocal: "bc",
    };
    for (const address of Object.keys(expected)) {
      await answers(sockets[0], [[["tell", address, "blue", "red"], []]]);
    }
    for (const [i, name] of [..."abcd"].entries()) {
      await answers(sockets[i], [[["join", []], []]]);
      const mine = Object.keys(expected).filter((address) => expected[address].includes(name));
      assert.deepEqual(seen[i], mine.map(told), name);
    }
    await answers(sockets[1], [[["leave", "blue"], []]]);
    const last = next(sockets[2], "told");
    await answers(sockets[0], [[["tell", "to", "blue", ""], []]]);
    assert.deepEqual(await last, told("to").slice(1));
    await answers(sockets[1], [[["join", []], []]]);
    assert.equal(seen[1].filter(([, address]) => address === "to").length, 1, "it has left");
  },

  "one name, both ways": async ({ open }) => {
    const socket = await open("/emits");
    const message = next(socket, "message");
    await answers(socket, [[["message", "hé\n"], []]]);
    assert.deepEqual(await message, ["hé\n"]);
  },

  "raw events": async ({ open }) => {
    const [socket, other] = await Promise.all([open("/emits"), open("/emits")]);
    const seen = [record(socket), record(other)];
    await answers(socket, [
      [["raw", false, "any name ü", [1, { a: [null] }]], [{ ok: true, data: null }]],
      [["raw", true, "to all", []], [{ ok: true, data: null }]],
      [["raw", false, "disconnect", []], [{ ok: false, error: "the event name `disconnect` is reserved by Socket.IO: choose another" }]],
    ]);
    await answers(other, [[["join", []], []]]);
    assert.deepEqual(seen, [[["any name ü", 1, { a: [null] }], ["to all"]], [["to all"]]]);
  },

  "calls of one client": async ({ open }) => {
    const socket = await open("/emits");
    let asked = 0;
    socket.on("sum", (a, b, answer) => {
      asked++;
      if (a < 0) return;
      answer(b < 0 ? "no number" : a + b);
    });
    socket.on("check", (value, answer) => {
      answer(value % 2 ? { ok: false, error: { why: "odd" } } : { ok: true, data: `even ${value}` });
    });
    socket.on("done", (answer) => answer());
    await answers(socket, [
      [["askOne", 2, 3, true], [{ value: 5 }]],
      [["askOne", 2, 3, false], [{ value: 5 }]],
      [["askOne", 2, -1, true], ["decode"]],
      [["askOne", -1, 0, false], ["timeout"]],
      [["askCheck", 2], [{ value: "even 2" }]],
      [["askCheck", 3], [{ rejected: 'Refusal { why: "odd" }' }]],
      [["askDone"], [{ value: "acknowledged" }]],
    ]);
    assert.equal(asked, 4);
  },

  "calls of many clients": async ({ open, transports }) => {
    const room = `many over ${transports}`;
    const sockets = await Promise.all([0, 1, 2, 3].map(() => open("/emits")));
    await Promise.all(sockets.slice(0, 3).map((socket) => ask(socket, "join", [room])));
    sockets[0].on("sum", (a, b, answer) => answer(a + b));
    sockets[1].on("sum", (a, b, answer) => answer("no number"));
    // The third does not listen, the fourth is not in the room.
    const seen = record(sockets[3]);
    const [results] = await ask(sockets[3], "askMany", room);
    assert.deepEqual(new Map(results), new Map([[sockets[0].id, { value: 5 }], [sockets[1].id, "decode"], [sockets[2].id, "timeout"]]));
    await answers(sockets[3], [[["askMany", "nobody is in here"], [[]]]]);
    assert.deepEqual(seen, []);
  },

  "answers of many clients, one by one": async ({ open, transports }) => {
    const room = `stream over ${transports}`;
    const [asker, ...sockets] = await Promise.all([0, 1, 2, 3].map(() => open("/emits")));
    await Promise.all(sockets.map((socket) => ask(socket, "join", [room])));
    const listening = sockets.map((socket) => new Promise((resolve) => socket.once("sum", (a, b, answer) => resolve(answer))));
    const count = ask(asker, "askStream", room);
    const answer = await Promise.all(listening);
    // Each answer is passed on before the next is given, and in the order in which they are given.
    for (const [i, n] of [[2, 20], [0, "no number"], [1, 10]]) {
      const answered = next(asker, "answered");
      answer[i](n);
      assert.deepEqual(await answered, [sockets[i].id, typeof n === "number" ? n : null]);
    }
    assert.deepEqual(await count, [3]);
  },
});
