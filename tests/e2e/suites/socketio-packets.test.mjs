// Socket.IO packets, byte for byte, over websocket and over polling.
import assert from "node:assert/strict";
import { deliberate, describe, eventually, nodeOnly, test } from "../helpers/core.mjs";
import { F4 } from "../helpers/http.mjs";
import { WIRES, joinedWire } from "../helpers/wire.mjs";

const hole = (num) => `{"_placeholder":true,"num":${num}}`;
const bytes = (...list) => Buffer.from(list);
const INVALID = '{"message":"Invalid namespace"}';
const REFUSED = '{"message":"not authorized","data":{"code":"E_AUTH","retryAfter":42,"nested":{"list":[1,2,3]}}}';

// [what is sent, the namespace joined, the auth the server sees]
const CONNECTS = [
  ["40", "/", {}],
  ["40{}", "/", {}],
  ["40/", "/", {}],
  ["40/,", "/", {}],
  ['40{"t":[1,{"é":null}]}', "/", { t: [1, { é: null }] }],
  ['40/,{"t":1}', "/", { t: 1 }],
  ["40/chat", "/chat", {}],
  ["40/chat,", "/chat", {}],
  ['40/chat,{"t":1}', "/chat", { t: 1 }],
  ["40/dyn-12345,", "/dyn-12345", {}],
  ['40/auth,{"token":"secret"}', "/auth", { token: "secret" }],
  ['40/auth,{"token":"slow"}', "/auth", { token: "slow" }],
];

// [what is sent, the exact reply]; the connection stays
const CONNECT_ERRORS = [
  ["40/nope,", `44/nope,${INVALID}`],
  ["40/nope", `44/nope,${INVALID}`],
  ["40/Chat,", `44/Chat,${INVALID}`],
  ["40/chat/,", `44/chat/,${INVALID}`],
  ["40//,", `44//,${INVALID}`],
  ["40/chat?x=1,", `44/chat?x=1,${INVALID}`],
  ['40/chat{"t":1}', `44/chat{"t":1},${INVALID}`],
  ["40/dyn-,", `44/dyn-,${INVALID}`],
  ["40/dyn-1x,", `44/dyn-1x,${INVALID}`],
  ["40/xdyn-1,", `44/xdyn-1,${INVALID}`],
  ["40/dyn-1/dyn-1,", `44/dyn-1/dyn-1,${INVALID}`],
  ["40/世界,", `44/世界,${INVALID}`],
  ["40/__proto__,", `44/__proto__,${INVALID}`],
  ["40/auth,", `44/auth,${REFUSED}`],
  ['40/auth,{"token":"x"}', `44/auth,${REFUSED}`],
  ['40/auth,{"token":{"a":1}}', `44/auth,${REFUSED}`],
  ['40/auth,{"token":"plain"}', '44/auth,{"message":"plain refusal"}'],
];

// on a connection that has joined nothing
const CLOSING_FIRST = [
  "40[]",
  '40"x"',
  "40null",
  "40true",
  "40{bad",
  "40/chat,[]",
  '40/chat,"x"',
  "41",
  "41/chat,",
  '42["echo"]',
  '42/chat,["echo"]',
  "43",
  "430[]",
  "44",
  '44{"message":"x"}',
  "4",
  "47",
  "49[]",
  "4x",
  "4-1",
  "4/",
];

