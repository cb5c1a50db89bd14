// What servers may tell Redis: the message formats of the three adapters, held against everything they wrote.
// Node reads one malformed message and is deaf or dead, so nothing is taken here that Node itself does not write.
import { decodeStrictly } from "./msgpack.mjs";
import { is, need } from "./shapes.mjs";
import { prefixOf } from "./variants.mjs";

export { watch } from "./monitor.mjs";

const UID = { redis: /^(?:[\w-]{6}|emitter)$/, other: /^(?:[0-9a-f]{16}|emitter)$/ };
const SID = /^[\w-]{20}$/;

/** Commands that say nothing to other servers. */
const SILENT = new Set(
  `AUTH CLIENT CLUSTER COMMAND CONFIG DEL DISCARD ECHO EVAL EVALSHA EXEC EXISTS EXPIRE GET GETDEL HELLO INFO MULTI PEXPIRE
  PING PTTL QUIT READONLY ROLE SCRIPT SELECT SENTINEL TIME UNLINK XINFO XLEN XRANGE XREAD XREVRANGE`.split(/\s+/),
);
const SUBSCRIBING = new Set(["SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"]);

/**
 * Complaints about the commands of the known writers: a map from addresses to names. What strangers say is not judged, but
 * their requests may be answered.
 */
export function lint(commands, env, writers) {
  const complaints = [];
  const rules = new Rules(env);
  for (const { from, words } of commands) {
    const writer = writers.get(from);
    try {
      rules.command(words);
    } catch (error) {
      if (writer === undefined) continue;
      const shown = words.slice(0, 3).map((word) => word.subarray(0, 120).toString("latin1"));
      complaints.push(`${writer}: ${error.message}; in ${JSON.stringify(shown)}`);
    }
  }
  return complaints;
}

const flags = is.shape({
  "volatile?": is.boolean,
  "compress?": is.boolean,
  "broadcast?": is.boolean,
  "binary?": is.boolean,
  "timeout?": is.number,
  "expectSingleResponse?": is.boolean,
});
const rooms = is.list(is.text);
const target = is.shape({ rooms, except: rooms, "flags?": flags });
const fullTarget = is.shape({ rooms, except: rooms, flags });
const handshake = is.shape({
  headers: is.object,
  time: is.text,
  address: is.text,
  xdomain: is.boolean,
  secure: is.boolean,
  issued: is.number,
  url: is.text,
  query: is.object,
  auth: is.object,
});
const sockets = is.list(is.shape({ id: is.matching(SID), handshake, rooms, data: is.object }));

class Rules {
  constructor(env) {
    this.env = env;
    this.prefix = prefixOf(env);
    this.uid = is.matching(env.ADAPTER === "redis" ? UID.redis : UID.other);
    /** The requests seen so far, with the number of clients that were announced. */
    this.requests = new Map();
  }

  command([name, ...words]) {
    const command = name.toString().toUpperCase();
    const { ADAPTER: adapter } = this.env;
    if (SILENT.has(command)) return;
    if (SUBSCRIBING.has(command)) return void words.forEach((word) => this.channel(word.toString()));
    if (command === "PUBSUB") return void this.pubsub(words.map(String));
    if (command === "PUBLISH" && adapter === "redis") return void this.classic(words[0].toString(), words[1]);
    if (command === "PUBLISH" && adapter === "streams") return void this.ephemeral(words[0].toString(), words[1]);
    if (command === "SPUBLISH" && adapter === "sharded") return void this.sharded(words[0].toString(), words[1]);
    if (command === "XADD" && adapter === "streams") return void this.entry(words);
    if (command === "SET" && adapter === "streams") return void this.session(words.map(String));
    throw new Error(`${command} is nothing that this adapter says`);
  }

  pubsub([kind, ...channels]) {
    need(kind.toUpperCase() === (this.env.ADAPTER === "sharded" ? "SHARDNUMSUB" : "NUMSUB"), "the kind", "a count", kind);
    channels.forEach((channel) => this.channel(channel));
  }

  /** `nsp` and `rest` of a channel: what is between the second and the last `#`. */
  channel(channel, kinds = ["", "-request", "-response"]) {
    const found = /^(.*?)(-request|-response)?#(\/[^#]*)#(?:(.*)#|\*)?$/s.exec(channel);
    need(found && found[1] === this.prefix, "the channel", `one of ${this.prefix}`, channel);
    const [, , kind = "", nsp, rest] = found;
    need(kinds.includes(kind), "the channel", `one of ${kinds}`, channel);
    return { kind, nsp, rest };
  }

