// The stock client with the generated types: every way to emit and to listen.

import { io } from "socket.io-client";
import type {
  Binary,
  EchoSocket,
  LobbySocket,
  Profile,
  ProfileInput,
  Refusal,
  ShapesAuth,
  ShapesPath,
  ShapesSocket,
} from "../generated/one.gen.js";
import type { Equal, Expect } from "./expect.js";

const lab = "north";
const path: ShapesPath = `/shapes/${lab}`;
// @ts-expect-error: it is under /shapes
const elsewhere: ShapesPath = "/lobby/north";
const socket: ShapesSocket = io(path, { auth: { key: "open sesame" } satisfies ShapesAuth });
const lobby: LobbySocket = io("/lobby");
const echo: EchoSocket = io("/echo");
// @ts-expect-error: the key is missing
const noAuth: ShapesAuth = {};
// @ts-expect-error: the level is a number
const wrongAuth: ShapesAuth = { key: "", level: "high" };

declare const profile: ProfileInput;

async function emitting() {
  socket.emit("optional", 1);
  socket.emit("optional", 1, "b");
  socket.emit("optional", 1, null, 3);
  // @ts-expect-error: `c` is a number
  socket.emit("optional", 1, null, "x");
  // @ts-expect-error: `a` is missing
  socket.emit("optional");
  // @ts-expect-error: there is no such event
  socket.emit("optionl", 1);
  socket.emit("variadic", 1);
  socket.emit("variadic", 1, "a", "b");
  // @ts-expect-error: tags are strings
  socket.emit("variadic", 1, "a", 2);
  socket.emit("gone");
  // @ts-expect-error: it takes no argument
  socket.emit("gone", 1);
  socket.emit("leading_option", null, 1, (reply) => reply satisfies number | null);
  // @ts-expect-error: an option in front cannot be left out
  socket.emit("leading_option", 1, (reply: number | null) => reply);
  lobby.emit("setMood", "foo-bar");
  // @ts-expect-error: that is no mood
  lobby.emit("setMood", "great");
  echo.emit("echo", "text");
  echo.emit("echo", "text", "note");

  socket.emit("profile", profile, (reply) => {
    type _ = Expect<Equal<typeof reply, { ok: true; data: Profile } | { ok: false; error: string }>>;
    // @ts-expect-error: it may have failed
    reply.data;
    if (reply.ok) reply.data.limit.toFixed();
    else reply.error.length;
  });
  socket.emit("ask_me", { name: "", data: new Uint8Array(1) }, (reply) => reply.ok);
  // @ts-expect-error: the callback is missing
  socket.emit("profile", profile);
}

async function asking() {
  const number = await socket.emitWithAck("lent", profile, ["baz"]);
  type _1 = Expect<Equal<typeof number, number>>;
  // @ts-expect-error: the second argument is missing
  await socket.emitWithAck("lent", profile);
  const people = await lobby.emitWithAck("whoIsHere");
  type _2 = Expect<Equal<typeof people, Profile[]>>;

  // Each number of arguments is inferred.
  const one = await socket.emitWithAck("optional_acked", 1);
  const two = await socket.emitWithAck("optional_acked", 1, "b");
  const three = await socket.emitWithAck("optional_acked", 1, null, 3);
  type _3 = Expect<Equal<[typeof one, typeof two], [typeof three, [number, string | null, number | null]]>>;
  // @ts-expect-error: `c` is a number
  await socket.emitWithAck("optional_acked", 1, null, "c");
  const plains = await socket.emitWithAck("variadic_acked", 1, 2, "baz", "foo-bar");
  type _4 = Expect<Equal<typeof plains, ("foo-bar" | "baz")[]>>;
  await socket.emitWithAck("variadic_acked", 1);
  // @ts-expect-error: tags are plains
  await socket.emitWithAck("variadic_acked", 1, 2, "qux");

  // Reserved words are only names; an empty acknowledgement has no value that the client knows a type of.
  const nothing = await socket.emitWithAck("kebab-name with spaces", 1, "this", true);
  type _5 = Expect<Equal<typeof nothing, unknown>>;
  const pong = await socket.emitWithAck("ping");
  type _6 = Expect<Equal<typeof pong, { ok: true; data: null } | { ok: false; error: never }>>;
}

async function withTimeouts() {
  // The types of the stock client lose the answer here (its `FirstArg` sees the error that `timeout` puts in front), but not the
  // arguments. Its option `ackTimeout` keeps both.
  const reply = await socket.timeout(1000).emitWithAck("profile", profile);
  type _1 = Expect<Equal<typeof reply, any>>;
  // @ts-expect-error: that is no profile
  await socket.timeout(1000).emitWithAck("profile", 1);
  const one: ShapesSocket = io(path, { ackTimeout: 1000 });
  const answer = await one.emitWithAck("optional_acked", 1, "b");
  type _2 = Expect<Equal<typeof answer, [number, string | null, number | null]>>;
  socket.timeout(1000).emit("profile", profile, (error, reply) => {
    type _ = Expect<Equal<typeof error, Error>>;
    if (!error && reply.ok) reply.data.tags;
  });
  socket.timeout(1000).emit("gone");
  // @ts-expect-error: `a` is a number
  socket.timeout(1000).emit("optional", "1");
  socket.volatile.emit("gone");
  socket.compress(true).emit("gone");
}

function listening() {
  socket.on("profile", (value) => {
    type _ = Expect<Equal<typeof value, Profile>>;
  });
  socket.once("optional", (a, b) => {
    type _ = Expect<Equal<[typeof a, typeof b], [number, string | null]>>;
  });
  socket.on("many", (...numbers) => {
    type _ = Expect<Equal<typeof numbers, number[]>>;
  });
  const slice = (plains: ("foo-bar" | "baz")[]) => void plains;
  socket.on("slice", slice);
  socket.off("slice", slice);
  socket.off("slice");
  socket.onAny((event: string, ...args: unknown[]) => void [event, args]);
  socket.on("ask", (upload, ack) => {
    type _ = Expect<Equal<typeof upload.data, Binary>>;
    ack({ ok: true, data: { name: upload.name, data: new Blob([]) } });
    ack({ ok: false, error: "no" });
    // @ts-expect-error: the data is missing
    ack({ ok: true });
    // @ts-expect-error: an array of numbers is not binary
    ack({ ok: true, data: { name: "", data: [1] } });
  });
  socket.on("count", (words, hint, ack) => {
    type _ = Expect<Equal<typeof hint, string | null>>;
    ack(words.length);
    // @ts-expect-error: it wants a number
    ack("1");
  });
  socket.on("nothing", (ack) => ack());
  echo.on("echo", (text, note) => {
    type _ = Expect<Equal<typeof note, string | null>>;
    text.length;
  });
  lobby.on("cameIn", (profile) => profile.displayName satisfies string | null);
  // The client's own events are still there.
  socket.on("connect", () => socket.id);
  socket.on("connect_error", (error) => {
    const data = (error as Error & { data?: Refusal }).data;
    if (data?.code === "wrongKey") data.left.toFixed();
  });
  socket.on("disconnect", (reason) => reason);
  // @ts-expect-error: the server emits no such event
  socket.on("gone", () => {});
  // @ts-expect-error: the value is no number
  socket.on("profile", (value: number) => value);
  // @ts-expect-error: nobody emits this namespace's events
  lobby.on("whoIsHere", () => {});
}

void [emitting, asking, withTimeouts, listening, elsewhere, noAuth, wrongAuth];