// on a connection that has joined `/`
const CLOSING = [
  "40",
  "40{}",
  "40/,",
  "44",
  '44{"message":"x"}',
  '44"x"',
  '42/chat,["echo"]',
  "41/chat,",
  "43/chat,0[]",
  '42/nope,["echo"]',
  "41{}",
  "41[]",
  "42{}",
  "42[]",
  "42[null]",
  "42[true]",
  "42[{}]",
  '42[["echo"]]',
  '42"echo"',
  "42null",
  '42["echo"',
  '42["echo",]',
  "42['echo']",
  '42["echo"]x',
  '42["\\x"]',
  '42["connect"]',
  '42["connect_error"]',
  '42["disconnect"]',
  '42["disconnecting"]',
  '42["newListener"]',
  '42["removeListener"]',
  '420["disconnect"]',
  '42abc["echo"]',
  '42-1["echo"]',
  '421.5["echo"]',
  '42+1["echo"]',
  '421e1["echo"]',
  "430{}",
  '430"x"',
  "430null",
  "43{}",
  "45",
  '45["echo"]',
  '451["echo"]',
  '45-["echo"]',
  '450-["echo"]',
  '45-1-["echo"]',
  '451.5-["echo"]',
  '45x-["echo"]',
  `4511-["echo",${hole(0)}]`,
  `45999999999999-["echo",${hole(0)}]`,
  "46",
  "460[]",
  "460-0[]",
  "4611-0[]",
  "451-{}",
  "451-[]",
  '451-["disconnect"]',
  `451-[${hole(0)}]`,
  "461-0{}",
].map((packet) => [packet]);

// a pending binary packet, completed or interrupted in a wrong way
CLOSING.push(
  [bytes(1, 2, 3)],
  [bytes()],
  [`451-["echo",${hole(0)}]`, '42["echo"]'],
  [`451-["echo",${hole(0)}]`, "41"],
  [`451-["echo",${hole(0)}]`, `451-["echo",${hole(0)}]`],
  [`451-["echo",${hole(0)}]`, "40/chat,"],
  [`452-["echo",${hole(0)},${hole(1)}]`, bytes(1), '42["echo"]'],
  [`451-["nope",${hole(0)}]`, bytes(1), bytes(2)],
  [`451-["echo",${hole(1)}]`, bytes(1)],
  [`451-["echo",${hole(-1)}]`, bytes(1)],
  [`451-["echo",${hole('"0"')}]`, bytes(1)],
  [`451-["echo",${hole("null")}]`, bytes(1)],
  ['451-["echo",{"_placeholder":true}]', bytes(1)],
  [`452-["echo",${hole(0)},${hole(2)}]`, bytes(1), bytes(2)],
  [`461-0[${hole(7)}]`, bytes(1)],
);

const IGNORED = [
  ["42"],
  ["43"],
  ["4399"],
  ["42[1]"],
  ['42[1,"x"]'],
  ["42[1.5]"],
  ["42[-7]"],
  ["425[1]"],
  ['42["nope"]'],
  ['42["nope",{"a":[1]}]'],
  ['425["nope"]'],
  ['420["no-ack"]'],
  ['42[""]'],
  ['42["error"]'],
  ['42["error",{"message":"x"}]'],
  ['42["connection"]'],
  ['42["__proto__"]'],
  ['42["constructor"]'],
  ['42["hasOwnProperty"]'],
  ["430[]"],
  ["43999999[1,2]"],
  [`451-["nope",${hole(0)}]`, bytes(1)],
  [`451-5["nope",${hole(0)}]`, bytes(1)],
  [`461-999999[${hole(0)}]`, bytes(1)],
  ["0", "3", "5", "6"],
];