  /** The answer belongs to a request that is known. */
  request = (id, where) => need(this.requests.has(id), where, "the id of a request", id);
  opens = (id, where) => {
    is.text(id, where);
    need(!this.requests.has(id), where, "a new id", id);
    this.requests.set(id, { answers: 0, clients: 0 });
  };

  count(id, clients) {
    this.requests.get(id).clients += clients;
  }

  answered(id, where) {
    const request = this.requests.get(id);
    need(++request.answers <= request.clients, where, `one of ${request.clients} answers`, request.answers);
  }

  // ------------------------------------------------------------------------------------------------- the classic one

  classic(channel, payload) {
    const { kind, nsp, rest } = this.channel(channel);
    if (kind === "-request") return this.classicRequest(nsp, rest, payload);
    if (kind === "-response") return this.classicResponse(rest, payload);
    const message = decodeStrictly(payload);
    need(Array.isArray(message) && message.length === 3, "the message", "an array of three", message);
    this.uid(message[0], "uid");
    is.shape({ type: is.exactly(2), data: is.event, nsp: is.exactly(nsp) })(message[1], "packet");
    fullTarget(message[2], "opts");
    const alone = message[2].rooms.length === 1 ? message[2].rooms[0] : undefined;
    need(rest === alone, "the room of the channel", String(alone), rest);
  }

  classicRequest(nsp, rest, payload) {
    need(rest === undefined, "the channel of requests", "without more", rest);
    const json = payload[0] === 0x7b;
    const message = json ? JSON.parse(payload.toString()) : decodeStrictly(payload);
    const { uid, opens } = this;
    const shapes = {
      0: { "uid?": uid, requestId: opens, rooms },
      1: { uid, requestId: opens },
      2: { "uid?": uid, opts: target, rooms },
      3: { "uid?": uid, opts: target, rooms },
      4: { "uid?": uid, opts: target, close: is.boolean },
      5: { uid, requestId: opens, opts: target },
      6: { uid, data: is.event, "requestId?": opens },
      7: {
        uid,
        requestId: opens,
        packet: is.shape({ type: is.exactly(2), data: is.event, nsp: is.exactly(nsp) }),
        opts: fullTarget,
      },
    };
    const shape = shapes[message?.type];
    need(shape !== undefined, "type", "that of a request", message?.type);
    // Node reads both, and writes what has binary data in JSON too, as objects.
    const binary = message.type === 7 || hasBinary(message);
    need(json !== binary, "the message", "in the encoding of its type and content", json ? "JSON" : "msgpack");
    is.shape({ type: is.number, ...shape })(message, "request");
  }

  classicResponse(rest, payload) {
    if (rest !== undefined) is.matching(UID.redis)(rest, "the requester");
    const json = payload[0] === 0x7b;
    const message = json ? JSON.parse(payload.toString()) : decodeStrictly(payload);
    const requestId = this.request;
    if (message.type === undefined) {
      const shape = "sockets" in message ? { sockets: typeof message.sockets[0] === "string" ? rooms : sockets } : {};
      return is.shape({ requestId, "rooms?": rooms, ...shape })(message, "response");
    }
    const shapes = {
      6: { requestId, "data?": is.anything },
      8: { requestId, clientCount: is.number },
      9: { requestId, "packet?": is.anything },
    };
    need(message.type in shapes, "type", "that of a response", message.type);
    const binary = message.type === 9 || hasBinary(message);
    need(json !== binary, "the message", "in the encoding of its type and content", json ? "JSON" : "msgpack");
    is.shape({ type: is.number, ...shapes[message.type] })(message, "response");
    if (message.type === 8) this.count(message.requestId, message.clientCount);
    if (message.type === 9) this.answered(message.requestId, "packet");
  }

  // --------------------------------------------------------------------------------------- the messages of the others

  data(type, inStream = false) {
    // With recovery, Node writes even the events for one local socket, with the id of their ack.
    const extra = { ...(inStream && { "nsp?": is.text }), ...(this.env.CSR === "1" && { "id?": is.number }) };
    const packet = is.shape({ type: is.exactly(2), data: is.event, ...extra });
    const { request: requestId, opens } = this;
    return {
      3: { packet, opts: fullTarget, "requestId?": opens },
      4: { opts: target, rooms },
      5: { opts: target, rooms },
      6: { opts: target, close: is.boolean },
      7: { opts: target, requestId: opens },
      8: { requestId, sockets },
      9: { packet: is.event, "requestId?": opens },
      10: { requestId, "packet?": is.anything },
      11: { requestId, clientCount: is.number },
      12: { requestId, "packet?": is.anything },
    }[type];
  }

