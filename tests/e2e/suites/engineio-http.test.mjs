// Engine.IO over HTTP long-polling: status codes, bodies, headers, check order, session life.
import assert from "node:assert/strict";
import http from "node:http";
import { base, cleanup, describe, test, eventually, within } from "../helpers/core.mjs";
import { F1, F4, Polling, Tcp, assertError, get, joined, post, request, upgradeRequest, SEPARATOR } from "../helpers/http.mjs";

const HANDSHAKE = "EIO=4&transport=polling";

function assertEmpty(answer, status) {
  assert.deepEqual({ status: answer.status, body: answer.body }, { status, body: "" });
}

/** A POST whose body is not complete: the server is reading it when this returns. */
async function halfPost(session, type = "text/plain") {
  const tcp = new Tcp();
  tcp.write(
    `POST ${session.path} HTTP/1.1`,
    `Host: ${base.host}`,
    `Content-Type: ${type}`,
    "Content-Length: 100",
    "Expect: 100-continue",
    "",
    "",
  );
  await tcp.until(/^HTTP\/1\.1 100 /, "100 Continue");
  tcp.write("4half");
  return tcp;
}

/** Waits until the server has noticed that the client went away. A noop tells without side effects. */
function goneSoon(session) {
  return eventually("the session is closed", async () => {
    const answer = await session.post("6");
    if (answer.status === 200) return false;
    assertError(answer, 1);
    return true;
  });
}

