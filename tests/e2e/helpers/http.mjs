// HTTP and raw TCP: exact requests, polling sessions.
import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { base, cleanup, within, withResolvers, DEADLINE } from "./core.mjs";

export const F1 = "/engine.io/";
export const F2 = "/socket.io/";
export const F3 = "/engine.io-v3/";
export const F4 = "/fixture/";
export const F5 = "/legacy/";
export const F6 = "/recovery/";
export const F7 = "/msgpack/";
export const F8 = "/cors/";
export const F9 = "/engine.io-deflate/";
export const F10 = "/deflate/";
export const SEPARATOR = "\x1e";

/**
 * One request, on its own connection unless an agent is given. The answer: status, headers, raw (Buffer), body (string).
 * The returned promise also has `abort()` and `sent` (resolves when the request has been written).
 */
export function request(method, path, { headers = {}, body, ms = DEADLINE, agent = false } = {}) {
  const req = http.request({ host: base.hostname, port: base.port, method, path, agent, headers });
  const sent = new Promise((resolve) => req.once("finish", resolve));
  const answer = new Promise((resolve, reject) => {
    req.once("error", reject);
    req.once("response", (res) => {
      const chunks = [];
      res.on("data", (chunk) => chunks.push(chunk));
      res.once("error", reject);
      res.once("end", () => {
        const raw = Buffer.concat(chunks);
        resolve({ status: res.statusCode, headers: res.headers, raw, body: raw.toString(), reused: req.reusedSocket });
      });
    });
  });
  cleanup(() => req.destroy());
  answer.catch(() => {});
  req.end(body);
  const promise = within(answer, `an answer to ${method} ${path}`, ms);
  promise.catch(() => {});
  return Object.assign(promise, { abort: () => req.destroy(), sent });
}

export const get = (path, options) => request("GET", path, options);
export const post = (path, body, options) =>
  request("POST", path, { body, ...options, headers: { "Content-Type": "text/plain;charset=UTF-8", ...options?.headers } });

/** The answer to an upgrade request that is refused. */
export function upgradeRequest(path, headers = {}) {
  const answer = new Promise((resolve, reject) => {
    const req = http.request({
      host: base.hostname,
      port: base.port,
      path,
      agent: false,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    });
    cleanup(() => req.destroy());
    req.once("error", reject);
    req.once("upgrade", (res, socket) => {
      cleanup(() => socket.destroy());
      resolve({ status: res.statusCode, headers: res.headers, body: "" });
    });
    req.once("response", (res) => {
      let body = "";
      res.setEncoding("utf8");
      res.on("data", (text) => (body += text));
      res.once("error", reject);
      res.once("end", () => resolve({ status: res.statusCode, headers: res.headers, body }));
    });
    req.end();
  });
  return within(answer, `an answer to the upgrade request ${path}`);
}

/** The exact error answer of the engine. */
export function assertError(answer, code, status = 400, message = MESSAGES[code]) {
  assert.deepEqual(
    { status: answer.status, type: answer.headers["content-type"], body: answer.body },
    { status, type: "application/json", body: JSON.stringify({ code, message }) },
  );
}

export const MESSAGES = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version",
];

/** A polling session: `get` and `post` on its sid. */
export class Polling {
  static async open(mount, query = "", options) {
    const answer = await get(`${mount}?EIO=4&transport=polling${query}`, options);
    assert.equal(answer.status, 200, `handshake answered ${answer.status} ${answer.body}`);
    assert.equal(answer.body[0], "0", `no open packet but ${answer.body}`);
    return new Polling(mount, JSON.parse(answer.body.slice(1)), answer);
  }

  constructor(mount, handshake, answer) {
    this.mount = mount;
    this.handshake = handshake;
    this.answer = answer;
    this.sid = handshake.sid;
    this.path = `${mount}?EIO=4&transport=polling&sid=${this.sid}`;
  }

  get(options) {
    return get(this.path, options);
  }

  post(body, options) {
    return post(this.path, body, options);
  }

  /** Sends a payload that must be accepted. */
  async send(...packets) {
    const answer = await this.post(packets.join(SEPARATOR));
    assert.deepEqual([answer.status, answer.body], [200, "ok"]);
  }

  /** The packets of the next GET. */
  async receive(options) {
    const answer = await this.get(options);
    assert.equal(answer.status, 200, `poll answered ${answer.status} ${answer.body}`);
    return answer.body.split(SEPARATOR);
  }

  /** Polls until `count` packets other than pings have come. Pings are answered. */
  async receiveCount(count) {
    const packets = [];
    while (packets.length < count) {
      for (const packet of await this.receive()) {
        if (packet === "2") await this.send("3");
        else packets.push(packet);
      }
    }
    return packets;
  }

  /** The session must be gone. */
  async assertGone() {
    assertError(await this.get(), 1);
  }

  /** The session must work: a Socket.IO or raw echo, by mount. */
  async assertAlive() {
    if (this.mount === F1) {
      await this.send("4still here");
      assert.deepEqual(await this.receiveCount(1), ["4still here"]);
    } else {
      await this.send('42987["echo","still here"]');
      assert.deepEqual(await this.receiveCount(1), ['43987["still here"]']);
    }
  }
}

/** Opens a polling session and joins `/`. */
export async function joined(mount = F4, packet = "40") {
  const session = await Polling.open(mount);
  await session.send(packet);
  const [reply] = await session.receiveCount(1);
  assert.match(reply, /^40(\/[^,]+,)?\{"sid":"[^"]+"\}$/);
  return session;
}

/** A bare TCP connection that collects what comes. */
export class Tcp {
  constructor(options = {}) {
    this.data = Buffer.alloc(0);
    const closed = withResolvers();
    this.closed = closed.promise;
    this.socket = net.connect({ host: base.hostname, port: base.port, ...options });
    this.socket.on("data", (chunk) => {
      this.data = Buffer.concat([this.data, chunk]);
      this.socket.emit("grown");
    });
    this.socket.on("error", () => {});
    this.socket.once("close", () => closed.resolve(this.data));
    cleanup(() => this.socket.destroy());
  }

  /** Writes bytes or lines joined by CRLF. */
  write(...parts) {
    this.socket.write(parts.length === 1 ? parts[0] : parts.join("\r\n"));
    return this;
  }

  get text() {
    return this.data.toString("latin1");
  }

  /** Waits until what has come satisfies `predicate` (a function of the text or a regexp). */
  until(predicate, what, ms = DEADLINE) {
    const holds = () => (predicate instanceof RegExp ? predicate.test(this.text) : predicate(this.text));
    const found = new Promise((resolve, reject) => {
      const check = () => {
        if (holds()) resolve(this.text);
      };
      this.socket.on("grown", check);
      this.closed.then(() => (holds() ? resolve(this.text) : reject(new Error(`closed before ${what}; got ${JSON.stringify(this.text.slice(0, 400))}`))));
      check();
    });
    return within(found, what, ms, () => `; got ${JSON.stringify(this.text.slice(0, 400))}`);
  }

  /** Waits for the other side to close and returns what it had sent. */
  end(what = "the server to close the connection", ms = DEADLINE) {
    return within(
      this.closed.then(() => this.text),
      what,
      ms,
      () => `; got ${JSON.stringify(this.text.slice(0, 400))}`,
    );
  }
}