  clusterMessage(message, nsp) {
    // Signs of life: servers of these adapters need none, and pass over them.
    if ([1, 2, 13].includes(message?.type)) {
      return is.shape({ type: is.number, uid: this.uid, nsp: is.exactly(nsp) })(message, "message");
    }
    const shape = this.data(message?.type);
    need(shape !== undefined, "type", "known", message?.type);
    is.shape({ type: is.number, data: is.shape(shape), uid: this.uid, nsp: is.exactly(nsp) })(message, "message");
    if (message.type === 11) this.count(message.data.requestId, message.data.clientCount);
    if (message.type === 12) this.answered(message.data.requestId, "packet");
  }

  sharded(channel, payload) {
    const { nsp, rest } = this.channel(channel, [""]);
    const json = payload[0] === 0x7b;
    const message = json ? JSON.parse(payload.toString()) : decodeStrictly(payload);
    this.clusterMessage(message, nsp);
    need(json !== hasBinary(message.data), "the message", "in the encoding of its content", json ? "JSON" : "msgpack");
    this.addressed(message, rest);
    if (message.data === undefined) return;
    const alone = message.type === 3 && message.data.requestId === undefined && message.data.opts.rooms.length === 1;
    if (message.type >= 8 && message.type !== 9) return;
    const room = alone ? message.data.opts.rooms[0] : undefined;
    const { SUBSCRIPTION_MODE: mode = "dynamic" } = this.env;
    const own = room !== undefined && (mode === "dynamic-private" || (mode === "dynamic" && room.length !== 20));
    need(rest === (own ? room : undefined), "the room of the channel", String(own ? room : undefined), rest);
  }

  /** Responses go to the one who asked, and nothing else does. */
  addressed({ type }, rest) {
    if (type >= 8 && type <= 12 && type !== 9) is.matching(UID.other)(rest, "the requester");
  }

  ephemeral(channel, payload) {
    const { nsp, rest } = this.channel(channel, [""]);
    const message = decodeStrictly(payload);
    this.clusterMessage(message, nsp);
    this.addressed(message, rest);
    need(![4, 5, 6].includes(message.type), "type", "ephemeral", message.type);
    if (message.type === 3)
      need(message.data.requestId !== undefined, "a broadcast without acks", "in the stream", message.data);
    if ([3, 7, 9].includes(message.type)) need(rest === undefined, "the channel", "that of all", rest);
  }

  /** `XADD stream MAXLEN ~ 10000 * uid U nsp N type T data D` */
  entry(words) {
    const [stream, maxlen, about, limit, id, ...fields] = words.map(String);
    is.exactly(this.prefix)(stream, "the stream");
    need([maxlen, about, id].join(" ") === "MAXLEN ~ *", "the options", "MAXLEN ~ n *", [maxlen, about, limit, id]);
    need(Number(limit) > 0, "MAXLEN", "positive", limit);
    const names = fields.filter((_, at) => at % 2 === 0);
    // `n`, a number of the server's own, is ours: with it a server knows again what it is not sure to have written.
    need(/^uid nsp type data(?: n)?$/.test(names.join(" ")), "the fields", "uid nsp type data, and n at most", names);
    const [uid, nsp, type, data, n] = fields.filter((_, at) => at % 2 === 1);
    if (n !== undefined) is.matching(/^[0-9a-z-]+$/)(n, "n");
    this.uid(uid, "uid");
    is.matching(/^\/[^#]*$/)(nsp, "nsp");
    // Type 9, without a question: as emitters do, and ours, because the stream outlives an outage.
    is.matching(/^[34569]$/)(type, "type");
    const json = data.startsWith("{");
    if (!json) is.matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)(data, "data");
    const value = json ? JSON.parse(data) : decodeStrictly(Buffer.from(data, "base64"));
    is.shape(this.data(type, uid === "emitter"))(value, "data");
    need(json !== hasBinary(value), "data", "in the encoding of its content", json ? "JSON" : "base64");
    need(value.requestId === undefined, "a broadcast with acks", "in the channel", value);
  }

  /** `SET sio:session:<pid> <base64> PX <ms>` */
  session([key, value, px, ms]) {
    is.exactly("1")(this.env.CSR, "recovery");
    is.matching(/^sio:session:[\w-]{20}$/)(key, "the key");
    need(px?.toUpperCase() === "PX" && Number(ms) > 0, "the expiry", "PX ms", [px, ms]);
    const session = decodeStrictly(Buffer.from(value, "base64"));
    const pid = is.exactly(key.slice("sio:session:".length));
    // What Node ignores: ours remember where a session began, for clients that have received nothing yet.
    const ours = { "nsp?": is.text, "start?": is.text, "mark?": is.text };
    is.shape({ sid: is.matching(SID), pid, rooms, data: is.object, ...ours })(session, "session");
  }
}

function hasBinary(value) {
  if (Buffer.isBuffer(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(hasBinary);
}
