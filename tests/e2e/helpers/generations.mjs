// The stock clients of every generation, with promises. Those before 3 speak revision 3 of Engine.IO.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { io as io48 } from "socket.io-client";
import { base, cleanup, within } from "./core.mjs";

const require = createRequire(import.meta.url);

/** Name, what opens a connection, and the revision of Engine.IO. */
export const GENERATIONS = [
  { name: "1.7", io: require("socket.io-client-1"), eio: 3 },
  { name: "2.0", io: require("socket.io-client-2.0"), eio: 3 },
  { name: "2.5", io: require("socket.io-client-2.5"), eio: 3 },
  { name: "3.1", io: require("socket.io-client-3.1").io, eio: 4 },
  { name: "4.0", io: require("socket.io-client-4.0").io, eio: 4 },
  { name: "4.8", io: io48, eio: 4 },
];

/** The engine.io-client of socket.io-client 2.5. */
export const oldEngine = createRequire(require.resolve("socket.io-client-2.5"))("engine.io-client");

/** A client that is not yet connected. `auth` goes where the generation has it. */
export function client({ io, eio }, namespace = "/", { path = "/legacy/", auth, ...options } = {}) {
  const query = eio === 3 && auth ? `?${new URLSearchParams(auth)}` : "";
  const socket = io(`${base.origin}${namespace}${query}`, {
    path,
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
    ...(eio === 4 && auth ? { auth } : {}),
    ...options,
  });
  cleanup(() => {
    socket.disconnect();
    // Before 3, a manager stays open for the namespaces that nobody used.
    socket.io.engine?.close();
  });
  return socket;
}

/** A connected client; with both transports it has also finished the upgrade. */
export async function connect(generation, namespace, options) {
  const socket = client(generation, namespace, options);
  await connected(generation, socket);
  if (options?.transports?.length === 2) await upgraded(socket);
  return socket;
}

export function connected(generation, socket) {
  return within(
    new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once(refusalEvent(generation), (error) => reject(new Error(`refused: ${JSON.stringify(error)} ${error}`)));
    }),
    "connect",
  );
}

/** How a generation calls a refusal by the namespace. */
export const refusalEvent = ({ eio }) => (eio === 3 ? "error" : "connect_error");

export async function upgraded(socket) {
  const { engine } = socket.io;
  if (engine.transport.name === "websocket") return;
  await within(new Promise((resolve) => engine.once("upgrade", resolve)), "the upgrade to websocket");
  assert.equal(engine.transport.name, "websocket");
}
