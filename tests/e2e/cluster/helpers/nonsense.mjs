// Messages that no server writes, for every channel there is: one of them ends or deafens a Node cluster.
import { encode } from "@msgpack/msgpack";

const json = JSON.stringify;
const pack = (value) => Buffer.from(encode(value));
const hex = (text) => Buffer.from(text, "hex");
const packet = { type: 2, data: ["nonsense", 1] };
const opts = { rooms: [], except: [], flags: {} };
const short = "abcdef";
const long = "0123456789abcdef";
const deep = (open, close, depth) => open.repeat(depth) + close.repeat(depth);

/** What is no message in any encoding. */
const GARBAGE = {
  empty: "",
  "one zero byte": hex("00"),
  "the byte that is never used": hex("c1"),
  null: hex("c0"),
  "JSON null": "null",
  "JSON of nothing": "{}",
  "JSON that is cut off": '{"type":',
  "JSON, then more": '{"type":5}{"type":5}',
  "JSON with a broken surrogate": '{"type":"\\ud800"}',
  "no UTF-8": hex("7b22ff223a317d"),
  "an array of lies": hex("dd7fffffff"),
  "a map of lies": hex("dfffffffff"),
  "a text of lies": hex("dbffffffff41"),
  "binary of lies": hex("c6ffffffff41"),
  "an unknown extension": hex("d40500"),
  "an extension of lies": hex("c9ffffffff0541"),
  "a date without time": hex("c700ff"),
  "a date of a foreign size": hex("c705ff0102030405"),
  "deep arrays": Buffer.alloc(100_000, 0x91),
  "deep maps": Buffer.concat([Buffer.from("81a161".repeat(50_000), "hex"), hex("c0")]),
  "deep JSON": `{"type":5,"opts":${deep("[", "]", 50_000)}}`,
  "deep JSON objects": `${'{"type":'.repeat(50_000)}1${"}".repeat(50_000)}`,
  "a megabyte of nothing": Buffer.alloc(1_000_000),
};

/** Broadcasts of the classic adapter. */
const CLASSIC = {
  "an empty array": [],
  "only an uid": [short],
  "no opts": [short, { ...packet, nsp: "/" }],
  "no packet": [short, null, opts],
  "no data": [short, { type: 2, nsp: "/" }, opts],
  "data that is text": [short, { ...packet, data: "nonsense", nsp: "/" }, opts],
  "no event": [short, { type: 2, data: [], nsp: "/" }, opts],
  "an event that is a map": [short, { type: 2, data: [{ a: 1 }], nsp: "/" }, opts],
  "an event that is null": [short, { type: 2, data: [null], nsp: "/" }, opts],
  "a reserved event": [short, { type: 2, data: ["disconnect", "x"], nsp: "/" }, opts],
  "a reserved connect": [short, { type: 2, data: ["connect"], nsp: "/" }, opts],
  "a CONNECT": [short, { type: 0, data: { sid: "x" }, nsp: "/" }, opts],
  "a DISCONNECT": [short, { type: 1, nsp: "/" }, opts],
  "an unknown type": [short, { ...packet, type: 99, nsp: "/" }, opts],
  "a type that is text": [short, { ...packet, type: "2x", nsp: "/" }, opts],
  "another namespace": [short, { ...packet, nsp: "/chat" }, opts],
  "a namespace that is a number": [short, { ...packet, nsp: 7 }, opts],
  "rooms that are null": [short, { ...packet, nsp: "/" }, { rooms: null, except: [], flags: {} }],
  "rooms that are a number": [short, { ...packet, nsp: "/" }, { rooms: 7, except: [], flags: {} }],
  "rooms that are maps": [short, { ...packet, nsp: "/" }, { rooms: [{}], except: [], flags: {} }],
  "except that is a number": [short, { ...packet, nsp: "/" }, { rooms: [], except: 7, flags: {} }],
};

