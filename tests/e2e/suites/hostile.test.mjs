// Hostile input. Every case is a row: what is sent, and what class of outcome it may have.
// Bystanders are connected the whole time: they echo after every row and must never notice anything.
//
// Outcomes: `http NNN` (first status line), `closed NNNN` (websocket close code), `closed` (the session or the
// connection ended), `alive` (a later echo is answered; what came before it does not matter), `ignored` (alive, and
// the echo is the first thing that comes), `open` (the connection was neither answered nor closed).
// `ours` replaces `expect` for our server. `node: "crashes"` rows kill the official server, its run skips them.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { base, describe, target, test, within, withResolvers } from "../helpers/core.mjs";
import { F1, F4, Polling, Tcp, get, joined, post, upgradeRequest } from "../helpers/http.mjs";
import { Ws, closeCode, frame, joinedWs, openWs, rawWs, serverFrames, upgradeHead } from "../helpers/ws.mjs";
import { io } from "socket.io-client";

const SURVIVES = ["alive", "ignored", "closed"];
const BAD_HTTP = ["http 400", "closed"];
const HANDSHAKE = "?EIO=4&transport=polling";
const WEBSOCKET = "?EIO=4&transport=websocket";
const FAKE_SID = "AAAAAAAAAAAAAAAAAAAA";
const hole = (num) => `{"_placeholder":true,"num":${num}}`;
const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);
const nestedObject = (depth) => '{"a":'.repeat(depth) + "1" + "}".repeat(depth);
const many = (count, fn) => Array.from({ length: count }, (_, i) => fn(i));

// ---------------------------------------------------------------------------------------------------------------
// bystanders

const bystanders = [];
let noticed;
let alarm;

/** (Re)connects the bystanders; after a row they noticed, the next row gets new ones. */
async function connectBystanders() {
  for (const socket of bystanders.splice(0)) socket.off("disconnect").offAny().disconnect();
  noticed = undefined;
  const alarms = withResolvers();
  alarm = alarms.promise;
  alarm.catch(() => {});
  for (const transports of [["websocket"], ["polling"]]) {
    const notice = (what) => {
      noticed ??= `the ${transports} bystander ${what}`;
      alarms.reject(new Error(noticed));
    };
    const socket = io(base.origin, { path: F4, forceNew: true, reconnection: false, transports });
    bystanders.push(socket);
    await within(new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject)), "a bystander");
    socket.on("disconnect", (reason) => notice(`was disconnected: ${reason}`));
    socket.onAny((event) => notice(`received ${event}`));
  }
}

before(connectBystanders);

after(() => {
  for (const socket of bystanders) socket.off("disconnect").disconnect();
});

let turn = 0;
async function assertUnnoticed() {
  const n = ++turn;
  const echoes = Promise.all(bystanders.map((socket) => new Promise((resolve) => socket.emit("echo", n, resolve))));
  const answers = await within(Promise.race([echoes, alarm]), "the echoes of the bystanders", 10_000);
  assert.deepEqual(answers, [n, n]);
  assert.equal(noticed, undefined);
}

async function assertHealthy() {
  const answer = await get("/healthz", { ms: 10_000 });
  assert.deepEqual([answer.status, answer.body], [200, "ok"]);
}

// ---------------------------------------------------------------------------------------------------------------
// ways to send

/** Packets on a joined websocket, in a row. */
const ws =
  (...packets) =>
  async () =>
    verdict(await joinedWs(), packets);

/** Packets on a websocket that has not joined anything. `alive` = it can still join. */
const fresh =
  (...packets) =>
  async () => {
    const socket = await openWs(F4);
    socket.send(...packets, "40");
    let message;
    do {
      message = await socket.next("a CONNECT reply or a close", 10_000).catch((error) => error);
    } while (typeof message === "string" && !message.startsWith('40{"sid"'));
    if (message instanceof Error) {
      if (/was closed/.test(message.message)) return "closed";
      throw message;
    }
    return verdict(socket, []);
  };

/** Packets on a websocket of the raw engine. */
const engine =
  (...packets) =>
  async () =>
    verdict(await openWs(F1), packets, "4987 still here", "4987 still here");

async function verdict(socket, packets, question = '42987["echo","still here"]', answer = '43987["still here"]') {
  socket.send(...packets, question);
  let between = 0;
  for (;;) {
    let message;
    try {
      message = await socket.next("an echo or a close", 10_000);
    } catch (error) {
      if (/was closed/.test(error.message)) return "closed";
      throw error;
    }
    if (message === answer) return between === 0 ? "ignored" : "alive";
    between++;
  }
}

/** One POST of a joined polling session. */
const polling = (body, headers) => async () => {
  const session = await joined();
  const answer = await session.post(body, { headers });
  if (answer.status !== 200) return `http ${answer.status}`;
  return pollingVerdict(session);
};

async function pollingVerdict(session) {
  const sent = await session.post('42987["echo","still here"]');
  if (sent.status !== 200) return "closed";
  for (let between = 0; ; between++) {
    const answer = await session.get({ ms: 10_000 });
    if (answer.status !== 200) return "closed";
    const packets = answer.body.split("\x1e");
    if (packets.includes("1")) return "closed";
    if (packets.includes('43987["still here"]')) return between === 0 && packets.length === 1 ? "ignored" : "alive";
  }
}

