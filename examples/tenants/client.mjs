// Connects as two tenants and one that does not exist, exceeds the limits, and calls both routes.
//   node examples/tenants/client.mjs http://127.0.0.1:3000
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const url = process.argv[2] ?? "http://127.0.0.1:3000";

/** Resolves with the connected socket, rejects with the `connect_error`. */
const connect = (path) =>
  new Promise((resolve, reject) => {
    const socket = io(url + path, { forceNew: true, reconnection: false });
    socket.onAny((...event) => console.log(`${path} hears`, ...event));
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });

for (const path of ["/tenant/9", "/tenant/seven", "/tenants"]) {
  const error = await connect(path).catch((error) => error);
  console.log(`${path} is refused:`, error.message, error.data ?? "");
  assert.ok(error instanceof Error);
}

const [ann, bob, eve] = await Promise.all(["/tenant/7", "/tenant/7", "/tenant/8"].map(connect));

const replies = await Promise.all(["a", "b", "c", "d", "e", "f"].map((text) => ann.timeout(5000).emitWithAck("post", text)));
console.log("the sixth post within a second:", replies[5]);
assert.deepEqual(replies.map((reply) => reply.ok), [true, true, true, true, true, false]);
assert.equal(replies[5].error.code, "rateLimited");
// Timers of Node may fire a millisecond early, so a client waits as often as it is told to.
for (let reply = replies[5]; !reply.ok; reply = await ann.timeout(5000).emitWithAck("post", "f")) {
  await new Promise((resolve) => setTimeout(resolve, reply.error.retryAfterMs));
}
// The limits are those of one socket: another has its own.
assert.equal((await bob.timeout(5000).emitWithAck("post", "me too")).ok, true);

console.log("a report:", await ann.timeout(5000).emitWithAck("report"));
const again = await ann.timeout(5000).emitWithAck("report");
console.log("one more:", again);
assert.ok(again.error.retryAfterMs > 1000);

/** Every socket that hears the announcement, by its tenant. */
async function announce(path, text) {
  const heard = [];
  const arrived = new Map([[ann, 7], [bob, 7], [eve, 8]].map(([socket, tenant]) => [socket, () => heard.push(tenant)]));
  for (const [socket, listener] of arrived) socket.on("announcement", listener);
  const response = await fetch(url + path, { method: "POST", body: text });
  // What was emitted before an answer has arrived with it.
  await Promise.all([ann, bob, eve].map((socket) => socket.timeout(5000).emitWithAck("name")));
  for (const [socket, listener] of arrived) socket.off("announcement", listener);
  return [response.status, heard.sort()];
}
assert.deepEqual(await announce("/announce", "to all"), [204, [7, 7, 8]]);
assert.deepEqual(await announce("/tenants/7/announce", "to acme"), [204, [7, 7]]);
assert.deepEqual(await announce("/tenants/9/announce", "to nobody"), [404, []]);
console.log("all as expected");
for (const socket of [ann, bob, eve]) socket.close();