describe("handshake", () => {
  test("open packet, content type, cache control and exact length", async () => {
    const answer = await get(`${F1}?${HANDSHAKE}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(answer.headers["cache-control"], "no-store");
    assert.equal(answer.headers["content-length"], String(answer.raw.length));
    assert.equal(answer.headers["set-cookie"], undefined);
    assert.equal(answer.body[0], "0");
    const open = JSON.parse(answer.body.slice(1));
    assert.match(open.sid, /^[\w-]{20,}$/);
    assert.deepEqual(open, {
      sid: open.sid,
      upgrades: ["websocket"],
      pingInterval: 300,
      pingTimeout: 200,
      maxPayload: 1_000_000,
    });
  });

  test("the open packet of the app carries its own timers", async () => {
    const { handshake } = await Polling.open(F4);
    const { sid, ...rest } = handshake;
    assert.equal(typeof sid, "string");
    assert.deepEqual(rest, { upgrades: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 });
  });

  test("keys of the open packet come in the order of the official server", async () => {
    const { body } = await get(`${F1}?${HANDSHAKE}`);
    assert.match(body, /^0\{"sid":"[^"]+","upgrades":\["websocket"\],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000\}$/);
  });

  test("session ids differ", async () => {
    const sids = await Promise.all(Array.from({ length: 20 }, () => Polling.open(F4)));
    assert.equal(new Set(sids.map(({ sid }) => sid)).size, 20);
  });

  test("an empty sid is a new handshake", async () => {
    const answer = await get(`${F4}?${HANDSHAKE}&sid=`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body[0], "0");
  });

  test("the mount is a prefix: anything may follow it", async () => {
    const answer = await get(`${F4}anything/below?${HANDSHAKE}`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body[0], "0");
  });

  test("the mount without its trailing slash is another route", async () => {
    assert.equal((await get(`/fixturex?${HANDSHAKE}`)).status, 404);
    assert.equal((await get(`/fixture?${HANDSHAKE}`)).status, 404);
  });

  test("bytes above 127 in Origin are fine", async () => {
    const tcp = new Tcp();
    tcp.write(Buffer.from(`GET ${F4}?${HANDSHAKE} HTTP/1.1\r\nHost: ${base.host}\r\nOrigin: h\xe9\xff\r\nConnection: close\r\n\r\n`, "latin1"));
    assert.match(await tcp.end(), /^HTTP\/1\.1 200 [^]*0\{"sid":"/);
  });

  test("other routes of the same server live", async () => {
    const answer = await get("/healthz");
    assert.deepEqual([answer.status, answer.body], [200, "ok"]);
  });

  test("additional query parameters, in any order and repeated with t=, are accepted", async () => {
    const answer = await get(`${F4}?t=abc123&foo=bar&transport=polling&x=%F0%9F%98%80&EIO=4`);
    assert.equal(answer.status, 200);
    assert.equal(answer.body[0], "0");
  });
});

describe("refused requests", () => {
  const cases = [
    ["no query", "GET", "", 0],
    ["no transport", "GET", "?EIO=4", 0],
    ["unknown transport", "GET", "?EIO=4&transport=tobi", 0],
    ["transport of the prototype", "GET", "?EIO=4&transport=constructor", 0],
    ["transport __proto__", "GET", "?EIO=4&transport=__proto__", 0],
    ["transport webtransport", "GET", "?EIO=4&transport=webtransport", 0],
    ["transport in capitals", "GET", "?EIO=4&transport=POLLING", 0],
    ["unknown sid", "GET", `?${HANDSHAKE}&sid=test`, 1],
    ["sid __proto__", "GET", `?${HANDSHAKE}&sid=__proto__`, 1],
    ["sid hasOwnProperty", "GET", `?${HANDSHAKE}&sid=hasOwnProperty`, 1],
    ["POST with an unknown sid", "POST", `?${HANDSHAKE}&sid=test`, 1],
    ["PUT with an unknown sid", "PUT", `?${HANDSHAKE}&sid=test`, 1],
    ["handshake by POST", "POST", `?${HANDSHAKE}`, 2],
    ["handshake by PUT", "PUT", `?${HANDSHAKE}`, 2],
    ["handshake by DELETE", "DELETE", `?${HANDSHAKE}`, 2],
    ["handshake by OPTIONS", "OPTIONS", `?${HANDSHAKE}`, 2],
    ["handshake by PATCH", "PATCH", `?${HANDSHAKE}`, 2],
    ["websocket without upgrade", "GET", "?EIO=4&transport=websocket", 3],
    ["protocol 3", "GET", "?EIO=3&transport=polling", 5],
    ["protocol missing", "GET", "?transport=polling", 5],
    ["protocol abc", "GET", "?EIO=abc&transport=polling", 5],
    ["protocol 5", "GET", "?EIO=5&transport=polling", 5],
    ["protocol 04", "GET", "?EIO=04&transport=polling", 5],
  ];
  for (const [name, method, query, code] of cases) {
    test(`${name}: code ${code}`, async () => assertError(await request(method, F4 + query), code));
  }

  const order = [
    ["transport before sid", "GET", "?EIO=3&transport=x&sid=nope", 0],
    ["transport before method", "POST", "?EIO=3&transport=x", 0],
    ["sid before method and protocol", "DELETE", "?EIO=3&transport=polling&sid=nope", 1],
    ["sid before transport mismatch", "GET", "?EIO=4&transport=websocket&sid=nope", 1],
    ["method before missing upgrade", "POST", "?EIO=4&transport=websocket", 2],
    ["method before allowRequest", "POST", "?EIO=4&transport=polling&deny=1", 2],
    ["missing upgrade before allowRequest", "GET", "?EIO=4&transport=websocket&deny=1", 3],
    ["method before protocol", "POST", "?EIO=3&transport=polling", 2],
  ];
  for (const [name, method, query, code] of order) {
    test(`check order: ${name}`, async () => assertError(await request(method, F4 + query), code));
  }

  test("check order: allowRequest before protocol", async () => {
    assertError(await get(`${F4}?EIO=3&transport=polling&deny=1`), 4, 403, "denied by fixture");
  });

  test("HEAD handshake is refused without a body", async () => {
    assertEmpty(await request("HEAD", `${F4}?${HANDSHAKE}`), 400);
  });

  test("the transport of a session does not change without an upgrade", async () => {
    const session = await Polling.open(F4);
    assertError(await get(`${F4}?EIO=4&transport=websocket&sid=${session.sid}`), 3);
    assertError(await post(`${F4}?EIO=4&transport=websocket&sid=${session.sid}`, "40"), 3);
    await session.send("40");
    assert.match((await session.receive())[0], /^40\{/);
  });

  test("the protocol version of a session does not change", async () => {
    const session = await Polling.open(F4);
    assertError(await get(`${F4}?EIO=3&transport=polling&sid=${session.sid}`), 3);
    assertError(await get(`${F4}?transport=polling&sid=${session.sid}`), 3);
    await session.send("40");
    assert.match((await session.receive())[0], /^40\{/);
  });

  test("a session belongs to its mount", async () => {
    const session = await Polling.open(F4);
    assertError(await get(`${F1}?${HANDSHAKE}&sid=${session.sid}`), 1);
  });

  test("a later request of a session is not asked by allowRequest", async () => {
    const session = await Polling.open(F4);
    session.path += "&deny=1";
    await session.send("40");
    assert.match((await session.receive())[0], /^40\{/);
  });
});

describe("allowRequest", () => {
  test("polling: 403 with its message", async () => {
    assertError(await get(`${F4}?${HANDSHAKE}&deny=1`), 4, 403, "denied by fixture");
  });

  test("websocket: 400 text/html with the bare message", async () => {
    const answer = await upgradeRequest(`${F4}?EIO=4&transport=websocket&deny=1`);
    assert.deepEqual(
      { status: answer.status, type: answer.headers["content-type"], connection: answer.headers.connection, body: answer.body },
      { status: 400, type: "text/html", connection: "close", body: "denied by fixture" },
    );
  });
});

describe("POST", () => {
  test("is answered ok, as html", async () => {
    const session = await Polling.open(F1);
    const answer = await session.post("4hello");
    assert.deepEqual(
      [answer.status, answer.body, answer.headers["content-type"], answer.headers["content-length"]],
      [200, "ok", "text/html", "2"],
    );
    assert.equal(answer.headers["cache-control"], "no-store");
  });

  test("of several packets: all are handled, in order", async () => {
    const session = await Polling.open(F1);
    await session.send("4one", "4two", "bAwQ=", "4😀");
    assert.deepEqual(await session.receiveCount(4), ["4one", "4two", "bAwQ=", "4😀"]);
  });

  for (const [name, body] of [
    ["padded", "bAQIDBA=="],
    ["not padded", "bAQIDBA"],
    ["half padded", "bAQIDBA="],
  ]) {
    test(`base64 ${name} is read`, async () => {
      const session = await Polling.open(F1);
      await session.send(body);
      assert.deepEqual(await session.receiveCount(1), ["bAQIDBA=="]);
    });
  }

  test("with an empty binary packet", async () => {
    const session = await Polling.open(F1);
    await session.send("b", "4after");
    assert.deepEqual(await session.receiveCount(2), ["b", "4after"]);
  });

  for (const [name, body] of [
    ["garbage", "abc"],
    ["an empty body", ""],
    ["an unknown packet type", "7"],
    ["a lone separator", SEPARATOR],
    ["a good and a bad packet", `3${SEPARATOR}z`],
    ["an empty packet in between", `3${SEPARATOR}${SEPARATOR}3`],
    ["a trailing separator", `3${SEPARATOR}`],
    ["an old length-prefixed payload", "7:4hello!"],
    ["a client ping", "2"],
    ["a client probe", "2probe"],
  ]) {
    test(`of ${name}: answered ok, then the session is gone`, async () => {
      const session = await Polling.open(F4);
      await session.send(body);
      await session.assertGone();
    });
  }

  test("of open, pong, upgrade and noop packets is ignored", async () => {
    const session = await joined();
    await session.send("0", "3", "3probe", "5", "6", '0{"sid":"x"}');
    await session.assertAlive();
  });

  for (const type of ["text/plain", "text/plain;charset=UTF-8", "application/json", "application/x-www-form-urlencoded", undefined]) {
    test(`content type ${type} makes no difference`, async () => {
      const session = await joined();
      const headers = type ? { "Content-Type": type } : {};
      const answer = await request("POST", session.path, { body: '420["echo","é"]', headers });
      assert.deepEqual([answer.status, answer.body], [200, "ok"]);
      assert.deepEqual(await session.receiveCount(1), ['430["é"]']);
    });
  }

  test("application/octet-stream: 400 empty, session closed", async () => {
    const session = await joined();
    const answer = await session.post(Buffer.from([4, 1, 2]), { headers: { "Content-Type": "application/octet-stream" } });
    assertEmpty(answer, 400);
    await session.assertGone();
  });

  test("application/octet-stream is answered before its body has come", async () => {
    const session = await joined();
    const tcp = new Tcp();
    tcp.write(
      `POST ${session.path} HTTP/1.1`,
      `Host: ${base.host}`,
      "Content-Type: application/octet-stream",
      "Content-Length: 100",
      "",
      "12345",
    );
    await tcp.until(/^HTTP\/1\.1 400 /, "the 400");
    await session.assertGone();
  });

  test("chunked bodies are accepted, cut anywhere", async () => {
    const session = await joined();
    const body = Buffer.from('420["echo","世界"]');
    const cut = body.indexOf("世") + 1;
    const tcp = new Tcp();
    tcp.write(`POST ${session.path} HTTP/1.1`, `Host: ${base.host}`, "Transfer-Encoding: chunked", "Connection: close", "", "");
    for (const part of [body.subarray(0, cut), body.subarray(cut)]) {
      tcp.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]));
    }
    tcp.write("0\r\n\r\n");
    assert.match(await tcp.end(), /^HTTP\/1\.1 200 [^]*ok/);
    assert.deepEqual(await session.receiveCount(1), ['430["世界"]']);
  });
});

describe("the size limit", () => {
  test("a body of exactly maxPayload bytes is accepted", async () => {
    const session = await Polling.open(F1);
    const body = `4${"x".repeat(999_999)}`;
    await session.send(body);
    const [echo] = await session.receiveCount(1);
    assert.equal(echo.length, body.length);
    assert.ok(echo === body);
  });

  test("one byte more: 413 empty, the session survives", async () => {
    const session = await joined();
    assertEmpty(await session.post(`4${"x".repeat(1_000_000)}`), 413);
    await session.assertAlive();
  });

  test("bytes count, not characters", async () => {
    const session = await joined();
    assertEmpty(await session.post(`42["x","${"世".repeat(400_000)}"]`), 413);
    await session.assertAlive();
  });

  test("without a content length as well", async () => {
    const session = await joined();
    const tcp = new Tcp();
    tcp.write(`POST ${session.path} HTTP/1.1`, `Host: ${base.host}`, "Transfer-Encoding: chunked", "", "");
    const chunk = `186a0\r\n${"x".repeat(100_000)}\r\n`;
    for (let i = 0; i < 11; i++) tcp.write(chunk);
    await tcp.until(/^HTTP\/1\.1 413 /, "the 413");
    tcp.socket.destroy();
    await session.assertAlive();
  });

  test("a message of the server may be larger", async () => {
    const session = await joined();
    await session.send('420["big",1500000]');
    const [answer] = await session.receiveCount(1);
    assert.equal(answer.length, '430[""]'.length + 1_500_000);
  });
});

describe("GET", () => {
  test("hangs until there is something, and carries everything there is", async () => {
    const session = await joined();
    const poll = session.receive();
    await session.send('420["echo",1]');
    assert.deepEqual(await poll, ['430[1]']);
    await session.send('42["burst",3]');
    assert.deepEqual(await session.receive(), ['42["burst",0]', '42["burst",1]', '42["burst",2]']);
  });

  test("binary is base64 without the 4, attachments follow their packet", async () => {
    const session = await joined();
    await session.send('451-0["echo",{"_placeholder":true,"num":0}]', "bAQID");
    assert.deepEqual(await session.receiveCount(2), ['461-0[{"_placeholder":true,"num":0}]', "bAQID"]);
  });

  test("length and type are exact for non-ASCII text", async () => {
    const session = await joined();
    await session.send('420["echo","é世😀"]');
    const answer = await session.get();
    assert.equal(answer.body, '430["é世😀"]');
    assert.equal(answer.headers["content-length"], String(Buffer.byteLength(answer.body)));
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(answer.headers["cache-control"], "no-store");
  });
});

describe("overlapping and aborted requests", () => {
  test("second GET: 400 empty, the first gets the close packet, session closed", async () => {
    const session = await joined();
    const answers = await Promise.all([session.get(), session.get()]);
    assert.deepEqual(
      answers.map(({ status, body }) => `${status} ${body}`).sort(),
      ["200 1", "400 "],
    );
    await session.assertGone();
  });

  test("second POST while one is being read: 400 empty, the first is cut, session closed", async () => {
    const session = await joined();
    const first = await halfPost(session);
    assertEmpty(await session.post("3"), 400);
    await first.end("the first POST to be cut");
    assert.doesNotMatch(first.text, / 200 /);
    await session.assertGone();
  });

  test("a POST while a GET hangs is fine", async () => {
    const session = await joined();
    const poll = session.get();
    await session.send("3");
    await session.send('420["echo"]');
    assert.equal((await poll).body, "430[]");
    await session.assertAlive();
  });

  test("GET aborted by the client: session closed", async () => {
    const session = await joined();
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    poll.abort();
    await goneSoon(session);
  });

  test("POST aborted by the client: session closed", async () => {
    const session = await joined();
    const first = await halfPost(session);
    first.socket.destroy();
    await eventually("the session is closed", async () => (await session.get()).status === 400);
    await session.assertGone();
  });

  for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"]) {
    test(`${method} with a valid sid: 500 empty, session untouched`, async () => {
      const session = await joined();
      assertEmpty(await request(method, session.path), 500);
      await session.assertAlive();
    });
  }
});

describe("closing", () => {
  test("POST 1: the hanging GET is answered with a noop, the session is gone", async () => {
    const session = await joined();
    const poll = session.get();
    await poll.sent;
    // the poll must have arrived before the close packet does
    await session.send("3");
    const answer = await session.post("1");
    assert.deepEqual([answer.status, answer.body], [200, "ok"]);
    assert.equal((await poll).body, "6");
    await session.assertGone();
  });

  test("POST 1 without a hanging GET", async () => {
    const session = await joined();
    await session.send("1");
    await session.assertGone();
  });

  test("packets after the close packet are ignored", async () => {
    const session = await joined();
    const other = await joined();
    await session.send("1", '42["broadcast",{},"after-close"]');
    await session.assertGone();
    await other.assertAlive();
  });

  test("server close while no GET hangs: the next GET gets noop and close", async () => {
    const session = await Polling.open(F4);
    await session.send('42["echo","not joined"]');
    // until then POSTs are answered and ignored
    await session.send("40");
    await session.send("40/chat,");
    assert.equal((await session.get()).body, `6${SEPARATOR}1`);
    await session.assertGone();
  });

  test("server close while a GET hangs: it gets the close packet", async () => {
    const session = await Polling.open(F4);
    const poll = session.get();
    await poll.sent;
    await session.send("3");
    await session.send('42["echo","not joined"]');
    assert.equal((await poll).body, "1");
    await session.assertGone();
  });

  test("server close with packets in the buffer: they come first", async () => {
    const session = await joined();
    await session.send('42["bye",true]');
    assert.deepEqual(await session.receive(), ["41"]);
    assert.deepEqual(await session.receive(), ["6", "1"]);
    await session.assertGone();
  });
});

describe("heartbeat", () => {
  test("a ping after pingInterval, again after the pong", async () => {
    const session = await Polling.open(F1);
    for (let i = 0; i < 3; i++) {
      const began = performance.now();
      assert.deepEqual(await session.receive(), ["2"]);
      const took = performance.now() - began;
      assert.ok(took > 200 && took < 1500, `ping ${i} after ${took} ms`);
      await session.send("3");
    }
  });

  test("no pong: the hanging GET gets the close packet, the session is gone", async () => {
    const session = await Polling.open(F1);
    assert.deepEqual(await session.receive(), ["2"]);
    const began = performance.now();
    assert.equal((await session.get()).body, "1");
    const took = performance.now() - began;
    assert.ok(took > 100 && took < 1500, `closed after ${took} ms`);
    await session.assertGone();
  });

  test("a session nobody polls is dropped", async () => {
    const session = await Polling.open(F1);
    // only a pong keeps a session alive: other packets prolong the wait once per ping
    await goneSoon(session);
  });
});

describe("old browsers", () => {
  const agents = [
    ["MSIE", "Mozilla/5.0 (compatible;MSIE 9.0; Windows NT 6.1)", "0"],
    ["Trident", "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko", "0"],
    ["another browser", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", undefined],
    ["no user agent", undefined, undefined],
  ];
  for (const [name, agent, expected] of agents) {
    test(`${name}: X-XSS-Protection ${expected}`, async () => {
      const headers = agent ? { "User-Agent": agent } : {};
      const session = await Polling.open(F4, "", { headers });
      assert.equal(session.answer.headers["x-xss-protection"], expected);
      const sent = await session.post("40", { headers });
      assert.equal(sent.headers["x-xss-protection"], expected);
      const poll = await session.get({ headers });
      assert.equal(poll.headers["x-xss-protection"], expected);
    });
  }
});

describe("connections", () => {
  test("requests can be pipelined on one connection", async () => {
    const tcp = new Tcp();
    const head = (path, extra = []) => [`GET ${path} HTTP/1.1`, `Host: ${base.host}`, ...extra, "", ""].join("\r\n");
    tcp.write(head("/healthz") + head(`${F4}?${HANDSHAKE}`) + head("/healthz", ["Connection: close"]));
    const text = await tcp.end();
    assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 3, text);
    assert.match(text, /0\{"sid":"/);
  });

  test("a session lives on one kept-alive connection, errors in between included", async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanup(() => agent.destroy());
    const session = await Polling.open(F4, "", { agent });
    const steps = [
      [() => session.post("40", { agent }), 200, /^ok$/],
      [() => session.get({ agent }), 200, /^40\{"sid":"[^"]+"\}$/],
      [() => get(`${F4}?EIO=4&transport=x`, { agent }), 400, /^\{"code":0,/],
      [() => get(`${F4}?${HANDSHAKE}&deny=1`, { agent }), 403, /^\{"code":4,/],
      [() => session.post('420["echo","é"]', { agent }), 200, /^ok$/],
      [() => session.get({ agent }), 200, /^430\["é"\]$/],
      [() => get("/healthz", { agent }), 200, /^ok$/],
      [() => session.post("1", { agent }), 200, /^ok$/],
      [() => session.get({ agent }), 400, /^\{"code":1,/],
    ];
    for (const [i, [step, status, body]] of steps.entries()) {
      const answer = await step();
      assert.deepEqual([i, answer.status, answer.reused], [i, status, true]);
      assert.match(answer.body, body);
    }
  });

  test("an HTTP/1.0 client can shake hands", async () => {
    const tcp = new Tcp();
    tcp.write(`GET ${F4}?${HANDSHAKE} HTTP/1.0`, `Host: ${base.host}`, "", "");
    const text = await within(tcp.end(), "the answer");
    assert.match(text, /^HTTP\/1\.[01] 200 /);
    assert.match(text, /\r\n\r\n0\{"sid":"/);
  });
});