// [what is sent, the exact replies]
const ANSWERED = [
  [['42["echo"]'], ['42["echo"]']],
  [['42["echo","é世😀\\u0000\\u001f\\\\\\""]'], ['42["echo","é世😀\\u0000\\u001f\\\\\\""]']],
  [['42["echo",1,-5,"2",true,null,[],{},[[1]],{"a":{"b":[]}}]'], ['42["echo",1,-5,"2",true,null,[],{},[[1]],{"a":{"b":[]}}]']],
  [['42["echo", 1 , [ 2 ] ]'], ['42["echo",1,[2]]']],
  [['42/,["echo",1]'], ['42["echo",1]']],
  [['42/,3["echo",1]'], ["433[1]"]],
  [['420["echo"]'], ["430[]"]],
  [['42007["echo"]'], ["437[]"]],
  [['429007199254740991["echo",1]'], ["439007199254740991[1]"]],
  [['42 5["echo"]'], ["435[]"]],
  [['420["echo",1]', '420["echo",2]'], ["430[1]", "430[2]"]],
  [['420["echo","42[\\"x\\"]"]'], ['430["42[\\"x\\"]"]']],
  [[`420["echo",${hole(0)}]`], [`430[${hole(0)}]`]],
  [[`42["echo",${hole(0)}]`], [`42["echo",${hole(0)}]`]],
  [[`451-["echo",${hole(0)}]`, bytes(1, 2, 3)], [`451-["echo",${hole(0)}]`, bytes(1, 2, 3)]],
  [[`451-/,7["echo",${hole(0)}]`, bytes(255)], [`461-7[${hole(0)}]`, bytes(255)]],
  [[`451-0["echo",${hole(0)}]`, bytes()], [`461-0[${hole(0)}]`, bytes()]],
  [[`451e0-0["echo",${hole(0)}]`, bytes(1)], [`461-0[${hole(0)}]`, bytes(1)]],
  [[`45 1-0["echo",${hole(0)}]`, bytes(1)], [`461-0[${hole(0)}]`, bytes(1)]],
  [[`451-0["echo",${hole(0)}]`, "3", "6", bytes(1)], [`461-0[${hole(0)}]`, bytes(1)]],
  [['451-0["echo","unused"]', bytes(1)], ['430["unused"]']],
  [[`451-0["echo",${hole(0)},${hole(0)}]`, bytes(9)], [`462-0[${hole(0)},${hole(1)}]`, bytes(9), bytes(9)]],
  [[`452-0["echo",${hole(1)},${hole(0)}]`, bytes(1), bytes(2)], [`462-0[${hole(0)},${hole(1)}]`, bytes(2), bytes(1)]],
  [
    [`452-0["echo",{"a":[[${hole(0)}]],"b":{"c":${hole(1)},"d":"x"}}]`, bytes(1), bytes(2)],
    [`462-0[{"a":[[${hole(0)}]],"b":{"c":${hole(1)},"d":"x"}}]`, bytes(1), bytes(2)],
  ],
  [[`451-0["echo",{"_placeholder":true,"num":0,"more":1}]`, bytes(1)], [`461-0[${hole(0)}]`, bytes(1)]],
  [
    [`451-0["echo",{"_placeholder":false,"num":0},{"_placeholder":1,"num":0},${hole(0)}]`, bytes(1)],
    [`461-0[{"_placeholder":false,"num":0},{"_placeholder":1,"num":0},${hole(0)}]`, bytes(1)],
  ],
];
for (const count of [2, 3, 9, 10]) {
  const holes = Array.from({ length: count }, (_, i) => hole(i)).join(",");
  const buffers = Array.from({ length: count }, (_, i) => bytes(i, i + 1));
  ANSWERED.push([[`45${count}-0["echo",${holes}]`, ...buffers], [`46${count}-0[${holes}]`, ...buffers]]);
}

const show = (packets) =>
  packets
    .map((packet) => (Buffer.isBuffer(packet) ? `<${packet.toString("hex")}>` : packet))
    .join(" ")
    .slice(0, 100);

