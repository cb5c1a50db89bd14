// Every operation of the fixture, from a server of each kind, to servers of each kind. The suites run it per setting.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { describe, eventually, test, within } from "../../helpers/harness.mjs";
import { MIXED, ask, askIn, fence, open, received, settled, startCluster } from "./cluster.mjs";
import { lint, watch } from "./lint.mjs";
import { PAYLOADS } from "./payloads.mjs";
import { VARIANTS } from "./variants.mjs";

let tags = 0;

/** One caller of each kind; the servers of a kind are alike. */
const callers = MIXED.map((kind, index) => ({ kind, index })).filter(({ kind, index }) => MIXED.indexOf(kind) === index);

/** All operations in one setting. `slow`: also those that wait for the fixed time-out of 5 s. */
export function operations(variant, { slow = false } = {}) {
  const env = VARIANTS[variant];
  let world;
  let wire;

  describe(variant, () => {
    before(async () => {
      world = await startCluster(env);
      wire = await watch(world.redis);
    });
    after(() => world?.stop());

    for (const { kind, index } of callers) {
      describe(`from ${kind}`, () => cases(() => world, index, slow));
    }

    test("nothing but well-formed messages went over the wire", async () => {
      const commands = await wire.stop();
      const writers = new Map(world.servers.flatMap(({ name, link }) => [...link.addresses].map((at) => [at, name])));
      for (const { name } of world.servers) {
        assert.ok(
          commands.some(({ from }) => writers.get(from) === name),
          `${name} was not seen`,
        );
      }
      const complaints = lint(commands, env, writers);
      assert.deepEqual(complaints.slice(0, 20), [], `${complaints.length} complaints`);
    });

    test("every server is alive", () => {
      for (const server of world.servers) assert.equal(server.exit, undefined, server.tail());
    });
  });
}

/** Clients on every server: in the red room, in the blue one, in both, in a room with a long name, in none. */
async function crowd(world, nsp = "/") {
  const tag = `t${tags++}`;
  const red = `red-${tag}`;
  const blue = `blue ✓ ${tag}`;
  // Rooms of twenty characters have no channel of their own: they look like the id of a socket.
  const twenty = `twenty-${tag}-`.padEnd(20, "x");
  const sets = [[red], [blue], [red, blue], [twenty], []];
  const sockets = await Promise.all(
    world.servers.flatMap((server) =>
      sets.map((rooms, at) => open(server, { nsp, rooms, name: `${tag} ${at} ${server.name}`, query: { tag } })),
    ),
  );
  await settled(world, sockets);
  return { tag, red, blue, twenty, sockets, on: (index) => sockets.filter(({ server }) => server === world.servers[index]) };
}

const roomsOf = (socket) => [...socket.wanted, socket.id];

/** Whether a socket is meant by a target. */
function meant(socket, { rooms = [], except = [] }) {
  const own = roomsOf(socket);
  return (rooms.length === 0 || rooms.some((room) => own.includes(room))) && !except.some((room) => own.includes(room));
}

