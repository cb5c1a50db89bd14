// Everything that Redis is told, by whom: the output of its command MONITOR.
import { connect } from "node:net";
import { withResolvers } from "../../helpers/harness.mjs";

/** Watches from now on. `stop()` gives the commands: `{ from: "127.0.0.1:port", words: [Buffer] }`. */
export async function watch(redis) {
  const socket = connect(redis.port, "127.0.0.1");
  const commands = [];
  const began = withResolvers();
  const ended = withResolvers();
  let rest = [];
  socket.on("data", (bytes) => {
    let from = 0;
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      rest.push(bytes.subarray(from, end));
      from = end + 1;
      line(Buffer.concat(rest).toString("latin1").trimEnd());
      rest = [];
    }
    if (from < bytes.length) rest.push(bytes.subarray(from));
  });
  socket.on("error", ended.resolve);
  socket.on("close", ended.resolve);
  const mark = `end-of-watch-${process.pid}-${Date.now()}`;
  const line = (text) => {
    if (text === "+OK") return began.resolve();
    const command = parse(text);
    if (command.words[1]?.toString() === mark) return ended.resolve();
    commands.push(command);
  };
  socket.write("MONITOR\r\n");
  await began.promise;
  return {
    commands,
    async stop() {
      await redis.send("ECHO", mark);
      await ended.promise;
      socket.destroy();
      return commands;
    },
  };
}

const ESCAPES = { n: 10, r: 13, t: 9, a: 7, b: 8 };

/** `+1795162611.47 [0 127.0.0.1:4711] "PUBLISH" "a" "\x93..."` */
function parse(text) {
  const [, from] = /^\+[\d.]+ \[\d+ ([^\]]+)\]/.exec(text) ?? [];
  if (!from) throw new Error(`not a line of MONITOR: ${text.slice(0, 200)}`);
  const words = [];
  let at = text.indexOf("] ") + 2;
  while (at < text.length) {
    // Each word is quoted, and shrinks when it is unescaped.
    let end = at + 1;
    while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
    words.push(unescape(text.slice(at + 1, end)));
    at = end + 2;
  }
  return { from, words };
}

function unescape(text) {
  if (!text.includes("\\")) return Buffer.from(text, "latin1");
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "\\") {
      bytes[length++] = text.charCodeAt(at);
    } else if (text[at + 1] === "x") {
      bytes[length++] = Number.parseInt(text.slice(at + 2, at + 4), 16);
      at += 3;
    } else {
      at += 1;
      bytes[length++] = ESCAPES[text[at]] ?? text.charCodeAt(at);
    }
  }
  return bytes.subarray(0, length);
}
