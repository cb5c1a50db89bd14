// Dynamic namespaces: path parameters, predicates, one child and all of them.
import assert from "node:assert/strict";
import { ask, next, record } from "../../helpers/client.mjs";
import { base } from "../../helpers/core.mjs";
import { answers, forms } from "../../helpers/forms.mjs";

const FORMS = {
  "NsPath of a tuple": "parameters as a tuple",
  "NsPath of a struct": "parameters as a struct",
  "NsPath of an enum": "a parameter as an enum",
  "a parameter that does not parse": "parameters that do not parse refuse the client",
  "a path of another shape": "paths of another shape are unknown",
  "namespace_matching": "a predicate decides",
  "socket.namespace() of a child": "children are apart",
  "of().at(path)": "one child from outside",
  "of() of a dynamic namespace": "all children from outside",
};

/** What another program would do: emit by way of an HTTP handler. */
async function announce(query) {
  const url = new URL(`/announce?${new URLSearchParams(query)}`, base);
  const { status } = await fetch(url, { method: "POST" });
  return status;
}

forms(FORMS, {
  "parameters as a tuple": async ({ open }) => {
    await answers(await open("/org/acme/team/3"), [[["name"], ["team 3 of acme"]]]);
    await answers(await open("/org/ünï world/team/0"), [[["name"], ["team 0 of ünï world"]]]);
  },

  "parameters as a struct": async ({ open }) => {
    await answers(await open("/country/no/plot/18446744073709551615"), [[["place"], ["18446744073709551615 in no"]]]);
  },

  "a parameter as an enum": async ({ open }) => {
    await answers(await open("/plan/free"), [[["price"], [0]]]);
    await answers(await open("/plan/paid"), [[["price"], [7]]]);
  },

  "parameters that do not parse refuse the client": async ({ refuse }) => {
    for (const [path, message] of [
      ["/org/acme/team/x", "invalid namespace path: `team` is no u32"],
      ["/org/acme/team/4294967296", "invalid namespace path: `team` is no u32"],
      ["/country/no/plot/-1", "invalid namespace path: `plot` is no u64"],
      ["/plan/cheap", "invalid namespace path: `level` is none of free, paid"],
    ]) {
      assert.deepEqual(await refuse(path), { message }, path);
    }
  },

  "paths of another shape are unknown": async ({ refuse }) => {
    for (const path of ["/org/acme/team", "/org/acme/team/3/4", "/org//team/3", "/org/acme/teams/3", "/plan", "/plan/{level}/"]) {
      assert.deepEqual(await refuse(path), { message: "Invalid namespace" }, path);
    }
  },

  "a predicate decides": async ({ open, refuse }) => {
    const socket = await open("/even/42");
    const told = next(socket, "told");
    await answers(socket, [[["half"], [21]]]);
    assert.deepEqual(await told, ["/even/42"]);
    for (const path of ["/even/41", "/even/x", "/even"]) {
      assert.deepEqual(await refuse(path), { message: "Invalid namespace" }, path);
    }
  },

  "children are apart": async ({ open }) => {
    const [a, b, c] = await Promise.all(["/org/apart/team/1", "/org/apart/team/1", "/org/apart/team/2"].map((path) => open(path)));
    const seen = [a, b, c].map(record);
    await ask(a, "here", "one");
    await ask(c, "here", "two");
    await Promise.all([a, b, c].map((socket) => ask(socket, "name")));
    assert.deepEqual(seen, [[["news", "one"]], [["news", "one"]], [["news", "two"]]]);
  },

  "one child from outside": async ({ open }) => {
    const [a, b] = await Promise.all(["/org/one/team/1", "/org/one/team/2"].map((path) => open(path)));
    const seen = [a, b].map(record);
    assert.equal(await announce({ child: "/org/one/team/2", text: "for two" }), 204);
    assert.equal(await announce({ child: "/org/one", text: "for nobody" }), 404);
    await Promise.all([a, b].map((socket) => ask(socket, "name")));
    assert.deepEqual(seen, [[], [["news", "for two"]]]);
  },

  "all children from outside": async ({ open }) => {
    const sockets = await Promise.all(["/org/all/team/1", "/org/all/team/2", "/org/other/team/1"].map((path) => open(path)));
    const seen = sockets.map(record);
    assert.equal(await announce({ text: "for all" }), 204);
    await Promise.all(sockets.map((socket) => ask(socket, "name")));
    assert.deepEqual(seen, Array(3).fill([["news", "for all"]]));
  },
});