/** Requests of the classic adapter. */
const REQUESTS = {
  "no type": { uid: short },
  "an unknown type": { uid: short, type: 99 },
  "a type that is text": { uid: short, type: "five", requestId: "q", opts },
  "a fraction as type": { uid: short, type: 5.5, requestId: "q", opts },
  "a fetch without opts": { type: 5 },
  "a fetch without opts, with an id": { uid: short, type: 5, requestId: "q" },
  "a fetch with rooms that are null": { uid: short, type: 5, requestId: "q", opts: { rooms: null, except: null } },
  "a fetch with an id that is a map": { uid: short, type: 5, requestId: {}, opts: { rooms: [], except: [] } },
  "sockets without rooms": { uid: short, type: 0, requestId: "q" },
  "a join without opts": { uid: short, type: 2, rooms: ["x"] },
  "a join without rooms": { uid: short, type: 2, opts: { rooms: [], except: [] } },
  "a join of numbers": { uid: short, type: 2, opts: { rooms: ["nobody"], except: [] }, rooms: [7, {}] },
  "a join of an unknown socket": { uid: short, type: 2, sid: "nobody", room: "x", requestId: "q" },
  "a leave without opts": { uid: short, type: 3, rooms: ["x"] },
  "a disconnect without opts": { uid: short, type: 4 },
  "a disconnect of an unknown socket": { uid: short, type: 4, sid: "nobody", close: "maybe", requestId: "q" },
  "an emit without data": { uid: short, type: 6 },
  "an emit without data, with an id": { uid: short, type: 6, requestId: "q" },
  "an emit of nothing": { uid: short, type: 6, requestId: "q", data: [] },
  "an emit of text": { uid: short, type: 6, requestId: "q", data: "sse-note" },
  "an emit without a name": { uid: short, type: 6, requestId: "q", data: [null, 1] },
  "a reserved emit": { uid: short, type: 6, data: ["connection", {}] },
  "acks without opts": { uid: short, type: 7, requestId: "q", packet: { ...packet, nsp: "/" } },
  "acks without a packet": { uid: short, type: 7, requestId: "q", opts },
  "acks without an id": { uid: short, type: 7, packet: { type: 2, data: [], nsp: "/" }, opts },
  "acks without an event": { uid: short, type: 7, requestId: "q", packet: { type: 2, data: [], nsp: "/" }, opts },
};

/** Responses of the classic adapter, to requests that nobody made. */
const RESPONSES = {
  "no id": { sockets: [] },
  "an unknown id": { requestId: "nobody", sockets: [] },
  "an id that is a map": { requestId: {}, sockets: [] },
  "a name of an object's own": { requestId: "__proto__", sockets: [{}] },
  "a count without an id": { type: 8, clientCount: 3 },
  "an answer without an id": { type: 9, packet: 1 },
  "an unknown type": { type: 77, requestId: "nobody" },
};

/** Messages of the other adapters: type and data. */
const CLUSTER = {
  "no type": [undefined, {}],
  "an unknown type": [99, {}],
  "a type that is text": ["3", { packet: { type: 2, data: [] }, opts }],
  "a broadcast without data": [3, undefined],
  "a broadcast of null": [3, null],
  "a broadcast without opts": [3, { packet }],
  "a broadcast without a packet": [3, { opts }],
  "a broadcast without an event": [3, { packet: { type: 2, data: [] }, opts }],
  "a broadcast of a map": [3, { packet: { type: 2, data: { 0: "x" } }, opts }],
  "a broadcast with an event that is null": [3, { packet: { type: 2, data: [null] }, opts }],
  "a broadcast of a DISCONNECT": [3, { packet: { type: 1 }, opts }],
  "a broadcast of an unknown type": [3, { packet: { ...packet, type: 42 }, opts }],
  "a broadcast with rooms that are null": [3, { packet, opts: { rooms: null, except: null, flags: {} } }],
  "a broadcast with rooms that are a number": [3, { packet, opts: { rooms: 7, except: [], flags: {} } }],
  "acks without opts": [3, { requestId: "q", packet }],
  "a join without data": [4, undefined],
  "a join without opts": [4, { rooms: ["x"] }],
  "a join without rooms": [4, { opts }],
  "a leave without data": [5, undefined],
  "a leave of a number": [5, { opts, rooms: 7 }],
  "a disconnect without data": [6, undefined],
  "a disconnect without opts": [6, { close: true }],
  "a fetch without data": [7, undefined],
  "a fetch without opts": [7, { requestId: "q" }],
  "a fetch without an id": [7, { opts }],
  "sockets for nobody": [8, { requestId: "nobody", sockets: null }],
  "sockets without data": [8, undefined],
  "an emit without data": [9, undefined],
  "an emit without a packet": [9, { requestId: "q" }],
  "an emit of nothing": [9, { requestId: "q", packet: [] }],
  "an emit of text": [9, { requestId: "q", packet: "sse-note" }],
  "an answer without data": [10, undefined],
  "a count without data": [11, undefined],
  "a count for nobody": [11, { requestId: "nobody", clientCount: -1 }],
  "an ack without data": [12, undefined],
};

const all = (messages, write) => Object.entries(messages).map(([name, message]) => ({ name, ...write(message, name) }));
const named = (list, where) => list.map((each) => ({ ...each, name: `${where}: ${each.name}` }));

function publish(command, channel, messages, encodings) {
  return encodings.flatMap(([encoding, encode_]) =>
    all(messages, (message) => ({ words: [command, channel, encode_(message)] })).map((each) => ({
      ...each,
      name: `${channel}: ${each.name}${encoding}`,
    })),
  );
}

const AS_IS = [["", (message) => message]];
const AS_JSON = [", as JSON", (message) => json(message)];
const AS_PACK = [", as msgpack", pack];
const cluster = (type, data) => ({
  ...(type !== undefined && { type }),
  ...(data !== undefined && { data }),
  uid: long,
  nsp: "/",
});
const messages = Object.fromEntries(Object.entries(CLUSTER).map(([name, [type, data]]) => [name, cluster(type, data)]));
Object.assign(messages, {
  "no uid": { type: 7, data: { opts, requestId: "q" }, nsp: "/" },
  "an uid that is a map": { type: 7, data: { opts, requestId: "q" }, uid: {}, nsp: "/" },
  "no namespace": { type: 3, data: { packet, opts }, uid: long },
  "an unknown namespace": { type: 3, data: { packet, opts }, uid: long, nsp: "/nowhere" },
  "an array": [3, { packet, opts }],
});

