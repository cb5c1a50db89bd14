// Names on the wire, and the options of the attributes that change nothing else.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import nodeTest from "node:test";
import { ask, next, record } from "../../helpers/client.mjs";
import { answers, forms } from "../../helpers/forms.mjs";

const FORMS = {
  "no casing": "the name of the method",
  'rename_all = "camelCase"': "camelCase",
  'rename_all = "PascalCase"': "PascalCase",
  'rename_all = "kebab-case"': "kebab-case",
  'rename_all = "snake_case"': "snake_case",
  'rename_all = "SCREAMING_SNAKE_CASE"': "SCREAMING_SNAKE_CASE",
  '#[event("wire name")]': "names with spaces, quotes and any letters",
  '#[event(name = "wire name")]': "names with spaces, quotes and any letters",
  "a keyword as name": "names with spaces, quotes and any letters",
  "emitted names": "the same names from the server",
  "schema = false": "payloads without a schema",
  "crate = path": "the crate under another name",
};

/** The method `two_words`, which emits `two_words_back`, in one casing. */
const casing = (path, answer, name, back) => async ({ open }) => {
  const socket = await open(`/names/${path}`);
  const seen = record(socket);
  assert.deepEqual(await ask(socket, name), [answer]);
  assert.deepEqual(seen, [[back]]);
};

forms(FORMS, {
  "the name of the method": casing("plain", "Plain", "two_words", "two_words_back"),
  "camelCase": casing("camel", "Camel", "twoWords", "twoWordsBack"),
  "PascalCase": casing("pascal", "Pascal", "TwoWords", "TwoWordsBack"),
  "kebab-case": casing("kebab", "Kebab", "two-words", "two-words-back"),
  "snake_case": casing("snake", "Snake", "two_words", "two_words_back"),
  "SCREAMING_SNAKE_CASE": casing("screaming", "Screaming", "TWO_WORDS", "TWO_WORDS_BACK"),

  "names with spaces, quotes and any letters": async ({ open }) => {
    await answers(await open("/names/given"), [
      [["with spaces"], [1]],
      [["key = value"], [2]],
      [['say "hi", \\ and\nmore'], [3]],
      [["ünï 世界 😀"], [4]],
      [["42"], [5]],
      [["match"], [6]],
    ]);
  },

  "the same names from the server": async ({ open }) => {
    const socket = await open("/names/given");
    const seen = record(socket);
    await ask(socket, "tell");
    assert.deepEqual(seen, [["with spaces", 1], ['say "hi", \\ and\nmore', 2], ["ünï 世界 😀", 3]]);
  },

  "payloads without a schema": async ({ open }) => {
    const socket = await open("/names/unschematic");
    const got = next(socket, "got");
    assert.deepEqual(await ask(socket, "twice", { value: 21 }), [{ value: 42 }]);
    assert.deepEqual(await got, [{ value: 21 }]);
  },

  "the crate under another name": async ({ open }) => {
    const socket = await open("/names/renamed");
    const told = next(socket, "told");
    assert.deepEqual(await ask(socket, "ask", "x"), [{ ok: true, data: "x" }]);
    assert.deepEqual(await ask(socket, "ask", 1), [
      { ok: false, error: "event `ask`, argument 0 (`text`): invalid type: expected a string" },
    ]);
    assert.deepEqual(await told, ["x"]);
  },
});

// The others are shown in `emits`, `connect` and `shared`. A new one gets a form.
nodeTest("every option of the macros has a form", () => {
  const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
  const suites = ["names", "emits", "connect", "shared"].map((name) => read(`${name}.test.mjs`)).join("");
  const source = read("../../../../socketio-macros/src/attr.rs");
  const options = [...source.matchAll(/Kind::\w+ => &\[([^\]]*)\]/g)].flatMap(([, list]) => list.match(/\w+/g));
  const casings = [...read("../../../../socketio-macros/src/casing.rs").matchAll(/"([\w-]+)" => Casing::/g)];
  assert.ok(options.includes("emits") && casings.length >= 5, "the options of the macros were not found");
  const missing = options.filter((option) => !new RegExp(`\\b${option} = `).test(suites));
  const unnamed = casings.map(([, name]) => name).filter((name) => !(`rename_all = "${name}"` in FORMS));
  assert.deepEqual([...missing, ...unnamed], [], "give it a form, in the fixture and in the table of a suite");
});
