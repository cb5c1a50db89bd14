// One user of the chat: a page in a context of its own, what can be done in it, and what went wrong in it.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ARTIFACTS = fileURLToPath(new URL("../artifacts/", import.meta.url));
/** How long something may take to be seen. */
const PATIENCE = 10_000;

let guests = 0;

export class Guest {
  static async open(browser, url, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1180, height: 720 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const guest = new Guest(context, page);
    await page.goto(url);
    return guest;
  }

  constructor(context, page) {
    this.id = guests++;
    this.context = context;
    this.page = page;
    this.members = page.locator("#members .member-name");
    this.texts = page.locator("#messages .message:not(.pending) .message-text");
    /** Console errors, uncaught exceptions, and requests that did not work. */
    this.problems = [];
    this.closing = false;
    /** How often this guest's connection was closed by the page; see `excused`. */
    this.goodbyes = 0;
    const problem = (text) => this.closing || this.problems.push(text);
    page.on("console", (message) => ["error", "warning"].includes(message.type()) && problem(`console: ${message.text()}`));
    page.on("pageerror", (error) => problem(`exception: ${error}`));
    page.on("requestfailed", (request) => problem(`${request.method()} ${request.url()}: ${request.failure()?.errorText}`));
    page.on("response", async (response) => {
      if (response.status() < 400) return;
      const { method, url } = { method: response.request().method(), url: response.url() };
      problem(`${method} ${url}: ${response.status()} ${await response.text().catch(String)}`);
    });
  }

  async login(name) {
    await this.page.getByLabel("Name", { exact: true }).fill(name);
    await this.page.getByRole("button", { name: "Join", exact: true }).click();
  }

  /** Tries a name that the server does not take. */
  async refused(name, message) {
    this.goodbyes += 1;
    await this.login(name);
    await expectText(this.page.locator("#login-error"), message);
  }

  async logout() {
    this.goodbyes += 1;
    await this.page.getByRole("button", { name: "Log out" }).click();
    await this.page.getByLabel("Name", { exact: true }).waitFor();
  }

  /** The problems that are not those of a connection which the stock client closes while it is being used. */
  unexcused() {
    const left = new Map(excused.map((excuse) => [excuse, this.goodbyes]));
    return this.problems.filter((problem) => {
      const excuse = excused.find((excuse) => excuse.test(problem) && left.get(excuse) > 0);
      if (excuse) left.set(excuse, left.get(excuse) - 1);
      return !excuse;
    });
  }

  /** Opens a room, or joins it, by its name. */
  async enter(room) {
    await this.page.getByLabel("Name of a room").fill(room);
    await this.page.getByRole("button", { name: "Open or join" }).click();
    await this.inRoom(room);
  }

  inRoom(room) {
    return expectText(this.page.locator("#room-title"), room);
  }

  roomButton(room) {
    return this.page.locator(`button[data-room=${JSON.stringify(room)}]`);
  }

  /** Types key by key. */
  async type(text) {
    await this.page.getByLabel("Message", { exact: true }).pressSequentially(text);
  }

  async say(text) {
    await this.page.getByLabel("Message", { exact: true }).fill(text);
    await this.page.keyboard.press("Enter");
    await this.page.locator(".message:not(.pending)", { hasText: text.split("\n")[0] }).last().waitFor();
  }

  connectedBy(transport) {
    return this.page.locator(`#connection[data-state=online][data-transport=${transport}]`).waitFor();
  }

  async close() {
    this.closing = true;
    await this.context.close();
  }
}

/**
 * After a refusal or a log-out the stock client closes its connection at once, and does not wait for an upgrade or a poll
 * that has just begun. The browser reports them; with the JavaScript server too. Each is excused once for each such close.
 */
const excused = [
  /^console: WebSocket connection to .* failed: WebSocket is closed before the connection is established/,
  // The text, "Session ID unknown", is not always read before the page drops the answer.
  /^GET .*transport=polling.*: 400/,
  /^console: Failed to load resource: the server responded with a status of 400/,
  /^(GET|POST) .*transport=polling.*: net::ERR_ABORTED/,
];

/** Waits until elements have exactly these texts; one text stands for one element. */
export async function expectText(locator, expected) {
  let found;
  const deadline = Date.now() + PATIENCE;
  while (true) {
    found = Array.isArray(expected) ? await locator.allTextContents() : (await locator.allTextContents())[0];
    const same = expected instanceof RegExp ? expected.test(found ?? "") : isDeepEqual(found, expected);
    if (same) return;
    if (Date.now() > deadline) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  if (expected instanceof RegExp) assert.match(found ?? "", expected, String(locator));
  assert.deepEqual(found, expected, String(locator));
}

export function expectGone(locator) {
  return expectText(locator, []);
}

function isDeepEqual(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

export async function screenshot(guest, way, name, prefix = "chat-") {
  mkdirSync(ARTIFACTS, { recursive: true });
  await guest.page.screenshot({ path: `${ARTIFACTS}${prefix}${way}-${name}.png` });
}
