// One interface to raw Socket.IO sessions over websocket and over polling.
import assert from "node:assert/strict";
import { F4, Polling, SEPARATOR } from "./http.mjs";
import { openWs } from "./ws.mjs";

/** `send(...)`: websocket messages in a row, or one payload. Binary is a Buffer on both. */
class WebsocketWire {
  static async open(mount) {
    const wire = new WebsocketWire();
    wire.ws = await openWs(mount);
    return wire;
  }

  async send(...packets) {
    this.ws.send(...packets);
  }

  next() {
    return this.ws.next();
  }

  async assertClosed() {
    await this.ws.assertClosed(1005);
  }
}

class PollingWire {
  #received = [];

  static async open(mount) {
    const wire = new PollingWire();
    wire.session = await Polling.open(mount);
    return wire;
  }

  async send(...packets) {
    await this.session.send(...packets.map((packet) => (Buffer.isBuffer(packet) ? `b${packet.toString("base64")}` : packet)));
  }

  async next() {
    while (this.#received.length === 0) {
      for (const packet of await this.session.receive()) {
        assert.notEqual(packet, "1", "the session was closed");
        if (packet === "2") await this.session.send("3");
        else if (packet !== "6") this.#received.push(packet[0] === "b" ? Buffer.from(packet.slice(1), "base64") : packet);
      }
    }
    return this.#received.shift();
  }

  /** No GET hangs, so the close waits for the next one. */
  async assertClosed() {
    assert.deepEqual(this.#received, [], "packets before the close");
    const answer = await this.session.get();
    assert.equal(`${answer.status} ${answer.body}`, `200 6${SEPARATOR}1`);
    await this.session.assertGone();
  }
}

for (const Wire of [WebsocketWire, PollingWire]) {
  Object.assign(Wire.prototype, {
    async expect(...packets) {
      for (const packet of packets) assert.deepEqual(await this.next(), packet);
    },
    /** Joins a namespace, returns the socket id. */
    async join(nsp = "/", auth = "") {
      const prefix = nsp === "/" ? "" : `${nsp},`;
      await this.send(`40${prefix}${auth}`);
      return this.expectJoined(nsp);
    },
    async expectJoined(nsp = "/") {
      const prefix = nsp === "/" ? "" : `${nsp},`;
      const reply = await this.next();
      assert.ok(typeof reply === "string" && reply.startsWith(`40${prefix}{"sid":"`), `no CONNECT reply for ${nsp} but ${reply}`);
      const data = JSON.parse(reply.slice(2 + prefix.length));
      assert.deepEqual(Object.keys(data), ["sid"]);
      return data.sid;
    },
    /** The answer to an event that is acknowledged. */
    async ask(event, ...args) {
      await this.send(`42777${JSON.stringify([event, ...args])}`);
      const reply = await this.next();
      assert.ok(typeof reply === "string" && reply.startsWith("43777["), `no ack of ${event} but ${reply}`);
      return JSON.parse(reply.slice(5));
    },
    /** Nothing came, nothing was closed: an echo on `/` comes back first. */
    async assertAlive() {
      await this.send('42987["echo","still here"]');
      await this.expect('43987["still here"]');
    },
  });
}

export const WIRES = { websocket: WebsocketWire, polling: PollingWire };

export async function joinedWire(Wire, mount = F4) {
  const wire = await Wire.open(mount);
  wire.id = await wire.join();
  return wire;
}
