// The chat example in a real browser, over each way to connect. Run with `npm test` after `npm ci`.
//
// CHAT: the server's binary, default `target/debug/chat-example`. CHROMIUM: the browser, default `/usr/bin/chromium`.
// Screenshots go to `tests/artifacts/`.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { expectText, expectGone, Guest, screenshot } from "./guest.js";
import { launchBrowser, startChat } from "./setup.js";

let browser;

before(async () => {
  browser = await launchBrowser();
});

after(() => browser?.close());

const ways = [
  { way: "polling", query: "?transport=polling", transport: "polling" },
  { way: "websocket", query: "?transport=websocket", transport: "websocket" },
  { way: "upgrade", query: "", transport: "websocket" },
];

for (const { way, query, transport } of ways) {
  describe(way, () => {
    test("people talk in rooms", { timeout: 60_000 }, async () => {
      const server = await startChat();
      const guests = [];
      const guest = async (options) => {
        guests.push(await Guest.open(browser, server.url + query, options));
        return guests.at(-1);
      };
      try {
        await scenario({ way, transport, guest });
      } finally {
        await Promise.all(guests.map((guest) => guest.close()));
        await server.stop();
      }
      for (const guest of guests) assert.deepEqual(guest.unexcused(), []);
    });
  });
}

async function scenario({ way, transport, guest }) {
  const [ann, bob] = [await guest(), await guest({ colorScheme: "dark" })];

  // Logging in, and the ways in which it is refused.
  await screenshot(ann, way, "login");
  await ann.refused(" ", "Choose a name.");
  await ann.refused("a".repeat(30), "A name has at most 24 characters.");
  await ann.login("Ann");
  await ann.inRoom("lobby");
  await bob.refused("ann", "Somebody else has this name. Choose another one.");
  await screenshot(bob, way, "taken");
  await bob.login("Bob");
  await bob.inRoom("lobby");
  for (const someone of [ann, bob]) await someone.connectedBy(transport);

  // A room of their own, with members that come and go.
  await ann.enter("tea & <b>cake</b>");
  await expectText(ann.members, ["Ann"]);
  await bob.roomButton("tea & <b>cake</b>").click();
  await bob.inRoom("tea & <b>cake</b>");
  for (const someone of [ann, bob]) await expectText(someone.members, ["Ann", "Bob"]);

  // They talk: each message arrives once, in order, as text.
  await ann.say("Hello Bob! <i>Tea</i>?");
  await expectText(bob.texts, ["Hello Bob! <i>Tea</i>?"]);
  await bob.say("Yes, please ☕");
  await bob.say("With milk,\nif there is some");
  for (const someone of [ann, bob]) {
    await expectText(someone.texts, ["Hello Bob! <i>Tea</i>?", "Yes, please ☕", "With milk,\nif there is some"]);
  }

  // Typing is seen by the others, until the message is there.
  await bob.type("I will bring");
  await expectText(ann.page.locator("#typing"), "Bob is typing …");
  await expectText(bob.page.locator("#typing"), "");
  await screenshot(ann, way, "typing");
  await bob.say("I will bring the cake");
  await expectText(ann.page.locator("#typing"), "");

  // A room that is not shown counts what is unread.
  await ann.roomButton("lobby").click();
  await ann.inRoom("lobby");
  await expectText(ann.texts, []);
  await bob.say("Are you still there?");
  await expectText(ann.roomButton("tea & <b>cake</b>").locator(".badge"), "1");
  await ann.roomButton("tea & <b>cake</b>").click();
  await expectText(ann.page.locator(".badge"), []);

  // Somebody who comes late reads what was said, on a small screen.
  const eve = await guest({ viewport: { width: 390, height: 760 } });
  await eve.login("Eve");
  await eve.inRoom("lobby");
  await eve.page.getByRole("button", { name: "Rooms" }).click();
  await screenshot(eve, way, "narrow-rooms");
  await eve.roomButton("tea & <b>cake</b>").click();
  await eve.inRoom("tea & <b>cake</b>");
  const said = ["Hello Bob! <i>Tea</i>?", "Yes, please ☕", "With milk,\nif there is some", "I will bring the cake"];
  await expectText(eve.texts, [...said, "Are you still there?"]);
  await eve.say("May I join you?");
  for (const someone of [ann, bob, eve]) {
    await expectText(someone.members, ["Ann", "Bob", "Eve"]);
    await expectText(someone.texts, [...said, "Are you still there?", "May I join you?"]);
    await screenshot(someone, way, { [ann.id]: "ann", [bob.id]: "bob", [eve.id]: "narrow" }[someone.id]);
  }

  // Leaving: a room, the chat, and without a word.
  await bob.page.getByRole("button", { name: "Leave" }).click();
  await bob.inRoom("lobby");
  await expectText(ann.members, ["Ann", "Eve"]);
  await eve.logout();
  await expectText(ann.members, ["Ann"]);
  await ann.roomButton("lobby").click();
  await expectText(ann.members, ["Ann", "Bob"]);
  await bob.close();
  await expectText(ann.members, ["Ann"]);

  // A room without members closes, and names are free again.
  await ann.roomButton("tea & <b>cake</b>").click();
  await ann.page.getByRole("button", { name: "Leave" }).click();
  await ann.inRoom("lobby");
  await expectGone(ann.roomButton("tea & <b>cake</b>"));
  await eve.login("Bob");
  await eve.inRoom("lobby");
  await ann.page.getByRole("button", { name: "Leave" }).click();
  await expectText(ann.page.locator("#no-room"), /You are in no room/);
}
