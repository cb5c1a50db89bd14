// Events known only at run time.
import assert from "node:assert/strict";
import { ask, next } from "../../helpers/client.mjs";
import { eventually } from "../../helpers/core.mjs";
import { answers, forms, unanswered } from "../../helpers/forms.mjs";

const FORMS = {
  "namespace_at::<Untyped>": "arguments pass through untouched",
  "namespace_matching::<Untyped>": "at every path of a predicate",
  "emit_body, ask_body": "events and answers are passed on",
  "Socket::answer, Outcome::Answered": "answered before the handler ends",
  "Outcome::RejectedWith": "refused with an answer",
  "Outcome::Unhandled": "left to nobody",
  "Service::disconnected": "the end is told",
};

const ARGS = ["é\n", 1.5, null, { a: [Buffer.from([1, 2])] }, [], Buffer.from([3])];

forms(FORMS, {
  "arguments pass through untouched": async ({ open }) => {
    await answers(await open("/untyped", { auth: { deep: [1] } }), [
      [["auth"], [{ deep: [1] }, "/untyped"]],
      [["echo", ...ARGS], ARGS],
      [["echo"], []],
    ]);
  },

  "at every path of a predicate": async ({ open, refuse }) => {
    await answers(await open("/any/thing/at all"), [[["auth"], [{}, "/any/thing/at all"]]]);
    assert.deepEqual(await refuse("/any"), { message: "Invalid namespace" });
  },

  "events and answers are passed on": async ({ open }) => {
    const socket = await open("/untyped");
    const back = next(socket, "back");
    socket.emit("back", ...ARGS);
    assert.deepEqual(await back, ARGS);
    socket.on("question", (a, b, answer) => answer(b, a, Buffer.from([9])));
    await answers(socket, [[["ask", 1, "two"], ["two", 1, Buffer.from([9])]]]);
  },

  "answered before the handler ends": async ({ open }) => {
    await answers(await open("/untyped"), [[["first", ...ARGS], ARGS.slice(0, 1)]]);
  },

  "refused with an answer": async ({ open }) => {
    await answers(await open("/untyped"), [[["refuse"], ["refused"]]]);
  },

  "left to nobody": async ({ open }) => {
    await unanswered(await open("/untyped"), [["unheard of", 1]], ["echo"]);
  },

  "the end is told": async ({ open }) => {
    const [witness, socket] = await Promise.all([open("/untyped"), open("/any/body")]);
    const { id } = socket;
    socket.disconnect();
    const reason = await eventually("a report", async () => (await ask(witness, "report", id))[0]);
    assert.equal(reason, "client namespace disconnect");
  },
});
