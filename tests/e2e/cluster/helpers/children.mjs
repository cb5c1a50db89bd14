// Processes that end with this one at the latest, and free ports for those that cannot choose one.
import { spawn } from "node:child_process";
import { createServer } from "node:net";

const children = new Set();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(130));

/** A process whose output is kept: `tail()`, and `exit`, which is set once it is gone. */
export function child(command, args, env = {}) {
  const process_ = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  children.add(process_);
  let output = "";
  const listeners = new Set();
  for (const pipe of [process_.stdout, process_.stderr]) {
    pipe.setEncoding("utf8");
    pipe.on("data", (text) => {
      if (process.env.CLUSTER_VERBOSE) process.stderr.write(text);
      output = (output + text).slice(-20_000);
      for (const listener of listeners) listener(output);
    });
  }
  const self = {
    pid: process_.pid,
    exit: undefined,
    tail: () => output.slice(-4000),
    signal: (name) => process_.kill(name),

    /** Settles when the output matches, or fails when the process ends first. */
    says(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => pattern.test(output) && (listeners.delete(look), resolve());
        listeners.add(look);
        look();
        self.gone.then((why) => reject(new Error(`${command} ended early (${why}):\n${self.tail()}`)));
      });
    },

    /** Ends it in `ms` at the latest. */
    async end(name = "SIGTERM", ms = 8000) {
      if (self.exit !== undefined) return;
      process_.kill(name);
      const killer = setTimeout(() => process_.kill("SIGKILL"), ms);
      await self.gone;
      clearTimeout(killer);
    },
  };
  self.gone = new Promise((resolve) => {
    const gone = (why) => {
      children.delete(process_);
      self.exit ??= why;
      resolve(self.exit);
    };
    process_.once("error", (error) => gone(error.message));
    process_.once("exit", (code, signal) => gone(signal ?? `exit code ${code}`));
  });
  return self;
}

/** A port that is free now; whoever takes it first has it. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
