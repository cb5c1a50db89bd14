// The Rust client (CLIENT_PROBE, built by cargo) against the fixture under test, against the official server, and against
// an official server that recovers connections.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { Server } from "socket.io";
import { describe, test } from "../helpers/core.mjs";

const probe = process.env.CLIENT_PROBE;
const options = { skip: probe ? false : "CLIENT_PROBE is not set", timeout: 300_000 };

// Every scenario over every transport; the output names those that failed.
async function run(...args) {
  const { code, output } = await new Promise((resolve) =>
    execFile(probe, args, { timeout: 300_000 }, (error, stdout, stderr) => resolve({ code: error ? (error.code ?? 1) : 0, output: stdout + stderr })),
  );
  assert.equal(code, 0, output);
  assert.match(output, /^ok /m);
  assert.doesNotMatch(output, /FAILED/);
}

// The official server with the fixture, on a free port.
async function reference(use) {
  const child = spawn(process.execPath, [fileURLToPath(new URL("../reference/server.mjs", import.meta.url)), "--port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = await once(child.stdout.setEncoding("utf8"), "data");
    await use(/listening on (\S+)/.exec(line)[1]);
  } finally {
    child.kill("SIGKILL");
  }
}

describe("the Rust client", () => {
  test("the fixture under test: every scenario", options, () => run(process.env.SUITE_URL));

  test("the official server: every scenario", options, () => reference((address) => run(`http://${address}`)));

  test("the official server recovers what was missed", options, async () => {
    const http = createServer();
    const io = new Server(http, { connectionStateRecovery: {}, serveClient: false });
    io.on("connection", (socket) => {
      socket.on("send", (number, ack) => {
        socket.emit("number", number);
        ack();
      });
      socket.on("die", (...numbers) => {
        socket.conn.close();
        numbers.forEach((number) => io.to(socket.id).emit("number", number));
      });
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    try {
      await run(`http://127.0.0.1:${http.address().port}`, "recovery");
    } finally {
      io.close();
    }
  });
});
