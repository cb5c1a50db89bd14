// The official Admin UI, as its npm package brings it, against `fixture-admin`.
//
// FIXTURE_ADMIN: the server's binary, default `target/debug/fixture-admin`. CHROMIUM as for the chat.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";
import { expectText, screenshot } from "./guest.js";
import { launchBrowser, servePage, startFixture } from "./setup.js";

let browser, page;

before(async () => {
  browser = await launchBrowser();
  page = await servePage(new URL("./node_modules/@socket.io/admin-ui/ui/dist/", import.meta.url));
});

after(async () => {
  await browser?.close();
  await page?.close();
});

/** Runs a scenario with a server, clients and one admin, who uses one way to connect. */
async function withAdmin({ options = [], websocketOnly = false }, scenario) {
  const server = await startFixture("fixture-admin", options);
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  // Fonts and icons come from elsewhere; a test leaves the network alone.
  await context.route(
    (url) => url.hostname !== "127.0.0.1",
    (route) => route.abort(),
  );
  // What the page's switch "WebSocket only?" is remembered as.
  await context.addInitScript((only) => localStorage.setItem("ws_only", String(only)), websocketOnly);
  const admin = { page: await context.newPage(), problems: [] };
  admin.page.setDefaultTimeout(10_000);
  admin.page.on("pageerror", (error) => admin.problems.push(String(error)));
  const clients = [];
  const client = async (namespace) => {
    const socket = io(server.url + namespace, { forceNew: true, reconnection: false });
    clients.push(socket);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
    return socket;
  };
  const login = async (password) => {
    const field = (label) => admin.page.getByLabel(label, { exact: true });
    await field("Server URL").fill(server.url);
    await field("Username").fill("admin");
    await field("Password").fill(password);
    await admin.page.getByRole("button", { name: "Connect", exact: true }).click();
  };
  try {
    await admin.page.goto(page.url);
    await scenario({ admin, login, client });
    assert.deepEqual(admin.problems, []);
  } finally {
    clients.forEach((socket) => socket.disconnect());
    await context.close();
    await server.stop();
  }
}

const open = (admin, hash) => admin.page.evaluate((hash) => (location.hash = hash), hash);
const row = (admin, text) => admin.page.locator("tbody tr", { hasText: text });

/** How many sockets the dashboard counts in a namespace. */
const socketsIn = (admin, namespace) =>
  admin.page.locator(`tr:has(code:text-is(${JSON.stringify(namespace)})) td`).nth(1);

for (const [way, websocketOnly] of [
  ["upgrade", false],
  ["websocket", true],
]) {
  describe(`the Admin UI over ${way}`, () => {
    test("shows what happens, and acts", { timeout: 90_000 }, () =>
      withAdmin({ websocketOnly }, async ({ admin, login, client }) => {
        const ann = await client("/chat");
        await ann.emitWithAck("join", "red");

        // In, with the right password only.
        await login("wrong");
        await admin.page.getByText("Invalid credentials").waitFor();
        await login("changeit");
        await expectText(socketsIn(admin, "/chat"), "1");
        await open(admin, "#/servers/");
        await row(admin, "the fixture").waitFor();

        // A client that was there, one that comes, and their details.
        await open(admin, "#/n/%2Fchat/sockets/" + ann.id);
        await admin.page.locator("td", { hasText: ann.id }).first().waitFor();
        await row(admin, /^\s*red/).waitFor();
        await admin.page.getByText("127.0.0.1", { exact: false }).first().waitFor();
        await screenshot(admin, `admin-${way}`, "socket", "");
        await open(admin, "#/sockets/");
        await admin.page.locator(".v-main .v-select").first().click();
        await admin.page.locator(".v-menu__content .v-list-item", { hasText: "/chat" }).click();
        await row(admin, ann.id).waitFor();
        const bob = await client("/chat");
        await row(admin, bob.id).waitFor();
        await expectText(row(admin, bob.id).locator("td").nth(2), /websocket/i);
        await screenshot(admin, `admin-${way}`, "sockets", "");

        // Rooms and events, live.
        await bob.emitWithAck("join", "red");
        await bob.emitWithAck("say", "red", "hello", { binary: new Uint8Array([1, 2, 3]) });
        await open(admin, "#/rooms/");
        await expectText(row(admin, "red").locator("td").nth(1), /public/i);
        await expectText(row(admin, "red").locator("td").nth(2), /^\s*2\s*$/);
        await open(admin, "#/events/");
        await row(admin, "said").filter({ hasText: ann.id }).waitFor();
        await row(admin, "say").filter({ hasText: bob.id }).waitFor();
        await screenshot(admin, `admin-${way}`, "events", "");

        // The admin moves and removes them.
        await open(admin, "#/n/%2Fchat/sockets/" + bob.id);
        await row(admin, /^\s*red/).getByRole("button").click();
        // The click is one on the row, too, which leads to the room.
        await admin.page.waitForURL(/rooms\/red/);
        await open(admin, "#/n/%2Fchat/sockets/" + bob.id);
        await row(admin, bob.id).first().waitFor();
        await row(admin, /^\s*red/).waitFor({ state: "detached" });
        await admin.page.locator(".select-room input[type=text]").fill("blue");
        await admin.page.locator(".v-main form button[type=submit]").click();
        await row(admin, /^\s*blue/).waitFor();
        await screenshot(admin, `admin-${way}`, "moved", "");
        await open(admin, "#/sockets/");
        const gone = new Promise((resolve) => ann.once("disconnect", resolve));
        const id = ann.id;
        await row(admin, id).getByRole("button").click();
        assert.equal(await gone, "io server disconnect");
        await open(admin, "#/sockets/");
        await row(admin, bob.id).waitFor();
        await expectText(row(admin, id), []);

        // Statistics go on, and a page that is loaded again needs no password.
        await admin.page.goto(`${page.url}#/`);
        await admin.page.reload();
        await expectText(socketsIn(admin, "/chat"), "1");
        await admin.page.locator("canvas").first().waitFor();
        await screenshot(admin, `admin-${way}`, "dashboard", "");
      }),
    );
  });
}

test("a read-only admin has no buttons", { timeout: 60_000 }, () =>
  withAdmin({ options: ["--read-only"] }, async ({ admin, login, client }) => {
    const ann = await client("/");
    await login("changeit");
    await expectText(socketsIn(admin, "/"), "1");
    await open(admin, "#/sockets/");
    await row(admin, ann.id).waitFor();
    assert.equal(await row(admin, ann.id).getByRole("button").count(), 0);
    await screenshot(admin, "admin", "read-only", "");
  }),
);

test("in production mode there are statistics only", { timeout: 60_000 }, () =>
  withAdmin({ options: ["--production"] }, async ({ admin, login, client }) => {
    await client("/chat");
    await login("changeit");
    await expectText(socketsIn(admin, "/chat"), "1");
    assert.equal(await admin.page.getByRole("link", { name: "Sockets" }).count(), 0);
    await screenshot(admin, "admin", "production", "");
  }),
);
