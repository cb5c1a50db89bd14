// Arguments that are easily damaged on the way: through JSON, through msgpack, through base64.

const bytes = (...list) => Buffer.from(list);

/** Node's msgpack writer damages integral numbers beyond 64 bits; ours must not. */
const damages = (kind, env) => kind === "node" && env.ADAPTER !== "streams";

export const PAYLOADS = {
  nothing: { args: [] },
  null: { args: [null, [null], { n: null }] },
  booleans: { args: [true, false] },
  "small numbers": { args: [0, 1, -1, 31, 32, -32, -33, 127, 128, -128, -129, 255, 256, 65535, 65536, -32768, -32769] },
  "large numbers": {
    args: [2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53, 2 ** 62],
  },
  "numbers beyond 64 bits": { args: [1e21, -1e21, 1e308, 2 ** 64, 18446744073709552000], notFrom: damages },
  fractions: { args: [0.1, -0.5, 1.5e-300, 3.141592653589793, 1 / 3] },
  text: {
    args: [
      "",
      "é",
      "日本語",
      "👩‍👩‍👧‍👦",
      "\u0000\u0001\u001f",
      "\u2028\u2029",
      '"\\/{}[]',
      "a".repeat(31),
      "a".repeat(32),
      "é".repeat(200),
    ],
  },
  "long text": { args: ["a".repeat(255), "a".repeat(256), "b".repeat(65_535), "b".repeat(65_536)] },
  dates: { args: ["1970-01-01T00:00:00.000Z", { at: "2026-11-20T17:00:00.123Z" }] },
  "keys that look like others": { args: [{ "": 0, type: 3, uid: "x", _placeholder: "no", 1: "one", length: 2 }] },
  deep: { args: [{ a: { b: { c: [[[1, { d: [] }], {}], []] } } }] },
  wide: {
    args: [
      Array.from({ length: 20 }, (_, at) => at),
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`k${at}`, at])),
    ],
  },
  binary: { args: [bytes(1, 2, 3)] },
  "empty binary": { args: [bytes(), { empty: bytes() }] },
  "nested binary": { args: [{ a: [{ b: { c: bytes(0, 255, 0x7b) } }] }, "between", [bytes(9), null, bytes(8)]] },
  "large binary": { args: [Buffer.alloc(255, 1), Buffer.alloc(256, 2), Buffer.alloc(65_536, 3)] },
  "an offset's likeness": { args: ["1795162611478-0 and more"] },
};
