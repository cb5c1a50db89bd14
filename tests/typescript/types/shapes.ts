// What every awkward shape allows and forbids, as it is sent and as it is received.

import type * as One from "../generated/one.gen.js";
import type { Equal, Expect } from "./expect.js";

/** What a client sends, and what it receives, of a shape. */
type Sent<E extends keyof One.Shapes> = Parameters<One.Shapes[E]>[0];
type Received<E extends keyof One.ShapeEvents> = Parameters<One.ShapeEvents[E]>[0];

declare function send<E extends keyof One.Shapes>(event: E, value: Sent<E>): void;
declare function receive<E extends keyof One.ShapeEvents>(event: E): Received<E>;

// Structs: options, defaults, skipped and renamed fields.
send("profile", { userId: 1, old: true, "weird-key": 3 });
send("profile", { userId: 1, old: true, "weird-key": 3, displayName: null, nick: "n", limit: 1, tags: [] });
// @ts-expect-error: userId is missing
send("profile", { old: true, "weird-key": 3 });
// @ts-expect-error: a default does not make it nullable
send("profile", { userId: 1, old: true, "weird-key": 3, limit: null });
// @ts-expect-error: undefined is no value
send("profile", { userId: 1, old: true, "weird-key": 3, limit: undefined });
// @ts-expect-error: it is skipped
send("profile", { userId: 1, old: true, "weird-key": 3, secret: 1 });
const profile = receive("profile");
type _Profile = [
  Expect<Equal<typeof profile.displayName, string | null>>,
  Expect<Equal<typeof profile.limit, number>>,
  Expect<Equal<typeof profile.tags, string[]>>,
  Expect<Equal<One.Profile["nick"], string | null | undefined>>,
];
// @ts-expect-error: it is skipped
profile.secret;
send("one_way", { in: 1, password: "p" });
// @ts-expect-error: `out` is what the server writes
send("one_way", { out: 1, password: "p" });
type _OneWay = Expect<Equal<keyof One.OneWay, "out" | "computed">>;
send("defaults", {});
type _Defaults = [Expect<Equal<Required<One.Defaults>, One.Defaults>>, Expect<Equal<keyof One.Defaults, "count" | "name" | "plain">>];
send("strict", { a: 1 });
// @ts-expect-error: there is no such field
send("strict", { a: 1, c: 1 });
send("odd_names", {
  type: 1, default: 1, constructor: 1, "with space": 1, 'quo"te': 1, "1st": 1, größe: 1, $ref: 1, const: "room", "": 1,
});
// @ts-expect-error: `constructor` is a number
send("odd_names", { ...receive("odd_names"), constructor: Object });
send("empty", {});
// @ts-expect-error: it has no fields
send("empty", { a: 1 });
send("unit_struct", null);
// @ts-expect-error: it is null
send("unit_struct", {});
send("unit", null);

// Enums: externally, internally and adjacently tagged, untagged.
send("external", "Unit");
send("external", { Newtype: 1 });
send("external", { Tuple: [1, "x"] });
send("external", { Struct: { a: true } });
send("external", { EmptyStruct: {} });
// @ts-expect-error: there is no such variant
send("external", { Nope: 1 });
// @ts-expect-error: the tuple is longer
send("external", { Tuple: [1] });
const external = receive("external");
if (typeof external === "object" && "Tuple" in external) external.Tuple satisfies [number, string];
send("internal", { type: "unit" });
send("internal", { type: "struct", a_b: true });
send("internal", { type: "newtype", userId: 1, old: false, "weird-key": 1 });
// @ts-expect-error: the tag is missing
send("internal", { a_b: true });
// @ts-expect-error: the fields of another variant
send("internal", { type: "unit", a_b: true });
const internal = receive("internal");
switch (internal.type) {
  case "unit": break;
  case "newtype": internal.limit satisfies number; break;
  case "struct": internal.a_b satisfies boolean; break;
  default: internal satisfies never;
}
send("internal_empty", { kind: "Nothing" });
send("internal_empty", { kind: "Something", room: "r" });
// @ts-expect-error: the room is missing
send("internal_empty", { kind: "Something" });
send("adjacent", { t: "Unit" });
send("adjacent", { t: "Tuple", c: [1, "x"] });
// @ts-expect-error: the content of another variant
send("adjacent", { t: "Newtype", c: "x" });
const adjacent = receive("adjacent");
if (adjacent.t === "Newtype") adjacent.c satisfies number;
send("untagged", "text");
send("untagged", 1.5);
send("untagged", { x: 1 });
send("untagged", null);
// @ts-expect-error: no variant is a boolean
send("untagged", true);
type _Plain = Expect<Equal<Received<"plain">, "foo-bar" | "baz">>;
type _Single = Expect<Equal<Received<"single">, "Only">>;
type _Documented = Expect<Equal<Received<"documented">, "first" | "second" | "third">>;
type _Old = Expect<Equal<Received<"old_enum">, "Old" | "New">>;
type _Other = Expect<Equal<Received<"other_variant">, "known" | "unknown">>;
// @ts-expect-error: it is in kebab case
send("plain", "FooBar");
send("fields_renamed", { t: "ONE_THING", c: { someField: 1 } });
send("fields_renamed", { t: "two.things" });
// @ts-expect-error: fields are in camel case
send("fields_renamed", { t: "ONE_THING", c: { some_field: 1 } });
type _Never = Expect<Equal<One.Never, never>>;

