// CORS and the cookie of F8, http compression of F4.
import assert from "node:assert/strict";
import { gunzipSync, inflateSync } from "node:zlib";
import { describe, test } from "../helpers/core.mjs";
import { F4, F8, Polling, assertError, get, joined, post, request, upgradeRequest } from "../helpers/http.mjs";
import { openWs } from "../helpers/ws.mjs";

const HANDSHAKE = "?EIO=4&transport=polling";
const ALLOWED = "http://allowed.example";
const EVIL = "http://evil.example";

function assertCors(answer) {
  assert.deepEqual(
    {
      origin: answer.headers["access-control-allow-origin"],
      credentials: answer.headers["access-control-allow-credentials"],
      vary: answer.headers.vary,
    },
    { origin: ALLOWED, credentials: "true", vary: "Origin" },
  );
}

describe("CORS", () => {
  test("preflight: 204, empty, methods and requested headers", async () => {
    const answer = await request("OPTIONS", `${F8}${HANDSHAKE}`, {
      headers: { Origin: ALLOWED, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-token" },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.body, "");
    assert.equal(answer.headers["access-control-allow-origin"], ALLOWED);
    assert.equal(answer.headers["access-control-allow-credentials"], "true");
    assert.equal(answer.headers["access-control-allow-methods"], "GET,POST");
    assert.equal(answer.headers["access-control-allow-headers"], "content-type,x-token");
    assert.match(answer.headers.vary, /Origin/);
    assert.match(answer.headers.vary, /Access-Control-Request-Headers/);
  });

  test("preflight is answered before anything is checked", async () => {
    for (const query of ["", "?EIO=3&transport=x", `${HANDSHAKE}&sid=nope`, `${HANDSHAKE}&deny=1`]) {
      const answer = await request("OPTIONS", F8 + query, { headers: { Origin: EVIL, "Access-Control-Request-Method": "GET" } });
      assert.deepEqual([query, answer.status, answer.headers["access-control-allow-origin"]], [query, 204, ALLOWED]);
    }
  });

  test("preflight of a session leaves it alone", async () => {
    const session = await joined(F8);
    const answer = await request("OPTIONS", session.path, { headers: { Origin: ALLOWED, "Access-Control-Request-Method": "POST" } });
    assert.equal(answer.status, 204);
    await session.assertAlive();
  });

  for (const origin of [ALLOWED, EVIL, undefined]) {
    test(`the headers are those of the configuration for origin ${origin}`, async () => {
      const headers = origin ? { Origin: origin } : {};
      const session = await Polling.open(F8, "", { headers });
      assertCors(session.answer);
      assertCors(await session.post("40", { headers }));
      assertCors(await session.get({ headers }));
    });
  }

  test("error answers carry them too", async () => {
    const headers = { Origin: ALLOWED };
    for (const [method, query, status] of [
      ["GET", "?EIO=4&transport=x", 400],
      ["GET", `${HANDSHAKE}&sid=nope`, 400],
      ["POST", HANDSHAKE, 400],
      ["GET", "?EIO=3&transport=polling", 400],
      ["GET", `${HANDSHAKE}&deny=1`, 403],
    ]) {
      const answer = await request(method, F8 + query, { headers });
      assert.deepEqual([query, answer.status], [query, status]);
      assertCors(answer);
    }
  });

  test("so do 413, 500 and the 400 of an overlapping GET", async () => {
    const headers = { Origin: ALLOWED };
    const session = await joined(F8);
    const large = await session.post("x".repeat(1_000_001), { headers });
    assert.equal(large.status, 413);
    assertCors(large);
    const put = await request("PUT", session.path, { headers });
    assert.equal(put.status, 500);
    assertCors(put);
    const answers = await Promise.all([session.get({ headers }), session.get({ headers })]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
    answers.forEach(assertCors);
  });

  test("websockets are not restricted", async () => {
    const ws = await openWs(F8, { headers: { Origin: EVIL } });
    ws.send("40");
    assert.match(await ws.next(), /^40\{"sid":/);
  });

  test("without the option there are no such headers, and OPTIONS is a bad handshake", async () => {
    const answer = await get(`${F4}${HANDSHAKE}`, { headers: { Origin: ALLOWED } });
    assert.equal(answer.headers["access-control-allow-origin"], undefined);
    assertError(await request("OPTIONS", `${F4}${HANDSHAKE}`, { headers: { Origin: ALLOWED, "Access-Control-Request-Method": "GET" } }), 2);
  });
});

describe("the cookie", () => {
  test("is set by the polling handshake, with the session id", async () => {
    const session = await Polling.open(F8);
    assert.deepEqual(session.answer.headers["set-cookie"], [`io=${session.sid}; Path=/; HttpOnly; SameSite=Lax`]);
  });

  test("is not set by later requests", async () => {
    const session = await Polling.open(F8);
    assert.equal((await session.post("40")).headers["set-cookie"], undefined);
    assert.equal((await session.get()).headers["set-cookie"], undefined);
  });

  test("is not set by a websocket handshake or an error", async () => {
    const answer = await upgradeRequest(`${F8}?EIO=4&transport=websocket`);
    assert.equal(answer.status, 101);
    assert.equal(answer.headers["set-cookie"], undefined);
    assert.equal((await get(`${F8}?EIO=4&transport=x`)).headers["set-cookie"], undefined);
  });

  test("is not asked for: a session does not depend on it", async () => {
    const session = await joined(F8);
    const answer = await session.post('420["echo"]', { headers: { Cookie: "io=nonsense; io=; x" } });
    assert.equal(answer.status, 200);
    assert.deepEqual(await session.receiveCount(1), ["430[]"]);
  });
});

describe("http compression", () => {
  /** The answer to the poll that carries `43${id}["xxx.."]` of exactly `size` bytes. */
  async function poll(size, encoding, char = "x") {
    const session = await joined();
    const room = size - '430[""]'.length;
    assert.equal(room % Buffer.byteLength(char), 0);
    const text = char.repeat(room / Buffer.byteLength(char));
    await session.send(`420["echo","${text}"]`);
    const answer = await session.get({ headers: encoding === undefined ? {} : { "Accept-Encoding": encoding } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "text/plain; charset=UTF-8");
    return { answer, expected: `430["${text}"]` };
  }

  const used = [
    ["gzip", 1024, "gzip"],
    ["gzip, deflate, br", 1024, "gzip"],
    ["gzip, deflate, br", 50_000, "gzip"],
    ["deflate", 1024, "deflate"],
    ["gzip;q=0.2, deflate", 2000, "deflate"],
    ["*", 2000, "gzip"],
  ];
  for (const [encoding, size, expected] of used) {
    test(`Accept-Encoding ${encoding}, ${size} bytes: ${expected}`, async () => {
      const { answer, expected: text } = await poll(size, encoding);
      assert.equal(answer.headers["content-encoding"], expected);
      const plain = (expected === "gzip" ? gunzipSync : inflateSync)(answer.raw).toString();
      assert.ok(plain === text, `decompressed to ${plain.length} characters`);
      assert.ok(answer.raw.length < size / 2, `${answer.raw.length} bytes`);
    });
  }

  test("the threshold counts bytes", async () => {
    const { answer, expected } = await poll(1024, "gzip", "世");
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(answer.raw).toString(), expected);
  });

  const unused = [
    ["gzip", 1023],
    ["gzip, deflate, br", 100],
    [undefined, 5000],
    ["identity", 5000],
    ["br", 5000],
    ["gzip;q=0", 5000],
  ];
  for (const [encoding, size] of unused) {
    test(`Accept-Encoding ${encoding}, ${size} bytes: plain, with its length`, async () => {
      const { answer, expected } = await poll(size, encoding);
      assert.equal(answer.headers["content-encoding"], undefined);
      assert.equal(answer.headers["content-length"], String(size));
      assert.equal(answer.body, expected);
    });
  }

  test("several packets count together", async () => {
    const session = await joined();
    await session.send('42["burst",100]');
    const answer = await session.get({ headers: { "Accept-Encoding": "gzip" } });
    assert.equal(answer.headers["content-encoding"], "gzip");
    assert.equal(gunzipSync(answer.raw).toString().split("\x1e").length, 100);
  });

  test("the session goes on after a compressed answer", async () => {
    const session = await joined();
    for (let i = 0; i < 3; i++) {
      await session.send('420["big",3000]');
      const answer = await session.get({ headers: { "Accept-Encoding": "gzip" } });
      assert.equal(gunzipSync(answer.raw).length, 3007);
    }
    await session.assertAlive();
  });

  test("handshake, POST and errors are not compressed", async () => {
    const headers = { "Accept-Encoding": "gzip" };
    const session = await Polling.open(F4, "", { headers });
    assert.equal(session.answer.headers["content-encoding"], undefined);
    assert.equal((await session.post("40", { headers })).headers["content-encoding"], undefined);
    assert.equal((await post(`${F4}?EIO=4&transport=x`, "", { headers })).headers["content-encoding"], undefined);
  });
});