function cases(world_, index, slow) {
  const call = async (options) => open(world_().servers[index], options);

  for (const nsp of ["/", "/chat"]) {
    test(`broadcasts reach whom they name, in ${nsp}`, async () => {
      const world = world_();
      const { red, blue, twenty, sockets, on } = await crowd(world, nsp);
      const caller = await call();
      const elsewhere = on((index + 1) % world.servers.length);
      const here = on(index);
      const targets = [
        {},
        { rooms: [red] },
        { rooms: [red, blue] },
        { rooms: [twenty] },
        { rooms: ["nobody is here"] },
        { except: [red] },
        { rooms: [red], except: [blue] },
        { rooms: [red, blue], except: [blue] },
        { rooms: [elsewhere[0].id] },
        { rooms: [here[0].id] },
        { rooms: [elsewhere[4].id, here[4].id, red] },
        { except: [elsewhere[0].id] },
        { rooms: [blue], flags: { compress: false } },
        { rooms: [red], flags: { local: true } },
        { flags: { local: true } },
      ];
      for (const [at, target] of targets.entries()) {
        assert.equal(await ask(caller, "emit", { nsp, ...target }, `case-${at}`, [at, "x"]), "ok");
      }
      await fence(caller, sockets, nsp);
      for (const [at, target] of targets.entries()) {
        const local = target.flags?.local;
        for (const socket of sockets) {
          const expected = meant(socket, target) && (!local || socket.server === world.servers[index]) ? [[at, "x"]] : [];
          const what = `${JSON.stringify(target)} at ${socket.server.name} in [${socket.wanted}]`;
          assert.deepEqual(received(socket, `case-${at}`, world), expected, what);
        }
      }
      assert.deepEqual(
        caller.events.filter(([name]) => name.startsWith("case-") && nsp !== "/"),
        [],
        "the other namespace",
      );
    });
  }

  test("volatile broadcasts reach whom they name, if nothing else is on its way", async () => {
    const world = world_();
    const { red, sockets } = await crowd(world);
    const caller = await call();
    const target = { rooms: [red], flags: { volatile: true } };
    const members = sockets.filter((socket) => meant(socket, target));
    await eventually("a volatile event at each", async () => {
      await ask(caller, "emit", target, "volatile", ["x"]);
      return members.every((socket) => received(socket, "volatile", world).length > 0);
    });
    await fence(caller, sockets);
    for (const socket of sockets) {
      for (const args of received(socket, "volatile", world)) assert.deepEqual(args, ["x"]);
      if (!members.includes(socket)) assert.deepEqual(received(socket, "volatile", world), []);
    }
  });

  test("a socket's own broadcasts reach all but itself", async () => {
    const world = world_();
    const { red, blue, sockets } = await crowd(world, "/chat");
    const caller = await call({ nsp: "/chat", rooms: [red] });
    await settled(world, [...sockets, caller]);
    const targets = [{}, { rooms: [red] }, { rooms: [red, blue] }, { except: [blue] }];
    for (const [at, target] of targets.entries()) await ask(caller, "socket-emit", target, `own-${at}`, [at]);
    await fence(caller, [...sockets, caller], "/chat");
    for (const [at, target] of targets.entries()) {
      assert.deepEqual(received(caller, `own-${at}`, world), []);
      for (const socket of sockets) {
        assert.deepEqual(received(socket, `own-${at}`, world), meant(socket, target) ? [[at]] : []);
      }
    }
  });

  test("data arrives as it was sent", async () => {
    const world = world_();
    const sockets = await Promise.all(world.servers.map((server) => open(server)));
    const caller = await call();
    const wide = Object.entries(PAYLOADS).filter(([, { notFrom }]) => !notFrom?.(world.servers[index].kind, world.env));
    for (const [name, { args }] of wide) await ask(caller, "emit", {}, name, args);
    await fence(caller, sockets);
    for (const [name, { args }] of wide) {
      for (const socket of sockets) assert.deepEqual(received(socket, name, world), [args], `${name} at ${socket.server.name}`);
    }
  });

  test("a megabyte arrives", async () => {
    const world = world_();
    const sockets = await Promise.all(world.servers.map((server) => open(server)));
    const caller = await call();
    const text = "é0123456789abcde".repeat(30_000);
    const bytes = Buffer.alloc(450_000, "binary");
    await ask(caller, "emit", {}, "large", [text, { bytes }]);
    await fence(caller, sockets);
    for (const socket of sockets) assert.deepEqual(received(socket, "large", world), [[text, { bytes }]]);
  });

  test("events of one server keep their order", async () => {
    const world = world_();
    const sockets = await Promise.all(world.servers.map((server) => open(server)));
    const caller = await call();
    for (let at = 0; at < 500; at++) caller.emit("emit", {}, "step", at % 7 === 0 ? [at, Buffer.from([1])] : [at], () => {});
    await fence(caller, sockets);
    const expected = Array.from({ length: 500 }, (_, at) => at);
    for (const socket of sockets)
      assert.deepEqual(
        received(socket, "step", world).map(([at]) => at),
        expected,
      );
  });

  test("a flood comes from the server that was asked, in order", async () => {
    const world = world_();
    const sockets = await Promise.all(world.servers.map((server) => open(server)));
    const caller = await call();
    await ask(caller, "flood", {}, "drop", 50, 2);
    await eventually("all drops", () => sockets.every((socket) => received(socket, "drop", world).length === 50));
    for (const socket of sockets) {
      const drops = received(socket, "drop", world);
      assert.deepEqual(
        drops.map(([at]) => at),
        Array.from({ length: 50 }, (_, at) => at),
      );
      for (const [, time, name] of drops) {
        assert.equal(name, world.servers[index].name);
        assert.ok(Math.abs(Date.now() - time) < 60_000, `a time in ms: ${time}`);
      }
    }
  });

  describe("broadcasts with acks", () => {
    const answering = async (world, nsp = "/") => {
      const gathered = await crowd(world, nsp);
      for (const socket of gathered.sockets) {
        socket.on("ask", (x, ack) => ack({ name: socket.id, x }, "more is ignored"));
        socket.on("ask-binary", (ack) => ack(Buffer.from([8, 9])));
        socket.on("silence", () => {});
      }
      return gathered;
    };
    const names = ({ responses }) => responses.map(({ name }) => name).sort();

    for (const nsp of ["/", "/chat"]) {
      test(`gather an answer of each client, in ${nsp}`, async () => {
        const world = world_();
        const { red, blue, sockets } = await answering(world, nsp);
        const caller = await call();
        for (const target of [{ rooms: [red, blue] }, { rooms: [red] }, { rooms: [red], except: [blue] }]) {
          const answer = await ask(caller, "emit-ack", { nsp, ...target }, 3000, "ask", ["é"]);
          assert.equal(answer.err, null);
          assert.deepEqual(
            names(answer),
            sockets
              .filter((socket) => meant(socket, target))
              .map(({ id }) => id)
              .sort(),
          );
          for (const { x } of answer.responses) assert.equal(x, "é");
        }
      });
    }

    test("take binary answers", async () => {
      const world = world_();
      const { blue, sockets } = await answering(world);
      const answer = await ask(await call(), "emit-ack", { rooms: [blue] }, 3000, "ask-binary", []);
      const expected = sockets.filter((socket) => meant(socket, { rooms: [blue] })).map(() => Buffer.from([8, 9]));
      assert.deepEqual(answer, { err: null, responses: expected });
    });

    test("carry binary", async () => {
      const world = world_();
      const { blue, sockets } = await answering(world);
      const bytes = { deep: [Buffer.from([1, 2, 3])] };
      const answer = await ask(await call(), "emit-ack", { rooms: [blue] }, 3000, "ask", [bytes]);
      assert.equal(answer.err, null);
      assert.deepEqual(
        answer.responses.map(({ x }) => x),
        sockets.filter((s) => meant(s, { rooms: [blue] })).map(() => bytes),
      );
    });

    test("give what has come when the time is up", async () => {
      const world = world_();
      const { red, sockets } = await answering(world);
      const members = sockets.filter((socket) => meant(socket, { rooms: [red] }));
      const quiet = members.filter(({ server }) => server === world.servers.at(-1));
      for (const socket of quiet) socket.off("ask").on("ask", () => {});
      const answer = await ask(await call(), "emit-ack", { rooms: [red] }, 400, "ask", [1]);
      assert.equal(typeof answer.err, "string");
      assert.deepEqual(
        names(answer),
        members
          .filter((socket) => !quiet.includes(socket))
          .map(({ id }) => id)
          .sort(),
      );
    });

    test("end at once when there is nobody", async () => {
      const caller = await call();
      const began = Date.now();
      const answer = await askIn(20_000, caller, "emit-ack", { rooms: ["nobody is here"] }, 15_000, "ask", [1]);
      assert.deepEqual(answer, { err: null, responses: [] });
      assert.ok(Date.now() - began < 10_000, "before the time-out");
    });

    test("stay here if they are local", async () => {
      const world = world_();
      const { red, on } = await answering(world);
      const answer = await ask(await call(), "emit-ack", { rooms: [red], flags: { local: true } }, 500, "ask", [1]);
      // Node waits for the other servers all the same.
      if (world.servers[index].kind === "ours") assert.equal(answer.err, null);
      assert.deepEqual(
        names(answer),
        on(index)
          .filter((s) => meant(s, { rooms: [red] }))
          .map(({ id }) => id)
          .sort(),
      );
    });
  });

  for (const nsp of ["/", "/chat"]) {
    test(`sockets are fetched with their data and handshake, in ${nsp}`, async () => {
      const world = world_();
      const { tag, red, blue, sockets } = await crowd(world, nsp);
      const guest = await open(world.servers.at(-1), {
        nsp,
        rooms: [red],
        name: `${tag} guest`,
        auth: { token: { a: [1, "é"] } },
      });
      const all = [...sockets, guest];
      const caller = await call();
      for (const target of [
        {},
        { rooms: [red, blue] },
        { rooms: [red] },
        { rooms: [red], except: [blue] },
        { rooms: [guest.id] },
      ]) {
        const { err, sockets: found } = await ask(caller, "fetch-sockets", { nsp, ...target });
        assert.equal(err, null);
        const ours = found.filter(({ query }) => query.name?.startsWith(`${tag} `));
        const expected = all.filter((socket) => meant(socket, target));
        assert.deepEqual(ours.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort(), JSON.stringify(target));
        for (const socket of expected) {
          const { id, rooms, data, address, query, auth, hasHeaders, issued, url } = ours.find(({ id }) => id === socket.id);
          assert.deepEqual(rooms, roomsOf(socket).sort(), `rooms of ${id}`);
          assert.deepEqual(data, { name: query.name, srv: socket.server.name });
          assert.deepEqual({ address, hasHeaders }, { address: "127.0.0.1", hasHeaders: true });
          assert.deepEqual(auth, socket === guest ? { token: { a: [1, "é"] } } : {});
          assert.equal(query.EIO, "4");
          assert.equal(query.transport, "websocket");
          assert.ok(Math.abs(Date.now() - issued) < 60_000, `issued in ms: ${issued}`);
          assert.match(url, /^\/socket\.io\/\?.*transport=websocket/);
        }
      }
    });
  }

  test("one socket anywhere is asked, and answers", async () => {
    const world = world_();
    const caller = await call();
    for (const server of world.servers) {
      const socket = await open(server);
      socket.on("ask", (x, ack) => ack({ x, bytes: Buffer.from([1]) }));
      socket.on("silence", () => {});
      await settled(world, [socket]);
      const answer = await ask(caller, "remote-emit-ack", socket.id, 3000, "ask", [[1, { two: null }]]);
      assert.deepEqual(answer, { err: null, response: { x: [1, { two: null }], bytes: Buffer.from([1]) } }, server.name);
      const late = await ask(caller, "remote-emit-ack", socket.id, 200, "silence", []);
      assert.equal(typeof late.err, "string", server.name);
    }
    const nobody = await ask(caller, "remote-emit-ack", "AAAAAAAAAAAAAAAAAAAA", 300, "ask", [1]);
    assert.equal(typeof nobody.err, "string");
  });

  test("sockets join and leave rooms from afar", async () => {
    const world = world_();
    const { tag, red, blue, sockets } = await crowd(world);
    const caller = await call();
    const [one, two] = [`one-${tag}`, `two-${tag}`];
    const rooms = (socket) => ask(socket, "whoami").then((who) => who.rooms);
    const become = (what, test_) =>
      eventually(what, async () => (await Promise.all(sockets.map(async (s) => test_(s, await rooms(s))))).every(Boolean));

    const target = { rooms: [red], except: [blue] };
    const joining = sockets.filter((socket) => meant(socket, target));
    const staying = sockets.filter((socket) => socket.wanted.includes(red) && !joining.includes(socket));
    assert.equal(await ask(caller, "sockets-join", target, [one, two]), "ok");
    await become(
      "they have joined",
      (s, own) => own.includes(one) === joining.includes(s) && own.includes(two) === joining.includes(s),
    );
    for (const socket of joining) socket.wanted = [red, one, two];
    await settled(world, sockets);
    await ask(caller, "emit", { rooms: [one] }, "in-one", []);
    await fence(caller, sockets);
    for (const socket of sockets) assert.equal(received(socket, "in-one", world).length, joining.includes(socket) ? 1 : 0);

    assert.equal(await ask(caller, "sockets-leave", { rooms: [two] }, [one, red]), "ok");
    await become("they have left", (s, own) => !own.includes(one) && own.includes(red) === staying.includes(s));
    assert.ok((await rooms(joining[0])).includes(two));
  });

  test("a socket's own joins and leaves hold", async () => {
    const world = world_();
    const tag = `t${tags++}`;
    const server = world.servers[(index + 1) % world.servers.length];
    const socket = await open(server);
    const caller = await call();
    assert.equal(await ask(socket, "join", [`a-${tag}`, `b-${tag}`]), "ok");
    socket.wanted = [`a-${tag}`, `b-${tag}`];
    // Ours has subscribed when the join returns, Node some time later.
    if (server.kind === "node") await settled(world, [socket]);
    await ask(caller, "emit", { rooms: [`a-${tag}`] }, "to-a", [1]);
    await fence(caller, [socket]);
    assert.deepEqual(received(socket, "to-a", world), [[1]]);
    assert.equal(await ask(socket, "leave", [`a-${tag}`]), "ok");
    await ask(caller, "emit", { rooms: [`a-${tag}`] }, "to-a", [2]);
    await ask(caller, "emit", { rooms: [`b-${tag}`] }, "to-b", [3]);
    await fence(caller, [socket]);
    assert.deepEqual(received(socket, "to-a", world), [[1]]);
    assert.deepEqual(received(socket, "to-b", world), [[3]]);
    assert.deepEqual((await ask(socket, "whoami")).rooms, [socket.id, `b-${tag}`].sort());
  });

  for (const close of [false, true]) {
    test(`sockets are disconnected from afar, ${close ? "with" : "without"} their connection`, async () => {
      const world = world_();
      const { red, blue, sockets } = await crowd(world);
      const caller = await call();
      const target = { rooms: [red], except: [blue] };
      const ending = sockets.filter((socket) => meant(socket, target));
      const reasons = ending.map((socket) => new Promise((resolve) => socket.once("disconnect", resolve)));
      const ends = close ? ending.map(({ io: { engine } }) => new Promise((resolve) => engine.once("close", resolve))) : [];
      assert.equal(await ask(caller, "disconnect-sockets", target, close), "ok");
      for (const reason of await within(Promise.all(reasons), "all of them disconnected")) {
        assert.ok(["io server disconnect", "transport close"].includes(reason), reason);
        if (!close) assert.equal(reason, "io server disconnect");
      }
      await within(Promise.all(ends), "their connections to end");
      await fence(
        caller,
        sockets.filter((socket) => !ending.includes(socket)),
      );
    });
  }

  for (const nsp of ["/", "/chat"]) {
    test(`servers talk to the others, in ${nsp}`, async () => {
      const world = world_();
      const sockets = await Promise.all(world.servers.map((server) => open(server)));
      const caller = await call();
      const note = [`note-${tags++}`, { a: [1, 2.5, null, "é"] }];
      assert.equal(await ask(caller, "server-side-emit", nsp, "sse-note", note), "ok");
      const found = async (socket) => (await ask(socket, "sse-log")).filter(([, name]) => name === note[0]);
      const others = sockets.filter(({ server }) => server !== world.servers[index]);
      for (const socket of others) {
        await eventually(`the note at ${socket.server.name}`, async () => (await found(socket)).length > 0);
        assert.deepEqual(await found(socket), [[nsp, ...note]]);
      }

      const { err, responses } = await ask(caller, "server-side-emit-ack", nsp, "sse-ask", [{ deep: [1, { é: null }] }]);
      assert.equal(err, null);
      const names = others.map(({ server }) => server.name).sort();
      assert.deepEqual(responses.map(({ from }) => from).sort(), names);
      for (const { x } of responses) assert.deepEqual(x, { deep: [1, { é: null }] });
      // The others have answered, so a note would have come as well by now.
      assert.deepEqual(await found(caller), [], "not to itself");
    });
  }

  test("servers send binary to the others", async () => {
    const world = world_();
    const caller = await call();
    const bytes = Buffer.from([1, 2]);
    const { err, responses } = await ask(caller, "server-side-emit-ack", "/", "sse-ask", [{ bytes }]);
    assert.equal(err, null);
    assert.equal(responses.length, world.servers.length - 1);
    // These messages are JSON in the classic adapter, and Node writes buffers so; between two of ours they stay what they are.
    const { kind } = world.servers[index];
    for (const { from, x } of responses) {
      const damaged = world.env.ADAPTER === "redis" && (kind === "node" || from.startsWith("node"));
      assert.deepEqual(x.bytes, damaged ? { type: "Buffer", data: [1, 2] } : bytes, from);
    }
  });

  if (slow) {
    test("servers that never answer are an error", async () => {
      const began = Date.now();
      const answer = await askIn(15_000, await call(), "server-side-emit-ack", "/", "sse-silent", [1]);
      assert.equal(typeof answer.err, "string");
      assert.deepEqual(answer.responses, []);
      assert.ok(Date.now() - began > 3000, "after the time-out");
    });
  }

  for (const nsp of ["/", "/chat"]) {
    test(`servers are counted, in ${nsp}`, async () => {
      const world = world_();
      assert.equal(await ask(await call({ nsp }), "server-count"), world.servers.length);
    });
  }
}

