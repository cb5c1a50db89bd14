// The connection: the stock client, the transports that the page's URL allows, and what is shown of its state.

import { io } from "/socket.io/socket.io.esm.min.js";

/** An answer is waited for so long, in milliseconds. */
const ANSWER_TIMEOUT = 10_000;
/** After a lost connection the server may still think that this user is here; then the name is asked for again. */
const RETRY_TAKEN = 2_000;

/** `?transport=polling` or `?transport=websocket` allows only that one. */
function transports() {
  const only = new URLSearchParams(location.search).get("transport");
  return only ? { transports: [only] } : {};
}

/**
 * A connection that opens with the first login.
 *
 * @param {{ events: Record<string, Function>, online: () => void, state: (state: string, transport?: string) => void,
 *   refused: (error: Error) => void }} handlers `online` is called after each connect, the first and later ones.
 */
export function connect(handlers) {
  const socket = io("/chat", { autoConnect: false, forceNew: true, ...transports() });
  let wasOnline = false;
  let retry;

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
  socket.on("connect_error", (error) => {
    if (socket.active) {
      handlers.state("connecting");
    } else if (wasOnline && error.data?.code === "nameTaken") {
      handlers.state("connecting");
      retry = setTimeout(() => socket.connect(), RETRY_TAKEN);
    } else {
      handlers.refused(error);
    }
  });
  for (const [event, handler] of Object.entries(handlers.events)) socket.on(event, handler);

  return {
    /** Asks to be let in under a name: for the first time, or after a refusal. */
    login(name) {
      handlers.state("connecting");
      socket.auth = { name };
      socket.connect();
    },

    /** Whether events reach the server now. */
    get connected() {
      return socket.connected;
    },

    /** Sends an event. */
    emit: (event, ...args) => socket.emit(event, ...args),

    /** Sends an event and gives its answer. Where the contract says `Result`, throws what the server answered as error. */
    async ask(event, ...args) {
      const reply = await socket.timeout(ANSWER_TIMEOUT).emitWithAck(event, ...args);
      if (reply?.ok === false) throw Object.assign(new Error(explain(reply.error)), { data: reply.error });
      return reply?.ok ? reply.data : reply;
    },

    close() {
      clearTimeout(retry);
      socket.disconnect();
    },
  };
}

/** A `LoginError` or `ChatError` of the contract, for people. */
export function explain(error) {
  switch (error?.code) {
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
      return `${error.reason[0].toUpperCase()}${error.reason.slice(1)}.`;
    default:
      return "The server did not answer.";
  }
}
