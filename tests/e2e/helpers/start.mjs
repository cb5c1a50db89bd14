// A server as a process of its own, for as long as this one lives.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const reference = fileURLToPath(new URL("../reference/server.mjs", import.meta.url));

/** Splits a command line into words; single and double quotes group, nothing else is special. */
export function words(line) {
  return [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/["']/g, ""));
}

/** Starts the server that `--server` or `--reference` names, and waits until it listens. */
export async function start(options) {
  const [command, ...args] = options.reference
    ? [process.execPath, reference, "--port", "0"]
    : words(options.server);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const server = { port: undefined, exit: undefined, tail: () => output.slice(-4000) };
  let output = "";
  const gone = new Promise((resolve) => {
    child.once("error", (error) => resolve((server.exit = error.message)));
    child.once("exit", (code, signal) => resolve((server.exit = signal ?? `exit code ${code}`)));
  });
  const listening = new Promise((resolve) => {
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.setEncoding("utf8");
      pipe.on("data", (text) => {
        output = (output + text).slice(-20_000);
        if (options.verbose) process.stderr.write(text);
        const match = server.port === undefined && /listening on 127\.0\.0\.1:(\d+)\s/.exec(output);
        if (match) resolve((server.port = Number(match[1])));
      });
    }
  });
  server.stop = async () => {
    if (server.exit !== undefined) return;
    child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(killer);
  };
  process.once("exit", () => child.kill("SIGKILL"));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

  const deadline = new Promise((resolve) => setTimeout(resolve, 60_000, "nothing within 60 s").unref());
  const outcome = await Promise.race([listening, gone, deadline]);
  if (server.port === undefined) {
    child.kill("SIGKILL");
    throw new Error(`the server did not say "listening on 127.0.0.1:PORT": ${outcome}\n${server.tail()}`);
  }
  return server;
}
