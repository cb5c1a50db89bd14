// A flood of numbered messages while something fails, and what became of each of them.
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../helpers/harness.mjs";
import { ask, connected, client, drop } from "./cluster.mjs";

/** Later than this after it was sent, in ms, a message is late. */
const LATE = 1000;
/** Once nothing has come for so long, in ms, nothing more will. */
const QUIET = 1000;

/**
 * Floods everybody from the server `from` while `fault` runs, which returns when the outage began and ended.
 * Gives figures per receiving server; the sender's own clients are `here`.
 */
export async function traffic(world, { from = 0, count, interval = 5, floods = 1, fault, patience = 20_000 }) {
  const sender = world.servers[from];
  const listeners = await Promise.all(world.servers.map((server) => listen(server, count)));
  const caller = await connected(client(sender));
  const began = Date.now();
  for (let at = 0; at < floods; at++) await ask(caller, "flood", {}, `flood-${at}`, count / floods, interval);
  const outage = await fault(caller);
  await sleep(Math.max(0, began + (count / floods) * interval - Date.now()));
  if (sender.exit === undefined) await silent(listeners, caller, outage, patience);
  else await eventually("nothing more comes", () => listeners.every(({ last }) => Date.now() - last > QUIET));
  // What was lost may have been seen nowhere, so its time is reckoned.
  const sentAt = (key) =>
    listeners.map(({ seen }) => seen.get(key)?.sent).find(Boolean) ?? began + Number(key.split("/")[1]) * interval;
  const figures = listeners.map((listener) =>
    judge(listener, { count, floods, outage, sentAt, here: listener.server === sender }),
  );
  for (const { socket } of listeners) drop(socket);
  drop(caller);
  return { receivers: figures, died: world.servers.filter(({ exit }) => exit !== undefined).map(({ name }) => name) };
}

async function listen(server) {
  const socket = await connected(client(server, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 }));
  const self = { server, socket, seen: new Map(), order: [], arrivals: [], twice: 0, probes: new Set(), last: Date.now() };
  socket.onAny((event, index, sent) => {
    self.last = Date.now();
    self.arrivals.push(self.last);
    if (event === "probe") return void self.probes.add(index);
    if (!event.startsWith("flood-")) return;
    const key = `${event}/${index}`;
    if (self.seen.has(key)) self.twice++;
    else self.seen.set(key, { sent, at: self.last });
    self.order.push([event, index]);
  });
  return self;
}

/** Probes until each hears the sender again, or does not in time, and until nothing old comes any more. */
async function silent(listeners, caller, outage, patience) {
  const end = Date.now() + patience;
  let probe = 0;
  const heard = () => listeners.every(({ server, probes }) => server.exit !== undefined || probes.size > 0);
  while (!heard() && Date.now() < end && caller.connected) {
    caller.emit("emit", {}, "probe", [probe++], () => {});
    await sleep(100);
  }
  const flooding = ({ last }) => Date.now() - last <= QUIET;
  while (listeners.some(flooding) && Date.now() < end + patience) await sleep(50);
  outage.heard = heard();
}

/** How many of the messages sent during the outage are such. */
const during = (seen, { from, until }, which) =>
  [...seen.values()].filter(({ sent }) => sent >= from && sent < until).filter(which).length;

function judge({ server, seen, order, arrivals, twice }, { count, floods, outage, sentAt, here }) {
  const all = Array.from({ length: floods }, (_, flood) =>
    Array.from({ length: count / floods }, (_, at) => `flood-${flood}/${at}`),
  ).flat();
  const lost = all.filter((key) => !seen.has(key)).map(sentAt);
  const delays = [...seen.values()].map(({ sent, at }) => at - sent);
  const latest = new Map();
  let disordered = 0;
  for (const [event, index] of order) {
    if (index < (latest.get(event) ?? -1)) disordered++;
    latest.set(event, Math.max(index, latest.get(event) ?? -1));
  }
  const since = [outage.from, ...arrivals.filter((at) => at >= outage.from)];
  return {
    server,
    here,
    sent: count,
    lost: lost.length,
    twice,
    disordered,
    late: delays.filter((delay) => delay > LATE).length,
    worst: Math.max(0, ...delays),
    /** The longest time in which nothing came, if it had an end. */
    silence: outage.heard ? Math.max(...since.map((at, index) => at - since[Math.max(0, index - 1)])) : undefined,
    /** When what was lost had been sent, in ms before the outage and after it. */
    lostBefore: lost.length > 0 ? Math.max(0, outage.from - Math.min(...lost)) : 0,
    lostAfter: lost.length > 0 ? Math.max(0, Math.max(...lost) - outage.until) : 0,
    /** Of what was sent while it lasted, how much came and how much came while it lasted. */
    meanwhile: during(seen, outage, () => true),
    served: during(seen, outage, ({ at }) => at <= outage.until),
    heard: outage.heard,
  };
}
