// The same definitions in a file for each namespace.

import { io } from "socket.io-client";
import type { EchoSocket } from "../generated/several/echo.gen.js";
import type { LobbySocket, Profile } from "../generated/several/lobby.gen.js";
import type { ShapesAuth, ShapesPath, ShapesSocket } from "../generated/several/shapes.gen.js";
import type { Profile as SharedProfile, Refusal } from "../generated/several/types.gen.js";
import type { TowerSocket } from "../generated/several/tower.gen.js";
import type * as One from "../generated/one.gen.js";
import type { Equal, Expect } from "./expect.js";

type _Profile = Expect<Equal<Profile, SharedProfile>>;
const refusal: Refusal = { code: "wrongKey", left: 1 } satisfies One.Refusal;
const path: ShapesPath = "/shapes/a";
const auth: ShapesAuth = { key: "" };
const shapes: ShapesSocket = io(path, { auth });
const lobby: LobbySocket = io("/lobby");
const echo: EchoSocket = io("/echo");
shapes.on("profile", (profile) => profile satisfies Profile satisfies One.Profile);
lobby.on("cameIn", (profile) => profile satisfies Profile);
echo.emit("echo", "text");
// @ts-expect-error: an event of another namespace
echo.emit("setMood", "baz");
const tower: TowerSocket = io("/tower");
tower.on("cameIn", (profile) => profile satisfies Profile);
// @ts-expect-error: it handles nothing
tower.emit("whoIsHere");
void refusal;