for (const [name, Wire] of Object.entries(WIRES)) {
  describe(`over ${name}`, () => {
    describe("CONNECT", () => {
      for (const [packet, nsp, auth] of CONNECTS) {
        test(`${packet} joins ${nsp}`, async () => {
          const wire = await Wire.open(F4);
          await wire.send(packet);
          const id = await wire.expectJoined(nsp);
          const prefix = nsp === "/" ? "" : `${nsp},`;
          await wire.send(`42${prefix}0["whoami"]`);
          const reply = await wire.next();
          assert.ok(reply.startsWith(`43${prefix}0[`), reply);
          const [who] = JSON.parse(reply.slice(3 + prefix.length));
          assert.deepEqual([who.id, who.nsp, who.auth, who.rooms], [id, nsp, auth, [id]]);
        });
      }

      for (const [packet, reply] of CONNECT_ERRORS) {
        test(`${packet} is refused, the connection stays`, async () => {
          const wire = await Wire.open(F4);
          await wire.send(packet);
          await wire.expect(reply);
          await wire.join();
          await wire.assertAlive();
        });
      }

      for (const packet of CLOSING_FIRST) {
        test(`${packet} without a namespace closes`, async () => {
          const wire = await Wire.open(F4);
          await wire.send(packet);
          await wire.assertClosed();
        });
      }

      test("a binary message without a namespace closes", async () => {
        const wire = await Wire.open(F4);
        await wire.send(bytes(1));
        await wire.assertClosed();
      });

      test("several namespaces on one connection, each with its own id", async () => {
        const wire = await Wire.open(F4);
        const ids = [];
        for (const nsp of ["/", "/chat", "/dyn-1", "/dyn-2"]) ids.push(await wire.join(nsp));
        assert.equal(new Set(ids).size, 4);
        await wire.send('42/dyn-2,1["echo","two"]', '42/chat,1["echo","chat"]', '421["echo","main"]');
        await wire.expect('43/dyn-2,1["two"]', '43/chat,1["chat"]', '431["main"]');
      });

      test("an event before a slow middleware has finished closes", async () => {
        const wire = await Wire.open(F4);
        await wire.send('40/auth,{"token":"slow"}');
        await wire.send('42/auth,["echo"]');
        await wire.assertClosed();
      });

      deliberate("a second CONNECT while the middleware of the first runs closes", async () => {
        const wire = await Wire.open(F4);
        await wire.send('40/auth,{"token":"slow"}');
        await wire.send('40/auth,{"token":"slow"}');
        await wire.assertClosed();
      });

      nodeOnly("a second CONNECT while the middleware of the first runs makes two sockets", async () => {
        const wire = await Wire.open(F4);
        await wire.send('40/auth,{"token":"slow"}');
        await wire.send('40/auth,{"token":"slow"}');
        const ids = [await wire.expectJoined("/auth"), await wire.expectJoined("/auth")];
        assert.notEqual(ids[0], ids[1]);
      });

      deliberate("an event pipelined behind CONNECT is handled", async () => {
        const wire = await Wire.open(F4);
        await wire.send("40", '420["echo","early"]');
        await wire.expectJoined();
        await wire.expect('430["early"]');
      });
    });

    describe("after CONNECT", () => {
      for (const packets of CLOSING) {
        test(`${show(packets)} closes`, async () => {
          const wire = await joinedWire(Wire);
          await wire.send(...packets);
          await wire.assertClosed();
        });
      }

      for (const packets of IGNORED) {
        test(`${show(packets)} is ignored`, async () => {
          const wire = await joinedWire(Wire);
          await wire.send(...packets);
          await wire.assertAlive();
        });
      }

      for (const [packets, replies] of ANSWERED) {
        test(`${show(packets)} is answered ${show(replies)}`, async () => {
          const wire = await joinedWire(Wire);
          await wire.send(...packets);
          await wire.expect(...replies);
          await wire.assertAlive();
        });
      }

      test("a binary message is written as one packet and its attachments", async () => {
        const wire = await joinedWire(Wire);
        await wire.send('42["binary-me"]');
        await wire.expect(
          `453-["binary-me",{"a":${hole(0)},"b":[${hole(1)}],"c":{"d":${hole(2)},"text":"hé世😀"}}]`,
          bytes(1, 2, 3),
          Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
          bytes(),
        );
      });

      test("in a namespace the name comes first, then the id", async () => {
        const wire = await joinedWire(Wire);
        await wire.join("/chat");
        await wire.send('42/chat,12["echo",1]', `451-/chat,13["echo",${hole(0)}]`, bytes(1), `451-/chat,["echo",${hole(0)}]`, bytes(2));
        await wire.expect("43/chat,12[1]", `461-/chat,13[${hole(0)}]`, bytes(1), `451-/chat,["echo",${hole(0)}]`, bytes(2));
      });

      test("acks and events share the order", async () => {
        const wire = await joinedWire(Wire);
        await wire.send('42["echo",0]', '421["echo",1]', '42["echo",2]', `451-3["echo",${hole(0)}]`, bytes(3), '424["echo",4]');
        await wire.expect('42["echo",0]', "431[1]", '42["echo",2]', `461-3[${hole(0)}]`, bytes(3), "434[4]");
      });
    });

    describe("acks of the client", () => {
      /** Asks for a call and returns the ack id of the server. */
      async function call(wire, ...args) {
        await wire.send(`421${JSON.stringify(["call-me", "ev", ...args])}`);
        const packet = await wire.next();
        const match = /^42(\d+)(\[.*)$/.exec(packet);
        assert.ok(match, `no event with an id but ${packet}`);
        assert.deepEqual(JSON.parse(match[2]), ["ev", ...args]);
        return match[1];
      }

      test("a plain one", async () => {
        const wire = await joinedWire(Wire);
        const id = await call(wire, 1, "x");
        await wire.send(`43${id}["a",{"b":2}]`);
        await wire.expect('431[{"ok":true,"args":["a",{"b":2}]}]');
      });

      test("an empty one", async () => {
        const wire = await joinedWire(Wire);
        await wire.send(`43${await call(wire)}[]`);
        await wire.expect('431[{"ok":true,"args":[]}]');
      });

      test("a binary one", async () => {
        const wire = await joinedWire(Wire);
        await wire.send(`461-${await call(wire)}[${hole(0)}]`, bytes(7));
        await wire.expect(`461-1[{"ok":true,"args":[${hole(0)}]}]`, bytes(7));
      });

      test("a second one for the same id is ignored", async () => {
        const wire = await joinedWire(Wire);
        const id = await call(wire);
        await wire.send(`43${id}[1]`, `43${id}[2]`, `43${id}[3]`);
        await wire.expect('431[{"ok":true,"args":[1]}]');
        await wire.assertAlive();
      });

      test("one that comes too late is ignored", async () => {
        const wire = await joinedWire(Wire);
        const id = await call(wire);
        await wire.expect('431[{"ok":false,"args":[]}]');
        await wire.send(`43${id}[1]`);
        await wire.assertAlive();
      });

      test("the one of another socket does not count", async () => {
        const wire = await joinedWire(Wire);
        const other = await joinedWire(Wire);
        const id = await call(wire);
        await other.send(`43${id}["stolen"]`);
        await other.assertAlive();
        await wire.send(`43${id}["mine"]`);
        await wire.expect('431[{"ok":true,"args":["mine"]}]');
      });

      test("two calls at once have different ids", async () => {
        const wire = await joinedWire(Wire);
        const [first, second] = [await call(wire), await call(wire)];
        assert.notEqual(first, second);
      });
    });

    describe("DISCONNECT", () => {
      test("disconnect(): the packet, then the namespace can be joined again", async () => {
        const wire = await joinedWire(Wire);
        await wire.send('42["bye",false]');
        await wire.expect("41");
        assert.notEqual(await wire.join(), wire.id);
        await wire.assertAlive();
      });

      test("disconnect() of another namespace", async () => {
        const wire = await joinedWire(Wire);
        await wire.join("/chat");
        await wire.send('42/chat,["bye",false]');
        await wire.expect("41/chat,");
        await wire.assertAlive();
      });

      test("41 of the client is not answered", async () => {
        const wire = await joinedWire(Wire);
        await wire.join("/chat");
        await wire.send("41/chat,");
        await wire.assertAlive();
        await wire.join("/chat");
      });

      test("an event in a namespace that was left closes", async () => {
        const wire = await joinedWire(Wire);
        await wire.join("/chat");
        await wire.send("41/chat");
        await wire.assertAlive();
        await wire.send('42/chat,["echo"]');
        await wire.assertClosed();
      });

      test("the reason is told: client namespace disconnect, server namespace disconnect", async () => {
        const witness = await joinedWire(Wire);
        const leaver = await joinedWire(Wire);
        await leaver.send("41");
        await leaver.join("/chat");
        assert.deepEqual(await witness.ask("report", leaver.id), [{ reason: "client namespace disconnect", rooms: [leaver.id] }]);
        const kicked = await joinedWire(Wire);
        await kicked.send('42["bye",false]');
        await kicked.expect("41");
        assert.deepEqual(await witness.ask("report", kicked.id), [{ reason: "server namespace disconnect", rooms: [kicked.id] }]);
        assert.deepEqual(await witness.ask("report", "unknown"), [null]);
      });
    });
  });
}

nodeOnly("polling: an event pipelined behind CONNECT closes", async () => {
  const wire = await WIRES.polling.open(F4);
  await wire.send("40", '420["echo","early"]');
  await wire.assertClosed();
});

describe("closing and leaving", () => {
  test("websocket, disconnect(true): 41 for every namespace, then the close", async () => {
    const wire = await joinedWire(WIRES.websocket);
    await wire.join("/chat");
    await wire.send('42["bye",true]');
    await wire.expect("41", "41/chat,");
    await wire.assertClosed();
  });

  test("polling, disconnect(true): 41 for every namespace, then the close", async () => {
    const wire = await joinedWire(WIRES.polling);
    await wire.join("/chat");
    await wire.send('42["bye",true]');
    await wire.expect("41", "41/chat,");
    await wire.assertClosed();
  });

  test("polling: an event behind 41 in one payload is dropped", async () => {
    const witness = await joinedWire(WIRES.polling);
    const wire = await joinedWire(WIRES.polling);
    await wire.send("41", '42["broadcast",{},"late"]');
    await wire.join();
    await wire.assertAlive();
    await witness.assertAlive();
  });

  for (const [last, name] of [
    ["41", "the namespace is left"],
    ["1", "the session is closed"],
  ]) {
    deliberate(`polling: an event in front of ${last} in one payload is handled before ${name}`, async () => {
      const witness = await joinedWire(WIRES.polling);
      const wire = await joinedWire(WIRES.polling);
      await wire.send('42["broadcast",{},"kept",1]', last);
      await witness.expect('42["kept",1]');
    });

    nodeOnly(`polling: an event in front of ${last} in one payload is lost`, async () => {
      const witness = await joinedWire(WIRES.polling);
      const wire = await joinedWire(WIRES.polling);
      await wire.send('42["broadcast",{},"lost",1]', last);
      await witness.assertAlive();
    });
  }

  deliberate("websocket: events in front of 41 and of the close are handled", async () => {
    const witness = await joinedWire(WIRES.websocket);
    const wire = await joinedWire(WIRES.websocket);
    await wire.send('42["broadcast",{},"kept",1]', "41");
    await witness.expect('42["kept",1]');
    const other = await joinedWire(WIRES.websocket);
    await other.send('42["broadcast",{},"kept",2]');
    other.ws.socket.close();
    await witness.expect('42["kept",2]');
  });

  test("connectTimeout: a connection that joins nothing is closed", async () => {
    const began = performance.now();
    const wire = await WIRES.websocket.open(F4);
    await wire.assertClosed();
    const took = performance.now() - began;
    assert.ok(took > 800 && took < 3000, `closed after ${took} ms`);
  });

  test("connectTimeout: refusals do not stop it", async () => {
    const began = performance.now();
    const wire = await WIRES.websocket.open(F4);
    await wire.send("40/nope,");
    await wire.expect(`44/nope,${INVALID}`);
    await wire.send("40/auth,");
    await wire.expect(`44/auth,${REFUSED}`);
    await wire.assertClosed();
    const took = performance.now() - began;
    assert.ok(took > 800 && took < 3000, `closed after ${took} ms`);
  });

  test("connectTimeout: not for a connection that has left every namespace", async () => {
    const wire = await joinedWire(WIRES.websocket);
    await wire.send("41");
    // a later connection is timed out, this one is not
    const later = await WIRES.websocket.open(F4);
    await later.assertClosed();
    await wire.join();
    await wire.assertAlive();
  });

  test("connectTimeout over polling: the next GET gets noop and close", async () => {
    const wire = await WIRES.polling.open(F4);
    const other = await WIRES.websocket.open(F4);
    await other.assertClosed();
    await wire.assertClosed();
  });
});

describe("volatile events", () => {
  test("polling with a hanging GET: the first goes out, the rest is dropped", async () => {
    const { session } = await joinedWire(WIRES.polling);
    const poll = session.receive();
    await session.send("3");
    await session.send('42["volatile-burst",50]');
    // How packets are spread over answers is up to the server.
    const packets = await poll;
    if (packets.length === 1) packets.push(...(await session.receive()));
    assert.deepEqual(packets, ['42["v",0]', '42["v-end"]']);
  });

  test("polling without a hanging GET: all are dropped", async () => {
    const { session } = await joinedWire(WIRES.polling);
    await session.send('42["volatile-burst",50]');
    assert.deepEqual(await session.receive(), ['42["v-end"]']);
    await session.assertAlive();
  });

  test("websocket: the first goes out, the order is kept, the normal event comes last", async () => {
    const wire = await joinedWire(WIRES.websocket);
    await wire.send('42["volatile-burst",50]');
    await wire.expect('42["v",0]');
    let last = 0;
    for (;;) {
      const packet = await wire.next();
      if (packet === '42["v-end"]') break;
      const [event, n] = JSON.parse(packet.slice(2));
      assert.equal(event, "v");
      assert.ok(n > last && n < 50, `${n} after ${last}`);
      last = n;
    }
    await wire.assertAlive();
  });
});

describe("the reason of a disconnect", () => {
  const { websocket, polling } = WIRES;

  /** `end` makes the connection of the wire go away; the server must have told its handlers why. */
  function reason(name, Wire, expected, end) {
    test(`${name}: ${expected}`, async () => {
      const witness = await joinedWire(websocket);
      const wire = await joinedWire(Wire);
      await end(wire);
      const report = await eventually(`a report about ${wire.id}`, async () => (await witness.ask("report", wire.id))[0]);
      assert.deepEqual(report, { reason: expected, rooms: [wire.id] });
    });
  }

  reason("websocket closed by the client", websocket, "transport close", ({ ws }) => ws.close());
  reason("websocket torn down", websocket, "transport close", ({ ws }) => ws.socket.terminate());
  reason("an undecodable engine packet", websocket, "parse error", (wire) => wire.send("zzz"));
  reason("an undecodable engine packet, polling", polling, "parse error", (wire) => wire.send("zzz"));
  reason("an undecodable packet", websocket, "forced close", (wire) => wire.send("42{}"));
  reason("a binary message out of nowhere", websocket, "forced close", (wire) => wire.send(bytes(1)));
  reason("an event for a namespace not joined", websocket, "forced close", (wire) => wire.send('42/chat,["echo"]'));
  reason("an event for a namespace not joined, polling", polling, "forced server close", (wire) => wire.send('42/chat,["echo"]'));
  reason("a second CONNECT, polling", polling, "forced server close", (wire) => wire.send("40"));
  reason("a ping of the client", websocket, "transport error", (wire) => wire.send("2"));
  reason("a ping of the client, polling", polling, "transport error", (wire) => wire.send("2"));
  reason("an oversize message", websocket, "transport error", (wire) => wire.send(Buffer.alloc(1_000_001)));
  reason("a close packet, polling", polling, "transport close", (wire) => wire.send("1"));
  reason("two polls at once", polling, "transport error", ({ session }) => Promise.all([session.get(), session.get()]));
  reason("a poll aborted by the client", polling, "transport error", async ({ session }) => {
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    poll.abort();
  });
  reason("an octet-stream POST", polling, "transport error", ({ session }) =>
    session.post(bytes(1), { headers: { "Content-Type": "application/octet-stream" } }),
  );
  reason("41", websocket, "client namespace disconnect", (wire) => wire.send("41"));
  reason("disconnect()", websocket, "server namespace disconnect", (wire) => wire.send('42["bye",false]'));
  reason("disconnect(true)", polling, "server namespace disconnect", (wire) => wire.send('42["bye",true]'));
});
