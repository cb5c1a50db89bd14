// The connection: the stock client, the transports that the page's URL allows, and what is shown of its state.
//
// `socket.gen.ts` is made from the traits in `src/contract.rs`. A change there that this page does not follow is a type error here.

import { io } from "/socket.io/socket.io.esm.min.js";
import type { ChatAuth, ChatError, ChatEvents, ChatPath, ChatSocket, LoginError, Reply } from "./socket.gen.js";

/** An answer is waited for so long, in milliseconds. */
const ANSWER_TIMEOUT = 10_000;
/** After a lost connection the server may still think that this user is here; then the name is asked for again. */
const RETRY_TAKEN = 2_000;
const PATH: ChatPath = "/chat";

export type State = "online" | "connecting";

export interface Handlers {
  /** What the server says. */
  events: ChatEvents;
  /** Called after each connect, the first and later ones. */
  online(): void;
  state(state: State, transport?: string): void;
  refused(message: string): void;
}

export interface Connection {
  /** To emit and to ask. */
  readonly socket: ChatSocket;
  /** Asks to be let in under a name: for the first time, or after a refusal. */
  login(name: string): void;
  close(): void;
}

/** `?transport=polling` or `?transport=websocket` allows only that one. */
function transports() {
  const only = new URLSearchParams(location.search).get("transport");
  return only ? { transports: [only] } : {};
}

/** A connection that opens with the first login. */
export function connect(handlers: Handlers): Connection {
  const socket: ChatSocket = io(PATH, { autoConnect: false, forceNew: true, ackTimeout: ANSWER_TIMEOUT, ...transports() });
  let wasOnline = false;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const online = () => handlers.state("online", socket.io.engine.transport.name);
  socket.on("connect", () => {
    wasOnline = true;
    socket.io.engine.on("upgrade", online);
    online();
    handlers.online();
  });
  socket.on("disconnect", (reason) => {
    // The client comes back by itself unless one side wanted this.
    if (socket.active) handlers.state("connecting");
    else if (reason === "io server disconnect") socket.connect();
  });
  socket.on("connect_error", (error: Error & { data?: LoginError }) => {
    if (socket.active) {
      handlers.state("connecting");
    } else if (wasOnline && error.data?.code === "nameTaken") {
      handlers.state("connecting");
      retry = setTimeout(() => socket.connect(), RETRY_TAKEN);
    } else {
      handlers.refused(error.data ? explain(error.data) : error.message);
    }
  });
  const { events } = handlers;
  socket.on("message", events.message);
  socket.on("joined", events.joined);
  socket.on("left", events.left);
  socket.on("typing", events.typing);
  socket.on("roomChanged", events.roomChanged);

  return {
    socket,
    login(name) {
      handlers.state("connecting");
      socket.auth = { name } satisfies ChatAuth;
      socket.connect();
    },
    close() {
      clearTimeout(retry);
      socket.disconnect();
    },
  };
}

/** What the server answered where the contract says `Result`, and it is an error. */
export class Refused extends Error {
  constructor(readonly reason: ChatError) {
    super(explain(reason));
  }
}

/** The data of an answer; throws what the server answered as error. */
export async function granted<T>(answer: Promise<Reply<T, ChatError>>): Promise<T> {
  const reply = await answer;
  if (!reply.ok) throw new Refused(reply.error);
  return reply.data;
}

/** What went wrong, for people: an error of the contract, or no answer. Without a `default`, so that no code is forgotten. */
export function explain(error?: LoginError | ChatError): string {
  if (!error) return "The server did not answer.";
  switch (error.code) {
    case "nameEmpty":
      return "Choose a name.";
    case "nameTooLong":
      return `A name has at most ${error.limit} characters.`;
    case "nameMalformed":
      return "A name is plain text.";
    case "nameTaken":
      return "Somebody else has this name. Choose another one.";
    case "notInRoom":
      return "You are not in this room.";
    case "tooManyRooms":
      return `You cannot be in more than ${error.limit} rooms.`;
    case "invalid":
      return `${error.reason.slice(0, 1).toUpperCase()}${error.reason.slice(1)}.`;
  }
}