/** Clusters with another prefix on the same Redis: nobody hears those of the default one. */
export function prefixes(variant) {
  test(`${variant}: another prefix is another cluster`, async () => {
    const env = VARIANTS[variant];
    const world = await startCluster(env, { kinds: MIXED.slice(0, 2) });
    let other;
    try {
      other = await startCluster({ ...env, PREFIX: "my:app-1" }, { kinds: MIXED.slice(0, 2), redis: world.redis });
      const here = await Promise.all(world.servers.map((server) => open(server, { rooms: ["red"] })));
      const there = await Promise.all(other.servers.map((server) => open(server, { rooms: ["red"] })));
      await settled(world, here);
      await settled(other, there);
      for (const [caller, name] of [...here.map((s) => [s, "here"]), ...there.map((s) => [s, "there"])]) {
        await ask(caller, "emit", {}, name, [1]);
        await ask(caller, "emit", { rooms: ["red"] }, name, [2]);
        assert.equal(await ask(caller, "server-count"), 2);
        assert.equal((await ask(caller, "fetch-sockets", {})).sockets.length, 2);
        await fence(caller, name === "here" ? here : there);
      }
      for (const socket of here) {
        assert.equal(received(socket, "here", world).length, 4);
        assert.equal(received(socket, "there", world).length, 0);
      }
      for (const socket of there) {
        assert.equal(received(socket, "there", other).length, 4);
        assert.equal(received(socket, "here", other).length, 0);
      }
    } finally {
      await other?.stop();
      await world.stop();
    }
  });
}
