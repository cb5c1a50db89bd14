// The stock socket.io-client, with promises.
import { once as onceEvent } from "node:events";
import { io } from "socket.io-client";
import { base, cleanup, within } from "./core.mjs";

export const TRANSPORTS = {
  polling: ["polling"],
  websocket: ["websocket"],
  "polling+upgrade": ["polling", "websocket"],
};

/** A client that is not yet connected. Every client has its own connection unless `forceNew: false`. */
export function client(namespace = "/", { path = "/fixture/", origin = base.origin, ...options } = {}) {
  const socket = io(`${origin}${namespace}`, {
    path,
    forceNew: true,
    reconnection: false,
    transports: ["websocket"],
    ...options,
  });
  cleanup(() => {
    socket.disconnect();
    socket.io._close();
  });
  return socket;
}

/** A connected client; with both transports it has also finished the upgrade. */
export async function connect(namespace, options) {
  const socket = client(namespace, options);
  await connected(socket);
  if (options?.transports?.length === 2) await upgraded(socket);
  return socket;
}

export async function connected(socket) {
  await within(
    new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    }),
    "connect",
  );
  return socket;
}

export async function upgraded(socket) {
  const { engine } = socket.io;
  if (engine.transport.name !== "websocket") await within(onceEvent(engine, "upgrade"), "the upgrade to websocket");
}

/** The arguments of the next `event`. */
export function next(socket, event, ms) {
  return within(new Promise((resolve) => socket.once(event, (...args) => resolve(args))), `the event ${event}`, ms);
}

/** The arguments of the next `count` times `event`. */
export function take(socket, event, count, ms) {
  const seen = [];
  return within(
    new Promise((resolve) => {
      const listener = (...args) => {
        seen.push(args);
        if (seen.length < count) return;
        socket.off(event, listener);
        resolve(seen);
      };
      socket.on(event, listener);
    }),
    `${count} times the event ${event}`,
    ms,
    () => `; got ${seen.length}`,
  );
}

/** All arguments of the acknowledgement. */
export function ask(socket, event, ...args) {
  return within(new Promise((resolve) => socket.emit(event, ...args, (...answer) => resolve(answer))), `the ack of ${event}`);
}

/** Everything the socket has received so far, in order: [[event, ...args]]. */
export function record(socket) {
  const events = [];
  socket.onAny((...args) => events.push(args));
  return events;
}
