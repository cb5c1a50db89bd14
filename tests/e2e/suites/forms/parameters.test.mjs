// Parameters: what each type takes, over the wire.
import { answers, forms, unanswered } from "../../helpers/forms.mjs";

const FORMS = {
  "T": "values of many types",
  "&T": "lent values",
  "&[T]": "lent values",
  "&str": "strings, borrowed or not",
  "Option<&str>": "optional strings",
  "Cow<str>": "strings that tell whether they were borrowed",
  "a struct that borrows": "structs that borrow",
  "trailing Option": "missing and null arguments at the end",
  "#[rest] Vec<T>": "all remaining arguments",
  "#[extract] T": "extracted parameters are not on the wire",
  "more arguments than parameters": "arguments too many are ignored",
  "an argument of another type": "arguments that do not fit are not answered",
};

const ESCAPED = 'quote " \\ and \n line, ünï 世界 😀';
const POINT = { x: 5, y: -2 };

forms(FORMS, {
  "values of many types": async ({ open }) => {
    const value = { number: 4294967295, text: ESCAPED, list: [-1, 0, 1], anything: { deep: [null, true, 1.5, ["é"]] } };
    const { number, text, list, anything } = value;
    await answers(await open("/parameters"), [
      [["owned", number, text, list, anything], [value]],
      [["owned", 0, "", [], null], [{ number: 0, text: "", list: [], anything: null }]],
    ]);
  },

  "lent values": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["lent", POINT], [3]],
      [["lentSlice", [POINT, { x: 1, y: 1 }]], [[3, 2]]],
      [["lentSlice", []], [[]]],
    ]);
  },

  "strings, borrowed or not": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["text", "plain"], ["PLAIN"]],
      [["text", ESCAPED], [ESCAPED.toUpperCase()]],
      [["text", ""], [""]],
    ]);
  },

  "optional strings": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["optionalText", "x"], [{ text: "x" }]],
      [["optionalText", ESCAPED], [{ text: ESCAPED }]],
      [["optionalText", null], [{ text: null }]],
      [["optionalText", undefined], [{ text: null }]],
      [["optionalText"], [{ text: null }]],
    ]);
  },

  "strings that tell whether they were borrowed": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["cow", "borrowed ünï"], [["borrowed ünï", true]]],
      [["cow", ESCAPED], [[ESCAPED, false]]],
    ]);
  },

  "structs that borrow": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["borrowing", { text: "plain", stars: 5 }], [{ text: "plain", stars: 5, borrowed: true }]],
      [["borrowing", { text: ESCAPED }], [{ text: ESCAPED, stars: null, borrowed: false }]],
    ]);
  },

  "missing and null arguments at the end": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["optionalTail", 1], [[1, null, null]]],
      [["optionalTail", 1, 2], [[1, 2, null]]],
      [["optionalTail", 1, null, POINT], [[1, null, POINT]]],
      [["optionalTail", 1, undefined, POINT], [[1, null, POINT]]],
    ]);
  },

  "all remaining arguments": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["rest", "a"], [["a", []]]],
      [["rest", "a", 1, -2, Number.MAX_SAFE_INTEGER], [["a", [1, -2, Number.MAX_SAFE_INTEGER]]]],
    ]);
  },

  "extracted parameters are not on the wire": async ({ open }) => {
    await answers(await open("/parameters"), [
      [["extracted", "a"], [{ ok: true, data: [true, "a", 1] }]],
      [["extracted", "a", "b"], [{ ok: true, data: [true, "a", 2] }]],
      [["extracted", "a", "b", "c"], [{ ok: false, error: "too many arguments" }]],
    ]);
  },

  "arguments too many are ignored": async ({ open }) => {
    await answers(await open("/parameters"), [[["text", "a", { more: [1] }, null], ["A"]]]);
  },

  "arguments that do not fit are not answered": async ({ open }) => {
    const wrong = [
      ["text"],
      ["text", 1],
      ["text", null],
      ["lent", { x: 1 }],
      ["lentSlice", POINT],
      ["optionalText", 1],
      ["optionalTail", 1, "two"],
      ["rest", "a", 1, "two"],
      ["owned", -1, "", [], null],
    ];
    const socket = await open("/parameters");
    await unanswered(socket, wrong, ["text", "done"]);
    await answers(socket, [[["lent", POINT], [3]]]);
  },
});