// Newtypes, tuples, arrays.
type _RoomId = Expect<Equal<[Received<"room_id">, Received<"transparent">], [string, string]>>;
type _Pair = Expect<Equal<Received<"pair">, [number, string | null]>>;
send("pair", [1, null]);
// @ts-expect-error: both elements are needed
send("pair", [1]);
type _Tuple = Expect<Equal<Received<"tuple">, [number, string, [boolean, "foo-bar" | "baz" | null]]>>;
send("arrays", {
  none: [], fixed: [1, 2, 3], long: [1, 2, 3, 4, 5, 6, 7, 8, 9], matrix: [[1, 2], [3, 4]], bytes: [1], tuples: [["a", null]],
});
// @ts-expect-error: three elements
send("arrays", { ...receive("arrays"), fixed: [1, 2] });
// @ts-expect-error: no element
send("arrays", { ...receive("arrays"), none: [true] });
type _Arrays = Expect<Equal<One.Arrays["tuples"], [string, number | null][]>>;

// Maps.
const maps = receive("maps");
type _Maps = [
  Expect<Equal<One.Maps["by_name"], { [key: string]: boolean }>>,
  Expect<Equal<One.Maps["by_number"], { [key: number]: One.Plain }>>,
];
maps.by_name["a"] satisfies boolean | undefined;
// @ts-expect-error: it may not be there
maps.by_number[1] satisfies One.Plain;
send("enum_keys", { baz: 1 });
// @ts-expect-error: keys are plains
send("enum_keys", { qux: 1 });
send("signed_keys", { 1: [1, null], "-1": [1, null] });
// @ts-expect-error: values are pairs
send("signed_keys", { 1: 1 });
send("nested", { a: [[1, "baz"]] });
// @ts-expect-error: the second is a plain
send("nested", { a: [[1, "qux"]] });
send("object", { a: [1], b: null });
// @ts-expect-error: it is an object
send("object", 1);
send("value", [1, { a: null }]);
type _Value = Expect<Equal<Received<"value">, unknown>>;

// Flattened.
const flat = receive("flat");
flat.id satisfies number;
flat.label satisfies string | null;
flat["extra"] satisfies unknown;
// @ts-expect-error: nothing is known about it
flat["extra"] satisfies number;
send("flat", { id: 1, extra: [3] });
// @ts-expect-error: the id is missing
send("flat", { label: "l" });
const flatEnum = receive("flat_enum");
flatEnum.id satisfies number;
if (flatEnum.type === "struct") flatEnum.a_b satisfies boolean;
send("flat_enum", { id: 1, type: "unit" });
// @ts-expect-error: the tag is missing
send("flat_enum", { id: 1 });
send("flat_option", { id: 1 });
send("flat_option", { id: 1, room: "r" });

// Recursion and generics.
receive("tree").kids[0]?.parent?.kids satisfies One.Tree[] | undefined;
send("tree", { value: 1, kids: [{ value: 2, kids: [] }] });
// @ts-expect-error: a kid without kids
send("tree", { value: 1, kids: [{ value: 2 }] });
send("expr", { sum: [{ number: 1 }, { negated: { number: 2 } }] });
// @ts-expect-error: not an expression
send("expr", { sum: [1] });
send("folder", { name: "/", entries: [{ is: "file", size: 1 }, { is: "folder", name: "a", entries: [] }] });
const entry = receive("folder").entries[0];
if (entry?.is === "folder") entry.entries satisfies One.Entry[];
receive("page_of_profiles").items satisfies One.Profile[];
receive("page_of_plains").items satisfies One.Plain[];
send("page_of_profiles", { items: [{ userId: 1, old: true, "weird-key": 1 }] });
receive("unnamed_number").v satisfies number;
receive("unnamed_bool").v satisfies boolean;
receive("other_profile").z satisfies number;

// Options, results, boxes.
send("double_option", null);
receive("optional_profiles")[0]?.limit satisfies number | undefined;
// @ts-expect-error: it may be null
receive("optional_profiles")[0].limit;
send("outcome", { Ok: 1 });
send("outcome", { Err: "baz" });
// @ts-expect-error: as serde writes it
send("outcome", { ok: true, data: 1 });
type _Boxed = Expect<Equal<Received<"boxed">, [number, string | null] | null>>;
type _Set = Expect<Equal<Received<"set">, One.Plain[]>>;

// Numbers and text.
type _Numbers = Expect<Equal<One.Numbers[keyof One.Numbers], number>>;
type _Bounded = Expect<Equal<One.Bounded["time"], number>>;
type _StringNumber = Expect<Equal<One.StringNumber["id"], string>>;
type _Misc = [
  Expect<Equal<One.Misc["twice"], number | null>>,
  Expect<Equal<One.Misc["address"], string>>,
  Expect<Equal<One.Misc["duration"], One.Duration>>,
  Expect<Equal<One.Misc["ghost"], null>>,
  Expect<Equal<One.Misc["outcome"], { Ok: number } | { Err: string }>>,
];

// Names that collide with those of generated files.
receive("reply").to satisfies number;
receive("socket").number satisfies number;
receive("blob").shape satisfies string;
receive("record").title satisfies string;

// Binary data: more may be sent than is received.
type _Binary = Expect<Equal<Received<"binary">, ArrayBuffer | Uint8Array>>;
type _BinaryInput = Expect<Equal<Sent<"binary">, ArrayBuffer | ArrayBufferView | Blob>>;
send("upload", { name: "n", data: new Blob([]) });
send("binaries", { list: [new Uint8Array()], map: { a: new ArrayBuffer(1) }, uploads: [{ name: "n", data: new Float64Array(1) }] });
// @ts-expect-error: text is not binary
send("upload", { name: "n", data: "text" });
send("binary_enum", { t: "Bytes", c: new DataView(new ArrayBuffer(1)) });
receive("binaries").maybe satisfies Uint8Array | ArrayBuffer | null;
