// A TCP proxy in front of the server, for networks that fail.
import { connect, createServer } from "node:net";

/** Proxies a free port to `target`, a URL. */
export async function proxy(target) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  let down = false;
  const server = createServer((client) => {
    client.on("error", () => {});
    if (down) return void client.resetAndDestroy();
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
    upstream.on("error", () => {});
    client.setNoDelay(true);
    const pair = { client, upstream };
    pairs.add(pair);
    client.on("close", () => {
      if (!pair.silent) upstream.destroy();
    });
    upstream.on("close", () => {
      pairs.delete(pair);
      client.destroy();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${server.address().port}`,

    /** Cuts all connections and takes no new ones. `silent`: the server does not learn of it. */
    lose({ silent = false } = {}) {
      down = true;
      for (const pair of pairs) {
        pair.silent ||= silent;
        if (silent) {
          pair.client.unpipe(pair.upstream);
          pair.upstream.unpipe(pair.client);
          // What the server sends is lost, but taken.
          pair.upstream.resume();
        }
        pair.client.resetAndDestroy();
      }
    },

    /** Takes connections again. */
    restore() {
      down = false;
    },

    /** The server learns of what was lost silently. */
    reveal() {
      for (const pair of pairs) if (pair.silent) pair.upstream.destroy();
    },

    close() {
      for (const { client, upstream } of pairs) {
        client.destroy();
        upstream.destroy();
      }
      server.close();
    },
  };
}
