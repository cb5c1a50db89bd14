// Values of every shape that a client may send. That they type-check says what the generated types allow; that the server takes
// them, that the types do not promise too much.

import type { Shapes } from "../generated/one.gen.js";

/** The arguments of an event, without the callback. */
type Arguments<F> = F extends (...args: infer P) => void ? (P extends [...infer I, (...reply: any[]) => void] ? I : P) : never;

const bytes = (...values: number[]) => Uint8Array.from(values);
const profile = { userId: 9007199254740991, old: false, "weird-key": -128 };
const full = { ...profile, displayName: "Ann", tags: ["a", "b"], nick: "n", limit: 4294967295 };

export const samples: { [E in keyof Shapes]: Arguments<Shapes[E]>[] } = {
  profile: [[profile], [full], [{ ...profile, displayName: null, nick: null }]],
  external: [["Unit"], [{ Newtype: -1 }], [{ Tuple: [255, ""] }], [{ Struct: { a: true } }], [{ EmptyStruct: {} }]],
  internal: [[{ type: "unit" }], [{ type: "newtype", ...full }], [{ type: "struct", a_b: false }]],
  adjacent: [[{ t: "Unit" }], [{ t: "Newtype", c: 1 }], [{ t: "Tuple", c: [0, "x"] }], [{ t: "Struct", c: { a: true } }]],
  untagged: [["text"], [-1.5], [{ x: 3 }], [null]],
  plain: [["foo-bar"], ["baz"]],
  single: [["Only"]],
  room_id: [["room"], [""]],
  transparent: [["\u0000 \u2028 \" \\ 😀"]],
  pair: [[[1, null]], [[2, "two"]]],
  unit_struct: [[null]],
  empty: [[{}]],
  internal_empty: [[{ kind: "Nothing" }], [{ kind: "Something", room: "r" }]],
  tree: [[{ value: 1, kids: [{ value: 2, kids: [], parent: { value: 3, kids: [] } }], parent: null }]],
  expr: [[{ number: 0.5 }], [{ sum: [{ negated: { number: 1 } }, { sum: [] }] }]],
  folder: [[{ name: "/", entries: [{ is: "file", size: 0 }, { is: "folder", name: "a", entries: [] }] }]],
  page_of_profiles: [[{ items: [profile, full] }], [{ items: [], next: 2 }]],
  page_of_plains: [[{ items: ["baz"], next: null }]],
  unnamed_number: [[{ v: 0 }]],
  unnamed_bool: [[{ v: true }]],
  other_profile: [[{ z: 7 }]],
  flat: [[{ id: 1 }], [{ id: 1, label: "l", extra: [1, { deep: null }], more: "text" }]],
  flat_enum: [[{ id: 1, type: "unit" }], [{ id: 2, type: "struct", a_b: true }], [{ id: 3, type: "newtype", ...profile }]],
  flat_option: [[{ id: 1 }], [{ id: 1, room: "r" }]],
  maps: [[{ by_name: { a: true }, by_number: { 3: "baz" }, by_char: { c: 1 }, set: ["baz", "foo-bar"] }]],
  enum_keys: [[{ baz: 1, "foo-bar": 2 }], [{}]],
  signed_keys: [[{ "-1": [1, null], 2: [2, "x"] }]],
  documented_keys: [[{ first: 1, third: 3 }]],
  arrays: [
    [{ none: [], fixed: [1, 2, 3.5], long: [1, 2, 3, 4, 5, 6, 7, 8, 65535], matrix: [[1, 2], [3, 4]], bytes: [0, 255], tuples: [["a", 1], ["b", null]] }],
  ],
  misc: [
    [{
      any: { a: [1, "x", null] }, outcome: { Ok: 1 }, unit: null, twice: 3, address: "::1", duration: { secs: 1, nanos: 999999999 },
      range: { start: 1, end: 2 }, text: "t", letter: "ß", boxed: "b", ghost: null,
    }],
    [{
      any: null, outcome: { Err: "e" }, unit: null, twice: null, address: "127.0.0.1", duration: { secs: 0, nanos: 0 },
      range: { start: 0, end: 0 }, text: "", letter: "😀", boxed: "", ghost: null,
    }],
  ],
  numbers: [[{ tiny: -128, small: 32767, float: 0.5, double: 1e300, big: -9007199254740991, huge: 1, size: 0, not_zero: 255 }]],
  bounded: [[{ time: 8640000000000000 }]],
  one_way: [[{ in: 1, password: "p" }]],
  defaults: [[{}], [{ count: 0, name: "n", plain: "baz" }], [{ plain: null }]],
  odd_names: [
    [{ type: 1, default: 2, constructor: 3, "with space": 4, 'quo"te': 5, "1st": 6, größe: 7, $ref: 8, const: "c", "": 9 }],
  ],
  strict: [[{ a: 1 }], [{ a: 1, b: 2 }]],
  documented: [["first"], ["second"], ["third"]],
  old_enum: [["Old"], ["New"]],
  other_variant: [["known"], ["unknown"]],
  fields_renamed: [[{ t: "ONE_THING", c: { someField: 1, otherField: true } }], [{ t: "two.things" }]],
  reply: [[{ to: 1 }]],
  socket: [[{ number: 1 }]],
  blob: [[{ shape: "s" }]],
  record: [[{ title: "t" }]],
  upload: [[{ name: "n", data: bytes(1, 2, 3) }], [{ name: "empty", data: new ArrayBuffer(0) }]],
  binaries: [
    [{ list: [], map: {}, uploads: [] }],
    [{ maybe: bytes(1), list: [bytes(2), bytes()], map: { a: bytes(3) }, uploads: [{ name: "u", data: bytes(4) }] }],
  ],
  binary: [[bytes(0, 255)]],
  binary_enum: [[{ t: "Bytes", c: bytes(1) }], [{ t: "Text", c: "t" }]],
  string_number: [[{ id: "18446744073709551615" }]],
  optional_profiles: [[[]], [[null, profile]]],
  double_option: [[], [null], [[1, null]]],
  nested: [[{ a: [[1, "baz"], [2, "foo-bar"]], b: [] }]],
  set: [[["baz"]], [[]]],
  value: [[null], [1.5], [{ a: [true, "x"] }], [[[]]]],
  object: [[{}], [{ a: { b: null } }]],
  unit: [[null]],
  tuple: [[[1, "x", [true, "baz"]]], [[-1, "", [false, null]]]],
  outcome: [[{ Ok: 255 }], [{ Err: "baz" }]],
  boxed: [[null], [[1, "x"]]],
  optional: [[1], [1, "b"], [1, null, 2]],
  optional_acked: [[1], [1, "b"], [1, null, 2]],
  leading_option: [[null, 1], [1, 2]],
  variadic: [[1], [1, "a", "b"]],
  variadic_acked: [[1], [1, null], [1, 2, "baz", "foo-bar"]],
  "kebab-name with spaces": [[1, "this", true]],
  lent: [[full, ["baz"]], [profile, []]],
  ping: [[]],
  gone: [[]],
  ask_me: [[{ name: "n", data: bytes(5, 6) }]],
  count_me: [[["a", "b"]], [[]]],
  emit_rest: [[]],
};
