// Stock clients behind networks that fail again and again, while a broadcaster goes on: what arrives?
import { setTimeout as sleep } from "node:timers/promises";
import { io } from "socket.io-client";
import { proxy } from "./proxy.mjs";

/**
 * Runs the experiment against the app of the fixture.
 * `up`: the shortest and the longest time between two losses, `down`: how long each lasts, both in ms; `rate`: messages a second.
 */
export async function jitter({
  url,
  path = "/recovery/",
  clients = 200,
  seconds = 60,
  up = [2000, 6000],
  down = 2000,
  rate = 50,
  transports = ["websocket"],
  patience = 30_000,
}) {
  const broadcaster = await connected(io(url, { path, forceNew: true, transports: ["websocket"] }));
  const members = await inBatches(clients, 20, () => join(url, path, transports));
  const end = Date.now() + seconds * 1000;
  const losing = members.map((member) => lose(member, end, up, down));

  let sent = 0;
  const began = Date.now();
  while (Date.now() < end) {
    const due = ((Date.now() - began) / 1000) * rate;
    while (sent < due) broadcaster.emit("broadcast", {}, "tick", sent++);
    await sleep(5);
  }
  await Promise.all(losing);
  // The last message, once everybody is back: who has it has all that will come before it.
  await Promise.all(members.map((member) => within(patience, () => member.socket.connected)));
  await new Promise((resolve) => broadcaster.emit("broadcast", {}, "tick", sent, resolve));
  await Promise.all(members.map((member) => within(patience, () => member.seen.at(-1) === sent)));

  const figures = { clients, sent, delivered: 0, expected: clients * sent, missing: 0, twice: 0, disordered: 0 };
  figures.losses = members.reduce((sum, { losses }) => sum + losses, 0);
  figures.recovered = members.reduce((sum, { recovered }) => sum + recovered, 0);
  figures.begunAnew = members.reduce((sum, { begunAnew }) => sum + begunAnew, 0);
  for (const { seen } of members) {
    const numbers = new Set(seen);
    numbers.delete(sent);
    figures.delivered += numbers.size;
    figures.missing += sent - numbers.size;
    figures.twice += seen.length - new Set(seen).size;
    figures.disordered += seen.filter((number, at) => at > 0 && number < seen[at - 1]).length;
  }
  figures.percent = (100 * figures.delivered) / figures.expected;
  for (const member of members) {
    member.socket.disconnect();
    member.network.close();
  }
  broadcaster.disconnect();
  return figures;
}

async function join(url, path, transports) {
  const network = await proxy(url);
  const socket = io(network.url, {
    path,
    transports,
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 300,
    timeout: 5000,
  });
  const member = { network, socket, seen: [], losses: 0, recovered: 0, begunAnew: -1 };
  socket.on("tick", (number) => member.seen.push(number));
  socket.on("connect", () => {
    if (socket.recovered) member.recovered++;
    else member.begunAnew++;
  });
  await connected(socket);
  return member;
}

/** Loses the connection again and again; every second time the server does not learn of it. */
async function lose(member, end, [shortest, longest], down) {
  for (;;) {
    const time = shortest + Math.random() * (longest - shortest);
    if (Date.now() + time + down > end) return;
    await sleep(time);
    member.losses++;
    member.network.lose({ silent: member.losses % 2 === 0 });
    await sleep(down);
    member.network.restore();
    // Long after its successor: the late end of the connection that was lost silently.
    setTimeout(() => member.network.reveal(), 1000).unref();
  }
}

async function inBatches(count, size, make) {
  const made = [];
  while (made.length < count) {
    const batch = Array.from({ length: Math.min(size, count - made.length) }, make);
    made.push(...(await Promise.all(batch)));
  }
  return made;
}

async function connected(socket) {
  if (!socket.connected) await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

/** Waits, but not for ever: what is missing then shows in the figures. */
async function within(patience, happened) {
  const end = Date.now() + patience;
  while (!happened() && Date.now() < end) await sleep(10);
}
