// Calls everything that the admin example offers, and checks what it gets.
//   node examples/admin/client.mjs http://127.0.0.1:3000
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const url = process.argv[2] ?? "http://127.0.0.1:3000";

/** Resolves with the connected socket, rejects with the `connect_error`. */
const connect = (token) =>
  new Promise((resolve, reject) => {
    const socket = io(`${url}/admin`, { auth: { token }, forceNew: true, reconnection: false });
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });

/** Makes `{ ok, data, error }` what JavaScript is used to: a value, or an exception to switch on. */
async function call(socket, event, ...args) {
  const reply = await socket.timeout(10_000).emitWithAck(event, ...args);
  if (reply.ok) return reply.data;
  throw Object.assign(new Error(reply.error.code), reply.error);
}

async function failure(promise) {
  const error = await promise.then((value) => assert.fail(`no error but ${JSON.stringify(value)}`), (error) => error);
  return { ...error };
}

const refused = await connect("guess").catch((error) => error);
console.log("refused:", refused.message, refused.data);
assert.deepEqual([refused.message, refused.data], ["unauthorized", { code: "badToken" }]);

const [ann, bob, eve] = await Promise.all(["edit-ann", "edit-bob", "read-eve"].map(connect));
const audit = [];
bob.on("audit", (admin, change) => audit.push([admin, change.action]) && console.log("audit:", admin, change));

// The users of earlier runs are still there, so names must be new.
const run = Date.now().toString(36);
const user = await call(ann, "createUser", `carl ${run}`);
console.log("created:", user);
assert.deepEqual(await call(eve, "getUser", user.id), user);
assert.deepEqual(await failure(call(ann, "createUser", user.name)), { code: "nameTaken", name: user.name });
assert.deepEqual(await failure(call(ann, "createUser", " ")), { code: "badName" });
assert.equal((await call(ann, "renameUser", user.id, `dora ${run}`)).name, `dora ${run}`);
assert.deepEqual(await failure(call(eve, "deleteUser", user.id)), { code: "forbidden" });
await call(ann, "deleteUser", user.id);
assert.deepEqual(await failure(call(ann, "getUser", user.id)), { code: "notFound", id: user.id });
const misfit = await failure(call(ann, "getUser", "seven"));
console.log("misfit:", misfit);
assert.equal(misfit.code, "rejected");

let stopAt = Infinity;
ann.on("progress", (done, total, answer) => {
  console.log(`progress: ${done} of ${total}`);
  answer(done < stopAt);
});
assert.equal(await call(ann, "importUsers", ["x", "y", "z"].map((name) => `${name} ${run}`)), 3);
stopAt = 1;
const cancelled = await failure(call(ann, "importUsers", ["u", "v", "w"].map((name) => `${name} ${run}`)));
assert.deepEqual(cancelled, { code: "cancelled", done: 1 });

// What was emitted to bob before this answer has arrived with it.
const names = (await call(bob, "listUsers")).map((user) => user.name).filter((name) => name.endsWith(run));
assert.deepEqual(names, ["x", "y", "z", "u"].map((name) => `${name} ${run}`));
const actions = ["created", "renamed", "deleted", "created", "created", "created", "created"];
assert.deepEqual(audit, actions.map((action) => ["ann", action]));
console.log("all as expected");
for (const socket of [ann, bob, eve]) socket.close();
