// What the suites of forms share: a table of forms, and cases that run over every transport.
import assert from "node:assert/strict";
import nodeTest from "node:test";
import { describe, test } from "./core.mjs";
import { TRANSPORTS, ask, client, connect } from "./client.mjs";

/**
 * Runs `cases` (title: function) over every transport. `table` (form: title) says what they are for: each form has a case,
 * and each case a form.
 *
 * A case gets `open(namespace, options)`, which connects, `refuse(namespace, options)`, which expects not to, and `answers`.
 */
export function forms(table, cases) {
  nodeTest("every form has a case, and every case a form", () => {
    const titles = new Set(Object.values(table));
    const without = Object.entries(table).filter(([, title]) => typeof cases[title] !== "function");
    assert.deepEqual(without, [], "write the case");
    assert.deepEqual(Object.keys(cases).filter((title) => !titles.has(title)), [], "name the form in the table");
  });
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    const open = (namespace, options) => connect(namespace, { transports, ...options });
    const refuse = (namespace, options) => {
      const socket = client(namespace, { transports, ...options });
      return new Promise((resolve, reject) => {
        socket.once("connect_error", ({ message, data }) => resolve(data === undefined ? { message } : { message, data }));
        socket.once("connect", () => reject(new Error(`${namespace} took the client in`)));
      });
    };
    describe(`over ${name}`, () => {
      for (const [title, run] of Object.entries(cases)) test(title, () => run({ open, refuse, transports }));
    });
  }
}

/** Asks `[[event, ...arguments], acknowledgement]` one after the other; the acknowledgement is all of its arguments. */
export async function answers(socket, questions) {
  for (const [[event, ...args], expected] of questions) {
    assert.deepEqual(await ask(socket, event, ...args), expected, JSON.stringify([event, ...args]));
  }
}

/**
 * Asks questions that nobody answers, then `sync`, which is answered after anything that they could have been answered with.
 */
export async function unanswered(socket, questions, sync) {
  const answered = [];
  for (const [event, ...args] of questions) socket.emit(event, ...args, () => answered.push(event));
  await ask(socket, ...sync);
  assert.deepEqual(answered, []);
}
