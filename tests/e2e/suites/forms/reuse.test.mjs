// One contract, many sessions.
import assert from "node:assert/strict";
import { ask, record } from "../../helpers/client.mjs";
import { answers, forms } from "../../helpers/forms.mjs";

const FORMS = {
  "shared(..)": "one session for all clients",
  "namespace_at(..)": "another impl at other paths",
  "several impls of one trait": "another impl at other paths",
  "impl<W> Contract for Session<W>": "a generic session",
  "impl<G: Contract> Contract for Decorator<G>": "a decorator around a session",
};

forms(FORMS, {
  "one session for all clients": async ({ open }) => {
    const [a, b] = await Promise.all([open("/reuse"), open("/reuse")]);
    const [before] = await ask(a, "count");
    await answers(a, [[["greet", "ann"], ["hello ann"]]]);
    await answers(b, [[["greet", "bob"], ["hello bob"]]]);
    await answers(a, [[["count"], [before + 2]]]);
    await answers(b, [[["count"], [before + 2]]]);
  },

  "another impl at other paths": async ({ open }) => {
    const sockets = await Promise.all(["/reuse", "/reuse/fr", "/reuse/fr", "/reuse/fr-too"].map((path) => open(path)));
    const seen = sockets.map(record);
    await answers(sockets[1], [
      [["greet", "ann"], ["bonjour ann"]],
      [["count"], [0]],
      [["all"], []],
    ]);
    await answers(sockets[3], [[["greet", "ann"], ["bonjour ann"]], [["all"], []]]);
    await answers(sockets[0], [[["greet", "ann"], ["hello ann"]], [["all"], []]]);
    await answers(sockets[2], [[["greet", "bob"], ["bonjour bob"]]]);
    assert.deepEqual(seen, [[], [["greeted", "/reuse/fr"]], [["greeted", "/reuse/fr"]], [["greeted", "/reuse/fr-too"]]]);
  },

  "a generic session": async ({ open }) => {
    await answers(await open("/reuse/de"), [
      [["greet", "ann"], ["guten Tag ann"]],
      [["count"], [0]],
      [["all"], []],
    ]);
  },

  "a decorator around a session": async ({ open }) => {
    const [a, b] = await Promise.all([open("/reuse/counted"), open("/reuse/counted")]);
    await answers(a, [
      [["greet", "ann"], ["guten Tag ann!"]],
      [["greet", "bob"], ["guten Tag bob!"]],
      [["count"], [2]],
    ]);
    await answers(b, [[["count"], [0]]]);
  },
});
