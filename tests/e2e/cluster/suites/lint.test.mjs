// The judge of the wire itself: what it must find, on messages that are right but for one thing.
import assert from "node:assert/strict";
import { encode } from "@msgpack/msgpack";
import { describe, test } from "../../helpers/harness.mjs";
import { lint } from "../helpers/lint.mjs";

const packet = { type: 2, data: ["ev", 1] };
const opts = { rooms: [], except: [], flags: {} };
const nsp = "/";
const uid = { redis: "ruCSy_", other: "0b13b5efc3097662" };
const json = JSON.stringify;

/** What is said about these commands, each a list of words. */
function complaints(env, ...commands) {
  const words = (list) => list.map((word) => (typeof word === "string" ? Buffer.from(word) : Buffer.from(word)));
  return lint(
    commands.map((list) => ({ from: "a", words: words(list) })),
    env,
    new Map([["a", "someone"]]),
  );
}

function clean(env, ...commands) {
  assert.deepEqual(complaints(env, ...commands), []);
}

function found(env, pattern, ...commands) {
  const [first, ...more] = complaints(env, ...commands);
  assert.match(first ?? "nothing", pattern);
  assert.equal(more.length, 0);
}

describe("the classic adapter", () => {
  const env = { ADAPTER: "redis" };
  const broadcast = (...parts) => encode(parts);
  const full = { ...packet, nsp };
  const room = { ...opts, rooms: ["a"] };
  const request = (rest) => ["PUBLISH", "socket.io-request#/#", json({ uid: uid.redis, ...rest })];
  const fetch = request({ requestId: "q", type: 5, opts: { rooms: [], except: [] } });
  const respond = (rest) => ["PUBLISH", "socket.io-response#/#", json(rest)];

  test("right", () => {
    clean(
      env,
      ["PUBLISH", "socket.io#/#", broadcast(uid.redis, full, opts)],
      ["PUBLISH", "socket.io#/#a#", broadcast(uid.redis, full, room)],
    );
    clean(
      env,
      request({ type: 2, opts: { rooms: [], except: [] }, rooms: ["x"] }),
      fetch,
      respond({ requestId: "q", sockets: [] }),
    );
    clean(
      env,
      ["SUBSCRIBE", "socket.io-request#/#", "socket.io-response#/#", "socket.io-response#/#ruCSy_#"],
      ["PSUBSCRIBE", "socket.io#/#*"],
    );
  });

  test("right, if it answers a stranger", () => {
    const said = (from, list) => ({ from, words: list.map((word) => Buffer.from(word)) });
    const commands = [said("b", ["FLUSHALL"]), said("b", fetch), said("a", respond({ requestId: "q", sockets: [] }))];
    assert.deepEqual(lint(commands, env, new Map([["a", "someone"]])), []);
  });

  const wrong = {
    "a foreign command": [/FLUSHALL/, ["FLUSHALL"]],
    "a foreign channel": [/the channel/, ["SUBSCRIBE", "other#/#"]],
    "an array of two": [/array of three/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, full)]],
    "a long uid": [/uid/, ["PUBLISH", "socket.io#/#", broadcast(uid.other, full, opts)]],
    "a binary packet": [/packet\.type/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, { ...full, type: 5 }, opts)]],
    "no event": [/packet\.data/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, { ...full, data: [] }, opts)]],
    "no name": [/packet\.data\[0\]/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, { ...full, data: [7] }, opts)]],
    "another namespace": [/packet\.nsp/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, { ...full, nsp: "/x" }, opts)]],
    "an extra key": [/packet\.id/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, { ...full, id: 1 }, opts)]],
    "no flags": [/flags/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, full, { rooms: [], except: [] })]],
    "the wrong room channel": [/room of the channel/, ["PUBLISH", "socket.io#/#b#", broadcast(uid.redis, full, room)]],
    "one room on the common channel": [/room of the channel/, ["PUBLISH", "socket.io#/#", broadcast(uid.redis, full, room)]],
    "bytes at the end": [
      /left/,
      ["PUBLISH", "socket.io#/#", Buffer.concat([broadcast(uid.redis, full, opts), Buffer.from([0])])],
    ],
    "a short float": [/ca is not/, ["PUBLISH", "socket.io#/#", Buffer.from("93ca3fc0000000c0", "hex")]],
    "no opts": [/opts/, request({ requestId: "q", type: 5 })],
    "a request as msgpack": [
      /encoding/,
      ["PUBLISH", "socket.io-request#/#", encode({ uid: uid.redis, type: 1, requestId: "q" })],
    ],
    "an unknown type": [/type/, request({ type: 10 })],
    "an answer to nobody": [/requestId/, respond({ requestId: "q", sockets: [] })],
    "half a socket": [
      /handshake/,
      fetch,
      respond({ requestId: "q", sockets: [{ id: "H9QKm2EmI2yKzxEJAAAA", rooms: [], data: {} }] }),
    ],
    "an id used twice": [/new id/, fetch, fetch],
  };
  for (const [name, [pattern, ...commands]] of Object.entries(wrong)) test(name, () => found(env, pattern, ...commands));
});