/** Bytes on a websocket of the app, behind the upgrade: frames, whole or broken. */
const frames =
  (...parts) =>
  async () => {
    const tcp = await rawWs(F4 + WEBSOCKET);
    tcp.write(frame("40"));
    await tcp.until(/40\{"sid"/, "the CONNECT reply");
    tcp.write(Buffer.concat([...parts, frame('42987["echo","still here"]')]));
    const echoed = () => tcp.text.includes('43987["still here"]');
    const over = () => echoed() || closeCode(tcp.data) !== undefined;
    await Promise.race([tcp.until(over, "an echo or a close", 10_000).catch(() => {}), tcp.closed]);
    if (echoed()) return "alive";
    const code = closeCode(tcp.data);
    if (code !== undefined) return `closed ${code}`;
    return tcp.socket.closed ? "closed" : "open";
  };

/** Bytes on a fresh connection; lines when there are several parts. */
const raw =
  (...parts) =>
  () =>
    rawVerdict(parts);

async function rawVerdict(parts, ms = 10_000) {
  const tcp = new Tcp();
  for (const part of parts.length > 1 ? [parts.join("\r\n")] : parts) tcp.write(part);
  await Promise.race([tcp.until(/^HTTP\/1\.[01] \d{3}/, "a status line", ms).catch(() => {}), tcp.closed]);
  const match = /^HTTP\/1\.[01] (\d{3})/.exec(tcp.text);
  return match ? `http ${match[1]}` : "closed";
}

const request = (line, ...headers) => raw(line, `Host: ${base.host}`, ...headers, "Connection: close", "", "");
const body = (headers, content) => raw(`POST ${F4}${HANDSHAKE} HTTP/1.1`, `Host: ${base.host}`, ...headers, "", content);

/** An HTTP request that is answered with a status. */
const http = (path) => async () => `http ${(await get(path)).status}`;

/** A refused (or accepted) upgrade. */
const upgrade = (path, headers) => async () => `http ${(await upgradeRequest(path, headers)).status}`;

/** Connections that are left hanging; the bystanders echo meanwhile, then they are dropped. */
const hanging = (count, ...parts) => async () => {
  const connections = many(count, () => new Tcp().write(...parts));
  await Promise.all(connections.map((tcp) => within(new Promise((resolve) => tcp.socket.once("connect", resolve)), "a connection")));
  await assertUnnoticed();
  const statuses = connections.filter((tcp) => tcp.data.length > 0).length;
  for (const tcp of connections) tcp.socket.destroy();
  return statuses === 0 ? "open" : "answered";
};

// ---------------------------------------------------------------------------------------------------------------
// the rows

const cases = {
  "HTTP that is none": [
    { name: "random bytes", run: raw(Buffer.from(many(2000, (i) => (i * 7919 + 13) & 255))), expect: BAD_HTTP },
    { name: "zeroes", run: raw(Buffer.alloc(1000)), expect: BAD_HTTP },
    { name: "a TLS hello", run: raw(Buffer.from("16030100c8010000c403035f" + "ab".repeat(190), "hex")), expect: BAD_HTTP },
    { name: "an HTTP/2 preface", run: raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\0\0\0\x04\0\0\0\0\0"), expect: BAD_HTTP.concat("http 505") },
    { name: "only line ends", run: raw("\r\n\r\n\r\nX\r\n\r\n"), expect: BAD_HTTP },
    { name: "no version", run: raw(`GET ${F4}${HANDSHAKE}\r\n\r\n`), expect: BAD_HTTP.concat("http 200") },
    { name: "version 9.9", run: request(`GET ${F4}${HANDSHAKE} HTTP/9.9`), expect: BAD_HTTP.concat("http 505") },
    { name: "a method of 8000 letters", run: request(`${"G".repeat(8000)} ${F4} HTTP/1.1`), expect: BAD_HTTP },
    { name: "a method with a control character", run: request(`GE\x01T ${F4} HTTP/1.1`), expect: BAD_HTTP },
    { name: "a space inside the path", run: request(`GET ${F4} x${HANDSHAKE} HTTP/1.1`), expect: BAD_HTTP },
    { name: "a header without a colon", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, "nonsense"), expect: BAD_HTTP },
    { name: "a header with a zero byte", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, "X: a\0b"), expect: BAD_HTTP },
    { name: "a header name with a space", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, "X y: a"), expect: BAD_HTTP },
    { name: "an empty header name", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, ": a"), expect: BAD_HTTP },
    { name: "a control character in Origin", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, "Origin: a\x7fb"), expect: BAD_HTTP },
    { name: "a long URL", run: request(`GET ${F4}${HANDSHAKE}&x=${"y".repeat(100_000)} HTTP/1.1`), expect: ["http 431", "http 414", "http 400", "closed", "http 200"] },
    { name: "a long header", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, `X: ${"y".repeat(1_000_000)}`), expect: ["http 431", "http 400", "closed"] },
    { name: "10000 headers", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, ...many(10_000, (i) => `X-${i}: y`)), expect: ["http 431", "http 400", "closed"] },
    { name: "a cookie of 15 kB", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, `Cookie: io=${"y".repeat(15_000)}`), expect: ["http 200", "http 431"] },
    { name: "an unknown expectation", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, "Expect: magic"), expect: ["http 417", "http 200"] },
    { name: "method CONNECT", run: request(`CONNECT ${base.host} HTTP/1.1`), expect: ["closed", "http 400", "http 404", "http 405"] },
    { name: "method TRACE", run: request(`TRACE ${F4}${HANDSHAKE} HTTP/1.1`), expect: ["http 400", "http 405"] },
    { name: "target *", run: request("OPTIONS * HTTP/1.1"), expect: ["http 404", "http 400"] },
    { name: "an absolute target", run: request(`GET http://${base.host}${F4}${HANDSHAKE} HTTP/1.1`), expect: ["http 404", "http 200"] },
    { name: "two hosts", run: request(`GET ${F4}${HANDSHAKE} HTTP/1.1`, "Host: other"), expect: ["http 400", "http 200"] },
  ],

  "bodies that lie": [
    { name: "a negative length", run: body(["Content-Length: -1"], "x"), expect: BAD_HTTP },
    { name: "a huge length", run: body(["Content-Length: 99999999999999999999999999"], "x"), expect: BAD_HTTP },
    { name: "a length of letters", run: body(["Content-Length: abc"], "x"), expect: BAD_HTTP },
    { name: "two lengths", run: body(["Content-Length: 1", "Content-Length: 2"], "xy"), expect: BAD_HTTP },
    { name: "a length and chunks", run: body(["Content-Length: 4", "Transfer-Encoding: chunked"], "0\r\n\r\n"), expect: BAD_HTTP },
    { name: "an unknown transfer encoding", run: body(["Transfer-Encoding: magic"], "x"), expect: BAD_HTTP.concat("http 501") },
    { name: "a chunk size that is no number", run: body(["Transfer-Encoding: chunked"], "zz\r\nx\r\n"), expect: BAD_HTTP },
    { name: "a chunk size out of range", run: body(["Transfer-Encoding: chunked"], "fffffffffffffffff\r\nx\r\n"), expect: BAD_HTTP },
    {
      name: "a broken chunk of a session's POST",
      run: async () => {
        const session = await joined();
        await rawVerdict([`POST ${session.path} HTTP/1.1`, `Host: ${base.host}`, "Transfer-Encoding: chunked", "", "5\r\n3zzzzX\r\n"]);
        return (await session.get()).status === 400 ? "closed" : "alive";
      },
      expect: "closed",
    },
    {
      name: "a POST that announces 1 GB and stops",
      run: async () => {
        const session = await joined();
        const tcp = new Tcp();
        tcp.write(`POST ${session.path} HTTP/1.1`, `Host: ${base.host}`, "Content-Length: 1000000000", "", "4x");
        await assertUnnoticed();
        tcp.socket.resetAndDestroy();
        await tcp.closed;
        return "open";
      },
      expect: "open",
    },
    {
      name: "GHSA-r635-g3xr-vw7x: octet-stream posts held open",
      run: async () => {
        const statuses = new Set();
        for (let i = 0; i < 20; i++) {
          const session = await Polling.open(F4);
          statuses.add(
            await rawVerdict([
              `POST ${session.path} HTTP/1.1`,
              `Host: ${base.host}`,
              "Content-Type: application/octet-stream",
              "Content-Length: 900000",
              "",
              "x",
            ]),
          );
        }
        return [...statuses].join();
      },
      expect: "http 400",
    },
    {
      name: "CVE-2020-36048: large bodies, again and again",
      run: async () => {
        const session = await joined();
        const statuses = new Set();
        for (let i = 0; i < 20; i++) statuses.add((await session.post("x".repeat(1_000_001))).status);
        assert.deepEqual([...statuses], [413]);
        return pollingVerdict(session);
      },
      expect: "ignored",
    },
    { name: "bad utf-8 in a payload", run: polling(Buffer.from([0x34, 0x32, 0xff, 0xfe, 0xc0])), expect: SURVIVES },
    { name: "bad utf-8 in a string", run: polling(Buffer.concat([Buffer.from('420["echo","'), Buffer.from([0xff, 0xc0, 0xaf]), Buffer.from('"]')])), expect: SURVIVES },
    { name: "a zero byte", run: polling("\0"), expect: "closed" },
    { name: "a byte order mark in front", run: polling('\ufeff42["echo"]'), expect: "closed" },
    { name: "200000 separators", run: polling("\x1e".repeat(200_000)), expect: "closed" },
    { name: "100000 noop packets", run: polling(many(100_000, () => "6").join("\x1e")), expect: "ignored" },
    { name: "100000 pongs", run: polling(many(100_000, () => "3").join("\x1e")), expect: "ignored" },
    { name: "1000 pings", run: polling(many(1000, () => "2").join("\x1e")), expect: "closed" },
    { name: "1000 empty messages", run: polling(many(1000, () => "4").join("\x1e")), expect: "closed" },
    { name: "base64 that is none", run: polling("b!!!!"), expect: "closed" },
    { name: "base64 of 600 kB without a packet", run: polling(`b${"A".repeat(600_000)}`), expect: "closed" },
    { name: "content encoding gzip that is none", run: polling('42["nope"]', { "Content-Encoding": "gzip" }), expect: ["ignored", "http 400", "http 415", "closed"] },
  ],

  "queries": [
    { name: "broken percent signs", run: http(`${F4}${HANDSHAKE}&x=%ZZ&%=%&y=%C0%80`), expect: "http 200" },
    { name: "a broken sid", run: http(`${F4}${HANDSHAKE}&sid=%00%ff%ZZ`), expect: "http 400" },
    { name: "a sid of 8000 letters", run: http(`${F4}${HANDSHAKE}&sid=${"s".repeat(8000)}`), expect: "http 400" },
    { name: "sid of the prototype", run: http(`${F4}${HANDSHAKE}&sid=toString`), expect: "http 400" },
    { name: "sid as an array", run: http(`${F4}${HANDSHAKE}&sid[]=x&sid[a]=y`), expect: "http 200" },
    { name: "1000 parameters", run: http(`${F4}${HANDSHAKE}&${many(1000, (i) => `p${i}=${i}`).join("&")}`), expect: "http 200" },
    { name: "__proto__ as a parameter", run: http(`${F4}${HANDSHAKE}&__proto__=x&constructor=y&__proto__[a]=z`), expect: "http 200" },
    { name: "a path that climbs", run: request(`GET ${F4}../../etc/passwd HTTP/1.1`), expect: ["http 400", "http 404"] },
    { name: "a path of slashes", run: request(`GET ${F4}${"/".repeat(2000)} HTTP/1.1`), expect: ["http 400", "http 404"] },
    { name: "an author in the path", run: request(`GET ${F4}@evil:99/${HANDSHAKE} HTTP/1.1`), expect: "http 200" },
    { name: "a double slash in front", run: request(`GET /${F4}${HANDSHAKE} HTTP/1.1`), expect: "http 404" },
    { name: "CVE-2023-31125: websocket upgrade with an unknown transport", run: upgrade(`${F4}?EIO=4&transport=nope`), expect: "http 400" },
    { name: "CVE-2023-31125: transport __proto__", run: upgrade(`${F4}?EIO=4&transport=__proto__`), expect: "http 400" },
    { name: "CVE-2023-31125: transport toString", run: upgrade(`${F4}?EIO=4&transport=toString`), expect: "http 400" },
    { name: "CVE-2023-31125: transport webtransport", run: upgrade(`${F4}?EIO=4&transport=webtransport`), expect: "http 400" },
    { name: "an upgrade without a query", run: upgrade(F4), expect: "http 400" },
  ],

  "session ids": [
    { name: "invented", run: http(`${F4}${HANDSHAKE}&sid=${FAKE_SID}`), expect: "http 400" },
    {
      name: "a public socket id is no session id",
      run: async () => {
        const statuses = new Set();
        for (const { id } of bystanders) {
          statuses.add((await get(`${F4}${HANDSHAKE}&sid=${id}`)).status);
          statuses.add((await post(`${F4}${HANDSHAKE}&sid=${id}`, "1")).status);
          statuses.add((await upgradeRequest(`${F4}${WEBSOCKET}&sid=${id}`)).status);
        }
        return `http ${[...statuses].join()}`;
      },
      expect: "http 400",
    },
    {
      name: "of a closed session",
      run: async () => {
        const session = await joined();
        await session.send("1");
        const statuses = new Set([(await session.get()).status, (await session.post("40")).status]);
        statuses.add((await upgradeRequest(`${F4}${WEBSOCKET}&sid=${session.sid}`)).status);
        return `http ${[...statuses].join()}`;
      },
      expect: "http 400",
    },
    {
      name: "of a websocket session, used for polling",
      run: async () => {
        const socket = await joinedWs();
        assert.equal((await get(`${F4}${HANDSHAKE}&sid=${socket.sid}`)).status, 400);
        assert.equal((await post(`${F4}${HANDSHAKE}&sid=${socket.sid}`, "1")).status, 400);
        return verdict(socket, []);
      },
      expect: "ignored",
    },
    {
      name: "almost right",
      run: async () => {
        const session = await joined();
        const { sid } = session;
        const flipped = sid[0] === "A" ? `B${sid.slice(1)}` : `A${sid.slice(1)}`;
        const statuses = new Set();
        for (const wrong of [`${sid}x`, sid.slice(0, -1), flipped, `${sid}%00`, ` ${sid}`.replace(" ", "%20")]) {
          statuses.add((await post(`${F4}${HANDSHAKE}&sid=${wrong}`, "1")).status);
        }
        assert.deepEqual([...statuses], [400]);
        return pollingVerdict(session);
      },
      expect: "ignored",
    },
    {
      name: "20 websockets for one session",
      run: async () => {
        const session = await joined();
        const sockets = many(20, () => new Ws(`${F4}${WEBSOCKET}&sid=${session.sid}`));
        await Promise.all(sockets.map(({ opened }) => opened));
        for (const { socket } of sockets) socket.terminate();
        await Promise.all(sockets.map(({ closed }) => closed));
        return pollingVerdict(session);
      },
      expect: "ignored",
    },
    {
      name: "20 polls at once",
      run: async () => {
        const session = await joined();
        const answers = await Promise.all(many(20, () => session.get()));
        assert.equal(answers.filter(({ status }) => status === 200).length, 1);
        return pollingVerdict(session);
      },
      expect: "closed",
    },
  ],

  "upgrade requests": [
    { name: "another protocol", run: upgrade(F4 + WEBSOCKET, { Upgrade: "h2c" }), expect: "http 400" },
    { name: "no key", run: raw(...upgradeHead(F4 + WEBSOCKET).filter((line) => !line.startsWith("Sec-WebSocket-Key"))), expect: "http 400" },
    { name: "a short key", run: upgrade(F4 + WEBSOCKET, { "Sec-WebSocket-Key": "x" }), expect: ["http 400", "http 101"] },
    { name: "version 8", run: upgrade(F4 + WEBSOCKET, { "Sec-WebSocket-Version": "7" }), expect: ["http 400", "http 426"] },
    { name: "no version", run: raw(...upgradeHead(F4 + WEBSOCKET).filter((line) => !line.startsWith("Sec-WebSocket-Version"))), expect: ["http 400", "http 426"] },
    { name: "POST", run: raw(...upgradeHead(F4 + WEBSOCKET).map((line) => line.replace(/^GET/, "POST"))), expect: ["http 400", "http 405"] },
    { name: "no Connection header", run: raw(...upgradeHead(F4 + WEBSOCKET).filter((line) => !line.startsWith("Connection"))), expect: "http 400" },
    { name: "a route that has no websocket", run: raw(...upgradeHead("/healthz")), expect: ["closed", "http 400", "http 200", "http 404"] },
    { name: "a nonsense extension", run: upgrade(F4 + WEBSOCKET, { "Sec-WebSocket-Extensions": ";;=,\t\"" }), expect: ["http 101", "http 400"] },
    { name: "a nonsense subprotocol", run: upgrade(F4 + WEBSOCKET, { "Sec-WebSocket-Protocol": ",,a b,," }), expect: ["http 101", "http 400"] },
    {
      name: "CVE-2024-37890: 2500 headers",
      run: raw(...upgradeHead(F4 + WEBSOCKET, []).slice(0, 2), ...many(2500, () => "a:b"), ...upgradeHead(F4 + WEBSOCKET).slice(2)),
      expect: ["http 400", "http 431", "closed", "http 101"],
    },
    {
      name: "CVE-2022-21676: a bad frame right behind the request",
      run: async () => {
        const tcp = new Tcp();
        tcp.write(Buffer.concat([Buffer.from(upgradeHead(F4 + WEBSOCKET).join("\r\n")), Buffer.alloc(16, 0xff)]));
        await tcp.end();
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "CVE-2022-21676: a bad frame behind an upgrade of a session",
      run: async () => {
        const session = await joined();
        const tcp = new Tcp();
        const head = upgradeHead(`${F4}${WEBSOCKET}&sid=${session.sid}`).join("\r\n");
        tcp.write(Buffer.concat([Buffer.from(head), frame("x", { masked: false })]));
        await tcp.end();
        return pollingVerdict(session);
      },
      expect: "ignored",
    },
    {
      name: "CVE-2022-41940: a bad frame behind an upgrade with transport=polling",
      run: async () => {
        const tcp = new Tcp();
        tcp.write(Buffer.concat([Buffer.from(upgradeHead(`${F4}${HANDSHAKE}`).join("\r\n")), frame("x", { rsv: 7 })]));
        await tcp.end();
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "CVE-2022-41940: connections reset in the middle of the upgrade",
      run: async () => {
        for (let i = 0; i < 50; i++) {
          const tcp = new Tcp();
          await within(new Promise((resolve) => tcp.socket.once("connect", resolve)), "a connection");
          tcp.socket.write(upgradeHead(i % 2 ? F4 + WEBSOCKET : `${F4}${WEBSOCKET}&sid=nope`).join("\r\n"), () => tcp.socket.resetAndDestroy());
          await tcp.closed;
        }
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "a large frame behind the upgrade request",
      run: async () => {
        const tcp = new Tcp();
        tcp.write(Buffer.concat([Buffer.from(upgradeHead(F4 + WEBSOCKET).join("\r\n")), frame("", { opcode: 2, length: 2 ** 40 })]));
        await tcp.end();
        return `closed ${closeCode(tcp.data)}`;
      },
      expect: "closed 1009",
    },
  ],

  "frames": [
    { name: "a reserved bit", run: frames(frame("4x", { rsv: 4 })), expect: "closed 1002" },
    { name: "all reserved bits", run: frames(frame("4x", { rsv: 7 })), expect: "closed 1002" },
    { name: "not masked", run: frames(frame("4x", { masked: false })), expect: "closed 1002" },
    { name: "opcode 7", run: frames(frame("4x", { opcode: 7 })), expect: "closed 1002" },
    { name: "opcode 15", run: frames(frame("4x", { opcode: 15 })), expect: "closed 1002" },
    { name: "a continuation of nothing", run: frames(frame("4x", { opcode: 0 })), expect: "closed 1002" },
    { name: "two beginnings", run: frames(frame("4x", { fin: false }), frame("4x", { fin: false })), expect: "closed 1002" },
    { name: "a fragmented close", run: frames(frame("", { opcode: 8, fin: false })), expect: "closed 1002" },
    { name: "a long ping", run: frames(frame("x".repeat(1000), { opcode: 9 })), expect: "closed 1002" },
    { name: "a length of 2^63", run: frames(Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])), expect: ["closed 1009", "closed 1002", "closed"] },
    { name: "a length of 2^62", run: frames(Buffer.from([0x82, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])), expect: ["closed 1009", "closed 1002", "closed"] },
    { name: "too large", run: frames(frame(Buffer.alloc(1_000_001))), expect: "closed 1009" },
    { name: "fragments that become too large", run: frames(frame(Buffer.alloc(600_000), { fin: false }), frame(Buffer.alloc(600_000), { opcode: 0 })), expect: "closed 1009" },
    { name: "bad utf-8", run: frames(frame(Buffer.from([0x34, 0x80]), { opcode: 1 })), expect: "closed 1007" },
    { name: "utf-8 cut between fragments, then bad", run: frames(frame(Buffer.from([0x34, 0xe4]), { opcode: 1, fin: false }), frame(Buffer.from([0x34]), { opcode: 0 })), expect: "closed 1007" },
    { name: "close code 999", run: frames(frame(Buffer.from([0x03, 0xe7]), { opcode: 8 })), expect: "closed 1002" },
    { name: "close code 1006", run: frames(frame(Buffer.from([0x03, 0xee]), { opcode: 8 })), expect: "closed 1002" },
    { name: "close code 65535", run: frames(frame(Buffer.from([0xff, 0xff]), { opcode: 8 })), expect: "closed 1002" },
    { name: "a close reason that is no utf-8", run: frames(frame(Buffer.from([0x03, 0xe8, 0xff]), { opcode: 8 })), expect: "closed 1007" },
    { name: "a close frame, then more", run: frames(frame(Buffer.from([0x03, 0xe8]), { opcode: 8 }), frame('42["echo"]')), expect: "closed 1000" },
    { name: "1000 pings in a row", run: frames(...many(1000, () => frame("x".repeat(125), { opcode: 9 }))), expect: "alive" },
    { name: "1000 unsolicited pongs", run: frames(...many(1000, () => frame("x", { opcode: 10 }))), expect: "alive" },
    { name: "2000 fragments of a byte", run: frames(frame("4", { fin: false }), ...many(2000, () => frame("2", { fin: false, opcode: 0 })), frame("", { opcode: 0 })), expect: SURVIVES.concat("closed 1005") },
    { name: "2000 empty fragments", run: frames(frame("6", { fin: false }), ...many(2000, () => frame("", { fin: false, opcode: 0 })), frame("", { opcode: 0 })), expect: "alive" },
    { name: "an HTTP request instead of a frame", run: frames(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")), expect: ["closed 1002", "closed"] },
    {
      name: "half a frame, then gone",
      run: async () => {
        for (let i = 0; i < 20; i++) {
          const tcp = await rawWs(F4 + WEBSOCKET);
          tcp.write(frame("40".repeat(100)).subarray(0, 50 + i));
          if (i % 2) tcp.socket.resetAndDestroy();
          else tcp.socket.end();
          await tcp.closed;
        }
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "one byte at a time",
      run: async () => {
        const tcp = await rawWs(F4 + WEBSOCKET);
        tcp.socket.setNoDelay(true);
        for (const byte of Buffer.concat([frame("40"), frame('42987["echo","é"]')])) {
          await new Promise((resolve) => tcp.socket.write(Buffer.from([byte]), resolve));
        }
        await tcp.until((text) => /43987/.test(text), "the echo");
        return serverFrames(tcp.data).at(-1).payload.toString() === '43987["é"]' ? "alive" : "closed";
      },
      expect: "alive",
    },
  ],

  "engine packets": [
    { name: "a ping", run: ws("2"), expect: "closed" },
    { name: "an empty text", run: ws(""), expect: "closed" },
    { name: "type 7", run: ws("7"), expect: "closed" },
    { name: "type 99", run: ws("99"), expect: "closed" },
    { name: "a letter", run: ws("x".repeat(1000)), expect: "closed" },
    { name: "another open packet", run: ws('0{"sid":"x","upgrades":[]}'), expect: "ignored" },
    { name: "10000 noops", run: ws(...many(10_000, () => "6")), expect: "ignored" },
    { name: "10000 pongs", run: ws(...many(10_000, () => "3")), expect: "ignored" },
    { name: "10000 close packets", run: ws(...many(10_000, () => "1")), expect: "ignored" },
    { name: "10000 upgrade packets", run: ws(...many(10_000, () => "5")), expect: "ignored" },
    { name: "the raw engine: 2000 messages of all kinds", run: engine(...many(2000, (i) => (i % 2 ? `4${i}` : Buffer.from([i & 255])))), expect: "alive" },
    { name: "the raw engine: a Socket.IO packet is only text", run: engine('451-["x"]', "42{bad"), expect: "alive" },
    { name: "the raw engine: nonsense base64", run: engine("b*", "b====", "bé"), expect: "alive" },
    {
      name: "a probe flood on a probing socket",
      run: async () => {
        const session = await joined();
        const socket = await Ws.connect(`${F4}${WEBSOCKET}&sid=${session.sid}`);
        socket.send(...many(500, () => "2probe"));
        for (let i = 0; i < 500; i++) await socket.expect("3probe");
        socket.send("garbage");
        await socket.assertClosed(1005);
        return pollingVerdict(session);
      },
      expect: "ignored",
    },
  ],

  "packets": [
    { name: "an unknown type", run: ws("47"), expect: "closed" },
    { name: "no type", run: ws("4"), expect: "closed" },
    { name: "a letter as type", run: ws("4a"), expect: "closed" },
    { name: "an emoji as type", run: ws("4😀"), expect: "closed" },
    { name: "socketioxide #357: 45 without a dash", run: ws("45"), expect: "closed" },
    { name: "socketioxide #357: 45 with digits only", run: ws("4511111111"), expect: "closed" },
    { name: "socketioxide #357: 46 without a dash", run: ws('46["x"]'), expect: "closed" },
    { name: "GHSA-2m8v-j782-fhvr: zero attachments", run: ws('450-["echo"]'), expect: "closed" },
    { name: "GHSA-2m8v-j782-fhvr: zero attachments of an ack", run: ws("460-0[]"), expect: "closed" },
    { name: "CVE-2026-33151: 11 attachments", run: ws(`4511-["echo",${hole(0)}]`), expect: "closed" },
    { name: "CVE-2026-33151: 2^31 attachments", run: ws(`452147483648-["echo",${hole(0)}]`), expect: "closed" },
    { name: "CVE-2020-36049: 10^30 attachments", run: ws(`45${"9".repeat(30)}-["echo",${hole(0)}]`), expect: "closed" },
    { name: "a negative count", run: ws('45-1-["echo"]'), expect: "closed" },
    { name: "a broken count", run: ws('451.5-["echo"]'), expect: "closed" },
    { name: "a count of letters", run: ws('45NaN-["echo"]'), expect: "closed" },
    { name: "a count of Infinity", run: ws('45Infinity-["echo"]'), expect: "closed" },
    { name: "a count of 500000 digits", run: ws(`45${"1".repeat(500_000)}-["echo"]`), expect: "closed" },
    { name: "CVE-2022-2421: a placeholder with a method name", run: ws(`451-["echo",${hole('"splice"')}]`, Buffer.from([1])), expect: "closed" },
    { name: "CVE-2022-2421: a placeholder with __proto__", run: ws(`451-["echo",${hole('"__proto__"')}]`, Buffer.from([1])), expect: "closed" },
    { name: "CVE-2022-2421: a placeholder with an object", run: ws(`451-["echo",${hole('{"a":1}')}]`, Buffer.from([1])), expect: "closed" },
    { name: "CVE-2022-2421: a placeholder with an array", run: ws(`451-["echo",${hole("[0]")}]`, Buffer.from([1])), expect: "closed" },
    { name: "a placeholder out of range", run: ws(`451-["echo",${hole(1)}]`, Buffer.from([1])), expect: "closed" },
    { name: "a negative placeholder", run: ws(`451-["echo",${hole(-1)}]`, Buffer.from([1])), expect: "closed" },
    { name: "a placeholder of 10^400", run: ws(`451-["echo",${hole("1e400")}]`, Buffer.from([1])), expect: "closed" },
    { name: "a broken placeholder", run: ws(`451-["nope",${hole(0.5)}]`, Buffer.from([1])), expect: SURVIVES },
    { name: "10000 placeholders for one attachment", run: ws(`451-["nope",${many(10_000, () => hole(0)).join()}]`, Buffer.from([1])), expect: "ignored" },
    { name: "11 placeholders for one attachment, passed on", run: ws(`451-["echo",${many(11, () => hole(0)).join()}]`, Buffer.from([1])), expect: "alive" },
    { name: "CVE-2023-32695: an object as event name", run: ws('42[{"toString":"foo"}]'), expect: "closed" },
    { name: "CVE-2023-32695: a placeholder as event name", run: ws(`451-[${hole(0)}]`, Buffer.from([1])), expect: "closed" },
    { name: "CVE-2024-38355: the event error", run: ws('42["error"]', '42["error",{"stack":1}]', '421["error",null]'), expect: "ignored" },
    ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map((event) => ({
      name: `the reserved event ${event}`,
      run: ws(`42["${event}","x"]`),
      expect: "closed",
    })),
    { name: "an event name of the prototype", run: ws('42["__proto__"]', '42["constructor",1]', '425["toString"]', '42["hasOwnProperty"]', '42["valueOf"]'), expect: "ignored" },
    { name: "an event name of 500000 letters", run: ws(`42["${"e".repeat(500_000)}"]`), expect: "ignored" },
    { name: "100000 arguments", run: ws(`42["nope",${many(100_000, (i) => i).join()}]`), expect: "ignored", node: "crashes" },
    { name: "10000 arguments", run: ws(`42["nope",${many(10_000, (i) => i).join()}]`), expect: "ignored" },
    { name: "an array as event name", run: ws('42[["echo"]]'), expect: "closed" },
    { name: "a text behind a pending binary packet", run: ws(`451-["echo",${hole(0)}]`, '42["echo"]'), expect: "closed" },
    { name: "a binary message out of nowhere", run: ws(Buffer.from([1, 2, 3])), expect: "closed" },
    { name: "one binary message too many", run: ws(`451-["nope",${hole(0)}]`, Buffer.from([1]), Buffer.from([2])), expect: "closed" },
    { name: "an ack id of 400 digits", run: ws(`42${"9".repeat(400)}["nope"]`), expect: SURVIVES },
    { name: "an ack id of 400 digits that is answered", run: ws(`42${"9".repeat(400)}["echo"]`), expect: SURVIVES },
    { name: "an ack id of 2^64", run: ws('4218446744073709551616["nope"]'), expect: SURVIVES },
    { name: "a negative ack id", run: ws('42-1["nope"]'), expect: "closed" },
    { name: "10000 acks nobody asked for", run: ws(...many(10_000, (i) => `43${i}["x"]`)), expect: "ignored" },
    { name: "an ack with an object", run: ws('430{"length":3}'), expect: "closed" },
    { name: "an ack with a string", run: ws('430"x"'), expect: "closed" },
    { name: "CONNECT_ERROR from the client", run: ws('44{"message":"x"}'), expect: "closed" },
    { name: "DISCONNECT with data", run: ws('41{"a":1}'), expect: "closed" },
    { name: "CONNECT twice", run: ws("40"), expect: "closed" },
  ],

  "JSON": [
    ...[
      ["bad", "{bad"],
      ["cut", '["echo"'],
      ["single quotes", "['echo']"],
      ["a trailing comma", '["echo",]'],
      ["a comment", '["echo"/*x*/]'],
      ["NaN", '["echo",NaN]'],
      ["Infinity", '["echo",-Infinity]'],
      ["undefined", '["echo",undefined]'],
      ["hexadecimal", '["echo",0x10]'],
      ["a leading zero", '["echo",007]'],
      ["a bare dot", '["echo",.5]'],
      ["a bare control character", '["echo","\u0001"]'],
      ["a bare newline in a string", '["echo","a\nb"]'],
      ["a broken escape", '["echo","\\x"]'],
      ["a cut escape", '["echo","\\u12"]'],
      ["two values", '["echo"]["echo"]'],
      ["a zero byte behind it", '["echo"]\0'],
      ["500000 opening brackets", "[".repeat(500_000)],
      ["500000 opening braces", '{"a":'.repeat(100_000)],
    ].map(([name, json]) => ({ name, run: ws(`42${json}`), expect: "closed" })),
    { name: "a byte order mark (Number() takes it for a digit)", run: ws('42\ufeff["nope"]'), expect: "ignored", ours: SURVIVES },
    { name: "a lone surrogate", run: ws('420["echo","\\ud800"]'), expect: "alive", ours: SURVIVES },
    { name: "a lone low surrogate in an unknown event", run: ws('42["nope\\udc00"]'), expect: "ignored", ours: SURVIVES },
    { name: "a number too large", run: ws('420["echo",1e999]'), expect: "alive", ours: SURVIVES },
    { name: "a number of 100000 digits", run: ws(`420["echo",${"7".repeat(100_000)}]`), expect: "alive", ours: SURVIVES },
    { name: "a number with 100000 decimals", run: ws(`420["echo",0.${"1".repeat(100_000)}]`), expect: "alive" },
    { name: "an exponent of 100000 digits", run: ws(`420["echo",1e-${"9".repeat(100_000)}]`), expect: "alive", ours: SURVIVES },
    { name: "the same key 10000 times", run: ws(`420["echo",{${many(10_000, () => '"a":1').join()}}]`), expect: "alive" },
    { name: "10000 keys", run: ws(`420["echo",{${many(10_000, (i) => `"k${i}":1`).join()}}]`), expect: "alive" },
    { name: "keys of the prototype", run: ws('420["echo",{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}]'), expect: "alive" },
    { name: "toJSON as data", run: ws('420["echo",{"toJSON":1,"toString":2,"valueOf":3}]'), expect: "alive" },
    { name: "500 kB of whitespace", run: ws(`42${" ".repeat(500_000)}["nope"]`), expect: SURVIVES },
    { name: "500 kB of whitespace inside", run: ws(`42["nope",${" ".repeat(500_000)}1]`), expect: "ignored" },
    { name: "100 arrays deep, echoed", run: ws(`420["echo",${nested(100)}]`), expect: "alive" },
    { name: "5000 arrays deep, unknown event", run: ws(`42["nope",${nested(5000)}]`), expect: "ignored", ours: SURVIVES },
    { name: "5000 arrays deep, echoed", run: ws(`420["echo",${nested(5000)}]`), expect: "alive", ours: SURVIVES, node: "crashes" },
    { name: "5000 objects deep, echoed", run: ws(`420["echo",${nestedObject(5000)}]`), expect: "alive", ours: SURVIVES, node: "crashes" },
    { name: "100000 arrays deep, unknown event", run: ws(`42["nope",${nested(100_000)}]`), expect: "ignored", ours: SURVIVES },
    { name: "100000 arrays deep, echoed", run: ws(`420["echo",${nested(100_000)}]`), expect: "alive", ours: SURVIVES, node: "crashes" },
    { name: "100000 objects deep, echoed", run: ws(`420["echo",${nestedObject(100_000)}]`), expect: "alive", ours: SURVIVES, node: "crashes" },
    { name: "100000 arrays deep as a typed argument", run: ws(`420["join",${nested(100_000)}]`), expect: "ignored", ours: SURVIVES },
    { name: "100000 arrays deep in an array of rooms", run: ws(`420["broadcast",{"to":${nested(100_000)}},"x"]`), expect: "ignored", ours: SURVIVES },
    { name: "100000 arrays deep over polling", run: polling(`42["nope",${nested(100_000)}]`), expect: "ignored", ours: SURVIVES },
    { name: "100000 arrays deep with an attachment", run: ws(`451-["nope",${hole(0)},${nested(100_000)}]`, Buffer.from([1])), expect: "closed", ours: SURVIVES },
    { name: "a placeholder 100000 deep", run: ws(`451-["nope",${"[".repeat(50_000)}${hole(0)}${"]".repeat(50_000)}]`, Buffer.from([1])), expect: "closed", ours: SURVIVES },
    { name: "100000 arrays deep in an ack", run: ws(`430${nested(100_000)}`), expect: "ignored", ours: SURVIVES },
    { name: "100000 objects deep as auth", run: fresh(`40/chat,${nestedObject(100_000)}`), expect: "ignored", ours: SURVIVES },
    {
      name: "100000 arrays deep as the answer to call-me",
      run: async () => {
        const socket = await joinedWs();
        socket.send('421["call-me","ev"]');
        const id = /^42(\d+)\[/.exec(await socket.next())[1];
        return verdict(socket, [`43${id}${nested(100_000)}`]);
      },
      expect: "alive",
      ours: SURVIVES,
      node: "crashes",
    },
  ],

  "namespaces": [
    { name: "a name of 500000 letters", run: fresh(`40/${"n".repeat(500_000)},`), expect: "ignored", ours: SURVIVES },
    { name: "a name of the prototype", run: fresh("40/__proto__,", "40/constructor,", "40/toString,"), expect: "ignored" },
    { name: "a name with control characters", run: fresh("40/\u0000\u0001\n,", "40/\u001e,"), expect: "ignored" },
    { name: "a name with quotes", run: fresh('40/"};,'), expect: "ignored" },
    { name: "a name that climbs", run: fresh("40/../auth,", "40/./chat,"), expect: "ignored" },
    { name: "2000 unknown names", run: fresh(...many(2000, (i) => `40/unknown-${i},`)), expect: "ignored" },
    { name: "500 dynamic names", run: fresh(...many(500, (i) => `40/dyn-${900_000 + i},`)), expect: "ignored" },
    { name: "a dynamic name of 10000 digits", run: fresh(`40/dyn-${"1".repeat(10_000)},`), expect: "ignored" },
    { name: "an event for a name never joined", run: ws('42/chat,["echo"]'), expect: "closed" },
    { name: "an event for /auth, never let in", run: ws('42/auth,["echo"]'), expect: "closed" },
    { name: "an event right behind a refusal", run: ws('40/auth,{"token":"x"}', '42/auth,["echo"]'), expect: "closed" },
    { name: "auth that is an array", run: fresh("40[]"), expect: "closed" },
    { name: "auth that is a string", run: fresh('40"secret"'), expect: "closed" },
    { name: "auth with a prototype", run: fresh('40/auth,{"__proto__":{"token":"secret"}}'), expect: "ignored" },
    { name: "a token that is an object", run: fresh('40/auth,{"token":{"toString":"secret"}}'), expect: "ignored" },
    { name: "join and leave 1000 times", run: ws(...many(1000, () => ["40/chat,", '41/chat,']).flat()), expect: SURVIVES },
    { name: "GHSA-55mf-67qm-4wpg: attachments before anybody is let in", run: fresh(`4510-["echo",${hole(0)}]`, ...many(10, () => Buffer.alloc(500_000))), expect: "closed" },
    { name: "a binary packet for a namespace never joined", run: ws(`451-/chat,["echo",${hole(0)}]`, Buffer.from([1])), expect: "closed" },
  ],

  "wrong types in arguments": [
    ...[
      '["join"]',
      '["join",5]',
      '["join",null]',
      '["join",["a"]]',
      '["join",{"room":"a"}]',
      '["leave",{}]',
      '["broadcast"]',
      '["broadcast",null,"x"]',
      '["broadcast","room","x"]',
      '["broadcast",{"to":"room"},"x"]',
      '["broadcast",{"to":[1]},"x"]',
      '["broadcast",{"to":[null]},"x"]',
      '["broadcast",{"except":{}},"x"]',
      '["broadcast",{"all":"yes"},"x"]',
      '["broadcast",{"to":["nobody"]},5]',
      '["broadcast",{"to":["nobody"]}]',
      '["collect"]',
      '["collect","room","soon","x"]',
      '["collect","room",-1,"x"]',
      '["collect","room",1.5,"x"]',
      '["collect",1,2,3]',
      '["call-me"]',
      '["call-me",5]',
      '["call-me",{}]',
      '["burst","many"]',
      '["burst",-1]',
      '["burst",1.5]',
      '["burst",null]',
      '["volatile-burst",{}]',
      '["bye","yes"]',
      '["bye",1]',
      '["bye"]',
      '["report"]',
      '["report",5]',
      '["sockets",5]',
      '["sockets",{}]',
      '["move","a"]',
      '["move",1,2]',
      '["kick","a","b"]',
      '["kick"]',
      '["big"]',
      '["big",-1]',
      '["big","x"]',
      '["big",1e300]',
      '["whoami",1,2,3]',
    ].map((json) => ({ name: json, run: ws(`42${json}`, `4255${json}`), expect: "ignored", ours: ["ignored", "alive"] })),
    {
      name: "a buffer where a room belongs",
      run: ws(`451-5["join",${hole(0)}]`, Buffer.from("room")),
      expect: "ignored",
      ours: ["ignored", "alive"],
    },
    { name: "no ack where one belongs", run: ws('42["whoami"]', '42["join","a"]', '42["report","x"]', '42["sockets",null]', '42["big",5]', '42["call-me","x"]', '42["move","a","b"]'), expect: ["ignored", "alive"] },
    { name: "5000 rooms in a broadcast", run: ws(`421["broadcast",{"to":[${many(5000, (i) => `"r${i}"`).join()}]},"x"]`), expect: "alive" },
    { name: "1000 rooms joined", run: ws(...many(1000, (i) => `42${i}["join","room-${i}"]`)), expect: "alive" },
    { name: "a room of 500000 letters", run: ws(`421["join","${"r".repeat(500_000)}"]`), expect: "alive" },
    { name: "rooms of the prototype", run: ws('421["join","__proto__"]', '422["join","constructor"]', '423["leave","toString"]', '424["sockets","__proto__"]'), expect: "alive" },
    { name: "report of the prototype", run: ws('421["report","__proto__"]'), expect: "alive" },
    ...["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"].map((event) => ({
      name: `broadcast of the reserved event ${event}`,
      run: ws(`421["broadcast",{"to":["nobody"]},"${event}"]`),
      expect: "alive",
      ours: ["ignored", "alive"],
      node: "crashes",
    })),
    { name: "call-me with a reserved event", run: ws('421["call-me","disconnect"]'), expect: "alive", ours: ["ignored", "alive"], node: "crashes" },
    { name: "collect with a reserved event", run: ws('421["collect","nobody",10,"connect"]'), expect: "alive", ours: ["ignored", "alive"], node: "crashes" },
  ],

  "floods": [
    { name: "5000 echoes of an unknown event", run: ws(...many(5000, (i) => `42${i}["nope",${i}]`)), expect: "ignored" },
    { name: "100 half request lines", run: hanging(100, "GET /fixtu"), expect: "open" },
    { name: "100 half heads", run: hanging(100, `GET ${F4}${HANDSHAKE} HTTP/1.1\r\nHost: x\r\nX-Slow: `), expect: "open" },
    { name: "100 connections that say nothing", run: hanging(100, ""), expect: "open" },
    {
      name: "50 half bodies",
      run: async () => {
        const sessions = await Promise.all(many(50, () => Polling.open(F4)));
        const connections = sessions.map(({ path }) =>
          new Tcp().write(`POST ${path} HTTP/1.1`, `Host: ${base.host}`, "Content-Length: 100", "", "4"),
        );
        await assertUnnoticed();
        for (const { socket } of connections) socket.destroy();
        return "open";
      },
      expect: "open",
    },
    {
      name: "50 half frames",
      run: async () => {
        const connections = await Promise.all(many(50, () => rawWs(F4 + WEBSOCKET)));
        for (const tcp of connections) tcp.write(frame(Buffer.alloc(1000)).subarray(0, 500));
        await assertUnnoticed();
        for (const { socket } of connections) socket.resetAndDestroy();
        return "open";
      },
      expect: "open",
    },
    {
      name: "300 handshakes nobody goes on with",
      run: async () => {
        for (let i = 0; i < 10; i++) await Promise.all(many(30, () => Polling.open(F4)));
        return "open";
      },
      expect: "open",
    },
    {
      name: "200 websockets that join nothing",
      run: async () => {
        const sockets = await Promise.all(many(200, () => openWs(F4)));
        await assertUnnoticed();
        for (const { socket } of sockets) socket.terminate();
        return "open";
      },
      expect: "open",
    },
    {
      name: "200 connections opened and reset",
      run: async () => {
        await Promise.all(
          many(200, async () => {
            const tcp = new Tcp();
            await within(new Promise((resolve) => tcp.socket.once("connect", resolve)), "a connection");
            tcp.socket.resetAndDestroy();
            await tcp.closed;
          }),
        );
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "100 joined websockets that vanish in the middle of a burst",
      run: async () => {
        const sockets = await Promise.all(many(100, () => joinedWs(F4, "40/dyn-666,")));
        for (const socket of sockets) socket.send('42/dyn-666,["burst",200]');
        await Promise.all(sockets.map((socket) => socket.next("the burst")));
        for (const { socket } of sockets) socket._socket.resetAndDestroy();
        await Promise.all(sockets.map(({ closed }) => closed));
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "a client that never reads 20 MB",
      run: async () => {
        const tcp = await rawWs(F4 + WEBSOCKET);
        tcp.socket.pause();
        tcp.write(Buffer.concat([frame("40"), ...many(20, (i) => frame(`42${i}["big",1000000]`))]));
        await assertUnnoticed();
        await assertUnnoticed();
        tcp.socket.resetAndDestroy();
        return "open";
      },
      expect: "open",
    },
    {
      name: "50 hanging polls that are aborted",
      run: async () => {
        const sessions = await Promise.all(many(50, () => joined()));
        const polls = sessions.map((session) => session.get());
        await Promise.all(polls.map(({ sent }) => sent));
        for (const poll of polls) poll.abort();
        await assertUnnoticed();
        return "closed";
      },
      expect: "closed",
    },
    {
      name: "50 clients in a room, kicked with their connections while they talk",
      run: async () => {
        const sockets = await Promise.all(many(50, () => joinedWs(F4, "40/dyn-667,")));
        for (const socket of sockets) socket.send('421["x"]'.replace("42", "42/dyn-667,"), '42/dyn-667,2["join","all"]');
        await Promise.all(sockets.map((socket) => socket.expect("43/dyn-667,2[]")));
        for (const socket of sockets) socket.send('42/dyn-667,["broadcast",{"all":true},"noise"]');
        sockets[0].send('42/dyn-667,3["kick","all",true]');
        await Promise.all(sockets.map(({ closed }) => within(closed, "the close")));
        return "closed";
      },
      expect: "closed",
    },
  ],
};

// ---------------------------------------------------------------------------------------------------------------

for (const [group, rows] of Object.entries(cases)) {
  describe(group, () => {
    for (const { name, run, expect, ours, node } of rows) {
      const skip = target === "reference" && node === "crashes" && "the official server dies of it";
      test(name.length > 100 ? `${name.slice(0, 100)}…` : name, { skip }, async () => {
        const allowed = [].concat(target === "ours" && ours ? ours : expect);
        if (noticed) await connectBystanders();
        const outcome = await run();
        assert.ok(allowed.includes(outcome), `expected ${allowed.join(" or ")}, but the outcome was: ${outcome}`);
        await assertUnnoticed();
      });
    }
  });
}

describe("at the end", () => {
  test("the table has at least 100 rows", () => {
    assert.ok(Object.values(cases).flat().length >= 100);
  });

  test("the server is alive and takes new clients", async () => {
    await assertHealthy();
    assert.equal(await verdict(await joinedWs(), []), "ignored");
    assert.equal(await pollingVerdict(await joined()), "ignored");
    await assertUnnoticed();
  });
});
