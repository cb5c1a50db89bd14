// What sockets and servers share.
import assert from "node:assert/strict";
import { ask, record } from "../../helpers/client.mjs";
import { answers, forms } from "../../helpers/forms.mjs";

const FORMS = {
  "data = Type": "typed data of a socket, as others see it",
  "Socket::in_room": "typed data of a socket, as others see it",
  "cluster = Trait": "the servers of a cluster of one",
  "compress(..)": "events with and without compression",
};

forms(FORMS, {
  "typed data of a socket, as others see it": async ({ open, transports }) => {
    const room = `shared over ${transports}`;
    const [a, b, c] = await Promise.all([open("/shared"), open("/shared"), open("/shared")]);
    const profile = { name: "ann \"ü\"", home: { x: 1, y: 2 } };
    await answers(a, [
      [["get"], [null]],
      [["set", { name: "first" }], [{ ok: true, data: null }]],
      [["set", profile], [{ ok: true, data: null }]],
      [["get"], [profile]],
      [["join", room], [true]],
    ]);
    await answers(b, [[["join", room], [true]]]);
    const [seen] = await ask(c, "others", room);
    assert.deepEqual(new Map(seen), new Map([[a.id, profile], [b.id, null]]));
    const [{ ok }] = await ask(a, "set", { home: null });
    assert.equal(ok, false, "it has no name");
    await answers(a, [[["get"], [profile]]]);
  },

  "the servers of a cluster of one": async ({ open }) => {
    const socket = await open("/shared");
    const seen = record(socket);
    await answers(socket, [[["servers"], [{ answers: 0 }]]]);
    assert.deepEqual(seen, [], "clients see nothing of it");
  },

  "events with and without compression": async ({ open }) => {
    const socket = await open("/shared");
    const seen = record(socket);
    const text = "long enough to be worth it ".repeat(200);
    await answers(socket, [[["show", text], []]]);
    assert.deepEqual(seen, [["shown", text], ["shown", text]]);
  },
});
