// What the test needs running: the server on a free port, and a browser that leaves the network alone.

import { chromium } from "playwright-core";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
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
