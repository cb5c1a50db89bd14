// A load balancer: each connection goes to the next server that takes it.
import { connect, createServer } from "node:net";

/** In front of these ports of the loopback. */
export async function balance(ports) {
  const open = new Set();
  let turn = 0;
  const server = createServer((client) => {
    open.add(client);
    client.on("error", () => {});
    client.on("close", () => open.delete(client));
    client.setNoDelay(true);
    reach(client, ports.length);
  });
  const reach = (client, attempts) => {
    if (attempts === 0 || client.destroyed) return void client.destroy();
    const upstream = connect({ host: "127.0.0.1", port: ports[turn++ % ports.length], noDelay: true });
    const refused = () => reach(client, attempts - 1);
    upstream.once("error", refused);
    upstream.once("connect", () => {
      upstream.off("error", refused);
      upstream.on("error", () => {});
      upstream.on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
      client.pipe(upstream);
      upstream.pipe(client);
    });
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const client of open) client.destroy();
      server.close();
    },
  };
}
