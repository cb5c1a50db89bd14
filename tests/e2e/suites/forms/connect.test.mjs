// Connecting: extractors, refusals, what happens before the client is accepted.
import assert from "node:assert/strict";
import { ask, client, connected, next, record } from "../../helpers/client.mjs";
import { answers, forms } from "../../helpers/forms.mjs";

const FORMS = {
  "auth = Type": "everything about a client",
  "Socket<N>, Auth<T>, State, HeaderMap, Query, own extractors": "everything about a client",
  "join and emit before the client is accepted": "greeted right behind the answer",
  "Err(ConnectError)": "refused by the handler",
  "a FromConnect that refuses": "refused by an extractor",
  "a FromRequestParts that refuses": "refused by an extractor of axum",
  "auth of another type": "refused for an auth payload of another shape",
  "auth = Option<T>": "optional auth",
  "an error type of one's own": "refused with an error type of one's own",
  "a path that nobody has": "refused where there is no namespace",
};

const PATH = "/connect";

forms(FORMS, {
  "everything about a client": async ({ open }) => {
    const socket = await open(PATH, { auth: { token: "t" }, query: { page: 3 }, extraHeaders: { "x-agent": "007" } });
    await answers(socket, [[["seen"], [{ token: "t", page: 3, agent: "007", host: true, fresh: true }]]]);
  },

  "greeted right behind the answer": async ({ transports }) => {
    const socket = client(PATH, { transports, auth: { token: "t" } });
    const greeting = next(socket, "greeting");
    await connected(socket);
    assert.deepEqual(await greeting, [`hello ${socket.id} in ${PATH}`]);
  },

  "refused by the handler": async ({ open, refuse, transports }) => {
    assert.deepEqual(await refuse(PATH, { auth: { token: "wrong" } }), { message: "unauthorized", data: { code: 7 } });
    // The connection lives: another namespace of it can be joined, and this one with better auth.
    const socket = await open("/connect/optional");
    const again = socket.io.socket(PATH, { auth: { token: "wrong" } });
    const seen = record(again);
    const [error] = await next(again, "connect_error");
    assert.equal(error.message, "unauthorized");
    assert.deepEqual(seen, [], "what was emitted before is dropped");
    again.auth = { token: "t" };
    await connected(again.connect());
    assert.equal((await ask(again, "seen"))[0].token, "t");
    assert.equal(again.io, socket.io, transports);
  },

  "refused by an extractor": async ({ refuse }) => {
    assert.deepEqual(await refuse(PATH, { auth: { token: "evil" } }), { message: "evil", data: { retry: false } });
  },

  "refused by an extractor of axum": async ({ refuse }) => {
    const teapot = { auth: { token: "t" }, extraHeaders: { "x-agent": "teapot" } };
    assert.deepEqual(await refuse(PATH, teapot), { message: "no tea", data: { status: 418 } });
    const { data } = await refuse(PATH, { auth: { token: "t" }, query: { page: "three" } });
    assert.deepEqual(data, { status: 400 });
  },

  "refused for an auth payload of another shape": async ({ refuse }) => {
    for (const auth of [undefined, {}, { token: 1 }]) {
      const { message, data } = await refuse(PATH, { auth });
      assert.match(message, /^invalid auth/);
      assert.equal(data, undefined);
    }
  },

  "optional auth": async ({ open }) => {
    await answers(await open("/connect/optional"), [[["token"], [null]]]);
    await answers(await open("/connect/optional", { auth: { token: "t" } }), [[["token"], ["t"]]]);
  },

  "refused with an error type of one's own": async ({ refuse }) => {
    assert.deepEqual(await refuse("/connect/optional", { auth: { token: "banned" } }), { message: "banned" });
  },

  "refused where there is no namespace": async ({ refuse }) => {
    assert.deepEqual(await refuse("/connect/nowhere"), { message: "Invalid namespace" });
  },
});