/** Entries of the stream, as fields. */
function entries() {
  const base = { uid: long, nsp: "/", type: "3", data: json({ packet: { type: 2, data: [] }, opts }) };
  const add = (fields) => ({ words: ["XADD", "socket.io", "*", ...Object.entries(fields).flat()] });
  const without = (name) => Object.fromEntries(Object.entries(base).filter(([key]) => key !== name));
  const list = {
    "nothing of ours": { hello: "world" },
    ...Object.fromEntries(
      ["uid", "nsp", "type", "data"].map((name) => [
        `no ${name}`,
        name === "data" ? without(name) : { ...without(name), data: json({}) },
      ]),
    ),
    "a type that is text": { ...base, type: "three" },
    "a type beyond all": { ...base, type: "99999999999999999999" },
    "a negative type": { ...base, type: "-3" },
    "an empty type": { ...base, type: "" },
    "data that is cut off": { ...base, data: '{"packet":' },
    "data that is no base64": { ...base, data: "%%%" },
    "data that is base64 of garbage": { ...base, data: hex("c1ffdd7fffffff").toString("base64") },
    "data that is base64 of deep arrays": { ...base, data: Buffer.alloc(100_000, 0x91).toString("base64") },
    "deep data": { ...base, data: `{"packet":${deep("[", "]", 50_000)}}` },
    "empty data": { ...base, data: "" },
    "data that is null": { ...base, data: "null" },
    "binary fields": { ...base, uid: hex("ff00fe"), nsp: hex("2fff") },
    "fields twice": base,
  };
  const found = named(all(list, add), "the stream");
  found.at(-1).words.push("type", "6", "data", "{}");
  const typed = Object.entries(CLUSTER).map(([name, [type, data]]) => ({
    name: `the stream: ${name}`,
    ...add({ ...without("data"), type: String(type ?? ""), ...(data !== undefined && { data: json(data) }) }),
  }));
  return [...found, ...typed];
}

/** All of it, for one adapter: `{ name, words }`, a command of Redis each. `own`: further channels that its servers listen to. */
export function nonsense(adapter, own = []) {
  const garbage = (command, channels) => channels.flatMap((channel) => publish(command, channel, GARBAGE, AS_IS));
  const said = (command, channels, what) => channels.flatMap((channel) => publish(command, channel, what, [AS_JSON, AS_PACK]));
  switch (adapter) {
    case "redis":
      return [
        ...garbage("PUBLISH", ["socket.io#/#", "socket.io-request#/#", "socket.io-response#/#", ...own]),
        ...publish("PUBLISH", "socket.io#/#", CLASSIC, [AS_PACK]),
        ...said("PUBLISH", ["socket.io-request#/#"], REQUESTS),
        ...said("PUBLISH", ["socket.io-response#/#", ...own], RESPONSES),
        ...["socket.io#/", "socket.io#/##", "socket.io#/#a", "socket.io#/#\xff#"].map((channel) => ({
          name: `the channel ${channel}`,
          words: [
            "PUBLISH",
            Buffer.from(channel, "latin1"),
            pack([short, { ...packet, nsp: "/" }, { ...opts, rooms: ["nobody"] }]),
          ],
        })),
      ];
    case "sharded":
      return [...garbage("SPUBLISH", ["socket.io#/#", ...own]), ...said("SPUBLISH", ["socket.io#/#", ...own], messages)];
    case "streams":
      return [
        ...garbage("PUBLISH", ["socket.io#/#", ...own]),
        ...said("PUBLISH", ["socket.io#/#", ...own], messages),
        ...entries(),
      ];
    default:
      throw new Error(`no such adapter: ${adapter}`);
  }
}

/** What a server may answer that lies: parts of responses, by what was asked. */
export const LIES = {
  fetch: [
    {},
    { sockets: null },
    { sockets: "none" },
    { sockets: [null] },
    { sockets: [{}] },
    { sockets: [{ id: 7, rooms: [], handshake: {}, data: {} }] },
    { sockets: [{ id: "AAAAAAAAAAAAAAAAAAAA", rooms: null, handshake: null, data: null }] },
    { sockets: { length: 1e9 } },
  ],
  acks: [
    {},
    { clientCount: null },
    { clientCount: -1 },
    { clientCount: 0.5 },
    { clientCount: "many" },
    { clientCount: 1e300 },
    { clientCount: 2 ** 53 },
  ],
};

/** One message each that ends or deafens Node. */
export const KILLERS = {
  redis: ["PUBLISH", "socket.io-request#/#", '{"type":5}'],
  streams: ["XADD", "socket.io", "*", "uid", long, "nsp", "/", "type", "3"],
};
