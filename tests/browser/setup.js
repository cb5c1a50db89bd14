// What the tests need running: servers on free ports, and a browser that leaves the network alone.

import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Starts the chat on a free port. */
export async function startChat() {
  const binary = process.env.CHAT ?? `${process.env.CARGO_TARGET_DIR ?? `${ROOT}target`}/debug/chat-example`;
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build -p chat-example\`, or set CHAT`);
  const child = spawn(binary, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the chat ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, url] = /^open (http:\S+)$/.exec(line) ?? [];
      if (url) resolve(`${url}/`);
    });
  });
  return {
    url,
    /** Interrupts the server, which then ends by itself. */
    async stop() {
      child.kill("SIGINT");
      assert.equal(await exited, 0, "exit code of the chat");
    },
  };
}

/** Starts one of the fixtures on a free port. */
export async function startFixture(name, options) {
  const variable = name.toUpperCase().replace("-", "_");
  const binary = process.env[variable] ?? `${process.env.CARGO_TARGET_DIR ?? `${ROOT}target`}/debug/${name}`;
  if (!existsSync(binary)) throw new Error(`${binary} is missing: run \`cargo build -p socketio-tests\`, or set ${variable}`);
  const child = spawn(binary, ["--port", "0", ...options], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${name} ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, address] = /^listening on (\S+)$/.exec(line) ?? [];
      if (address) resolve(`http://${address}`);
    });
  });
  return {
    url,
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/** Serves the files of a folder on a free port. */
export async function servePage(folder) {
  const kinds = { html: "text/html", js: "text/javascript", css: "text/css", svg: "image/svg+xml", png: "image/png" };
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://page").pathname;
    const file = new URL(`.${path === "/" ? "/index.html" : path}`, folder);
    try {
      const content = await readFile(file);
      response.writeHead(200, { "Content-Type": kinds[path === "/" ? "html" : path.split(".").at(-1)] ?? "text/plain" });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Starts Chromium with a profile of its own. */
export async function launchBrowser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    throw new Error(`no browser at ${executablePath}: run \`apt-get install chromium\`, or set CHROMIUM to one`);
  }
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--no-proxy-server",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
