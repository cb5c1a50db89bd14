// The network between one server and Redis, which can fail.
import { connect, createServer } from "node:net";

/** A free port that leads to Redis. Each server has a link of its own, so a command in Redis tells whose it is. */
export async function link(redis) {
  const pairs = new Set();
  let down = false;
  const server = createServer((near) => {
    near.on("error", () => {});
    if (down) return void near.resetAndDestroy();
    const far = connect({ host: "127.0.0.1", port: redis.port, noDelay: true });
    const pair = { near, far, frozen: false };
    pairs.add(pair);
    near.setNoDelay(true);
    far.on("error", () => {});
    far.on("connect", () => (pair.address = `127.0.0.1:${far.localPort}`) && addresses.add(pair.address));
    near.on("data", (bytes) => forward(pair, far, near, bytes));
    far.on("data", (bytes) => forward(pair, near, far, bytes));
    near.on("close", () => {
      pairs.delete(pair);
      far.destroy();
    });
    far.on("close", () => {
      // On a frozen link the end does not get through either.
      if (!pair.frozen) near.destroy();
    });
    near.on("end", () => far.end());
    far.on("end", () => pair.frozen || near.end());
  });
  const addresses = new Set();
  const listen = (port) => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address();

  const self = {
    url: `redis://127.0.0.1:${port}`,

    /** Every address that this link had in Redis, as `MONITOR` writes them. */
    addresses,

    /** There is no Redis at the other end: connections are refused, as they are without a link. */
    refuse: () => server.close(),

    /** There is one again. */
    accept: () => listen(port),

    /** Ends all connections; new ones end at once. */
    cut() {
      down = true;
      for (const { near, far } of pairs) {
        far.destroy();
        near.resetAndDestroy();
      }
    },

    restore() {
      down = false;
    },

    /** Half-open: on the connections there are, bytes vanish in both directions, and nobody learns of it. New ones work. */
    freeze() {
      for (const pair of pairs) pair.frozen = true;
    },

    close() {
      redis.links.delete(self);
      for (const { near, far } of pairs) {
        near.destroy();
        far.destroy();
      }
      server.close();
    },
  };
  redis.links.add(self);
  return self;
}

function forward(pair, to, from, bytes) {
  if (pair.frozen || to.destroyed) return;
  if (to.write(bytes)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
