// WebSockets: the `ws` client with an inbox, and hand-made frames.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import WebSocket from "ws";
import { base, cleanup, Inbox, within, withResolvers } from "./core.mjs";
import { F1, F4, Tcp } from "./http.mjs";

/** A websocket whose messages are read one by one. Text comes as string, binary as Buffer. */
export class Ws {
  static async connect(path, options = {}) {
    const ws = new Ws(path, options);
    await within(ws.opened, `the websocket ${path} to open`);
    return ws;
  }

  constructor(path, { autoPong = false, ...options } = {}) {
    const opened = withResolvers();
    const closed = withResolvers();
    this.opened = opened.promise;
    this.closed = closed.promise;
    this.opened.catch(() => {});
    this.inbox = new Inbox();
    this.socket = new WebSocket(`ws://${base.host}${path}`, { perMessageDeflate: false, ...options });
    this.socket.once("open", opened.resolve);
    this.socket.once("error", opened.reject);
    this.socket.on("error", () => {});
    this.socket.on("message", (data, isBinary) => {
      const message = isBinary ? data : data.toString();
      if (autoPong && message === "2") this.socket.send("3");
      else this.inbox.push(message);
    });
    this.socket.once("close", (code, reason) => {
      this.inbox.end(`the websocket was closed (${code})`);
      closed.resolve({ code, reason: reason.toString() });
    });
    cleanup(() => this.socket.terminate());
  }

  send(...messages) {
    for (const message of messages) this.socket.send(message);
  }

  next(what, ms) {
    return this.inbox.next(what, ms);
  }

  async expect(...messages) {
    for (const message of messages) assert.deepEqual(await this.next(JSON.stringify(message)), message);
  }

  /** The server must close, without saying anything more, with this code. */
  async assertClosed(code = 1005) {
    const end = await within(this.closed, "the server to close the websocket", undefined, () => this.unread());
    assert.deepEqual(this.inbox.drain(), [], "messages before the close");
    assert.equal(end.code, code, "close code");
  }

  unread() {
    return `; got ${JSON.stringify(this.inbox.drain())}`;
  }

  close() {
    this.socket.close();
    return within(this.closed, "the close handshake");
  }
}

/** A websocket session on a mount: `sid` and `handshake` from the open packet. Pings are answered. */
export async function openWs(mount = F1, { query = "", ...options } = {}) {
  const ws = await Ws.connect(`${mount}?EIO=4&transport=websocket${query}`, { autoPong: true, ...options });
  const open = await ws.next("the open packet");
  assert.equal(open[0], "0", `no open packet but ${open}`);
  ws.handshake = JSON.parse(open.slice(1));
  ws.sid = ws.handshake.sid;
  return ws;
}

/** A websocket session that has joined `/` (or another namespace) of a Socket.IO mount. */
export async function joinedWs(mount = F4, packet = "40", options) {
  const ws = await openWs(mount, options);
  ws.send(packet);
  const reply = await ws.next("the CONNECT reply");
  assert.match(reply, /^40(\/[^,]+,)?\{"sid":"[^"]+"\}$/);
  ws.id = JSON.parse(reply.slice(reply.indexOf("{"))).sid;
  return ws;
}

/** Proves that the session lives: an echo comes back, and nothing else before it. */
export async function assertEchoes(ws, mount = F4) {
  if (mount === F1) {
    ws.send("4still here");
    await ws.expect("4still here");
  } else {
    ws.send('42987["echo","still here"]');
    await ws.expect('43987["still here"]');
  }
}

/** One client frame. The defaults make a valid one. */
export function frame(payload, { opcode = typeof payload === "string" ? 1 : 2, fin = true, rsv = 0, masked = true, length } = {}) {
  const body = Buffer.from(payload);
  const size = length ?? body.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = masked ? 0x80 : 0;
  if (size < 126) head.push(bit | size);
  else if (size < 65536) head.push(bit | 126, size >> 8, size & 255);
  else {
    const long = Buffer.alloc(8);
    long.writeBigUInt64BE(BigInt(size));
    head.push(bit | 127, ...long);
  }
  if (!masked) return Buffer.concat([Buffer.from(head), body]);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from(head), mask, Buffer.from(body.map((byte, i) => byte ^ mask[i & 3]))]);
}

/** A TCP connection that has done the websocket handshake; `frames()` decodes what came after it. */
export async function rawWs(path, headers = []) {
  const tcp = new Tcp();
  tcp.write(...upgradeHead(path, headers));
  await tcp.until(/\r\n\r\n/, "the upgrade answer");
  assert.match(tcp.text, /^HTTP\/1\.1 101 /);
  return tcp;
}

export function upgradeHead(path, headers = []) {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${base.host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "",
    "",
  ];
}

/** The server frames in the bytes after the HTTP head: [{opcode, payload}]. */
export function serverFrames(data) {
  const frames = [];
  let at = data.indexOf("\r\n\r\n") + 4;
  while (at >= 4 && at + 2 <= data.length) {
    let size = data[at + 1] & 0x7f;
    let start = at + 2;
    if (size === 126) [size, start] = [data.readUInt16BE(start), start + 2];
    else if (size === 127) [size, start] = [Number(data.readBigUInt64BE(start)), start + 8];
    if (start + size > data.length) break;
    frames.push({ opcode: data[at] & 15, payload: data.subarray(start, start + size) });
    at = start + size;
  }
  return frames;
}

/** The code of the server's close frame (1005 when empty), undefined when there was none. */
export function closeCode(data) {
  const close = serverFrames(data).find(({ opcode }) => opcode === 8);
  return close && (close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 1005);
}