describe("the sharded adapter", () => {
  const env = { ADAPTER: "sharded", SUBSCRIPTION_MODE: "dynamic" };
  const message = (type, data, more) => ["SPUBLISH", "socket.io#/#", json({ type, data, uid: uid.other, nsp, ...more })];
  const to = (channel, room) => [
    "SPUBLISH",
    channel,
    json({ type: 3, data: { packet, opts: { ...opts, rooms: [room] } }, uid: uid.other, nsp }),
  ];
  const long = "x".repeat(20);

  test("right", () => {
    clean(env, message(3, { packet, opts }), to("socket.io#/#a#", "a"), to("socket.io#/#", long));
    clean({ ...env, SUBSCRIPTION_MODE: "static" }, to("socket.io#/#", "a"));
    clean({ ...env, SUBSCRIPTION_MODE: "dynamic-private" }, to(`socket.io#/#${long}#`, long));
  });

  const wrong = {
    "an unsharded one": [/PUBLISH/, ["PUBLISH", "socket.io#/#", "{}"]],
    "a room without its channel": [/room of the channel/, to("socket.io#/#", "a")],
    "a socket with a channel": [/room of the channel/, to(`socket.io#/#${long}#`, long)],
    "a namespace in the packet": [/packet\.nsp/, message(3, { packet: { ...packet, nsp }, opts })],
    "msgpack without binary": [
      /encoding/,
      ["SPUBLISH", "socket.io#/#", encode({ type: 3, data: { packet, opts }, uid: uid.other, nsp })],
    ],
    "an answer to all": [/requester/, message(7, { opts, requestId: "q" }), message(8, { requestId: "q", sockets: [] })],
    "more answers than clients": [
      /one of 1 answers/,
      message(3, { packet, opts, requestId: "q" }),
      [
        "SPUBLISH",
        `socket.io#/#${uid.other}#`,
        json({ type: 11, data: { requestId: "q", clientCount: 1 }, uid: uid.other, nsp }),
      ],
      ["SPUBLISH", `socket.io#/#${uid.other}#`, json({ type: 12, data: { requestId: "q", packet: 1 }, uid: uid.other, nsp })],
      ["SPUBLISH", `socket.io#/#${uid.other}#`, json({ type: 12, data: { requestId: "q", packet: 1 }, uid: uid.other, nsp })],
    ],
  };
  for (const [name, [pattern, ...commands]] of Object.entries(wrong)) test(name, () => found(env, pattern, ...commands));
});

describe("the streams adapter", () => {
  const env = { ADAPTER: "streams", CSR: "1" };
  const add = (type, data, fields = ["uid", uid.other, "nsp", nsp, "type", type, "data", data]) => [
    "XADD",
    "socket.io",
    "MAXLEN",
    "~",
    "10000",
    "*",
    ...fields,
  ];
  const session = { sid: "WHdIAvkFDQ8cZ_oSAAAA", pid: "OP235Uh_onZ4K96XAAAB", rooms: [], data: {} };
  const set = (value) => [
    "SET",
    "sio:session:OP235Uh_onZ4K96XAAAB",
    Buffer.from(encode(value)).toString("base64"),
    "PX",
    "30000",
  ];
  const base64 = (value) => Buffer.from(encode(value)).toString("base64");
  const binary = { packet: { type: 2, data: ["ev", Buffer.from([1])] }, opts };

  test("right", () => {
    clean(env, add("3", json({ packet, opts })), add("3", base64(binary)), set(session));
    clean(env, ["PUBLISH", "socket.io#/#", encode({ type: 9, data: { packet: ["x"] }, uid: uid.other, nsp })]);
  });

  const wrong = {
    "no data": [/data/, add("3", "", ["uid", uid.other, "nsp", nsp, "type", "3"])],
    "JSON as base64": [/encoding/, add("3", base64({ packet, opts }))],
    neither: [/data/, add("3", "[1]")],
    "an ephemeral one in the stream": [/type/, add("7", json({ opts, requestId: "q" }))],
    "a broadcast in the channel": [
      /without acks/,
      ["PUBLISH", "socket.io#/#", encode({ type: 3, data: { packet, opts }, uid: uid.other, nsp })],
    ],
    "JSON in the channel": [
      /msgpack/,
      ["PUBLISH", "socket.io#/#", json({ type: 9, data: { packet: ["x"] }, uid: uid.other, nsp })],
    ],
    "no bound": [/options|fields/, ["XADD", "socket.io", "*", "uid", uid.other]],
    "half a session": [/session/, set({ ...session, pid: undefined })],
    "a session for ever": [/expiry/, set(session).slice(0, 3)],
  };
  for (const [name, [pattern, ...commands]] of Object.entries(wrong)) test(name, () => found(env, pattern, ...commands));
});
