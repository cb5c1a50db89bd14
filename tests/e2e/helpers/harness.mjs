// Bounded waiting, clean-up and the test wrapper, whatever the target is.
import nodeTest from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

export { describe } from "node:test";

/** The default bound of every wait. Generous: it only decides how long a failure takes. */
export const DEADLINE = 4000;

const cleanups = [];

/** Runs `fn` when the current test is over. */
export function cleanup(fn) {
  cleanups.push(fn);
}

async function runCleanups() {
  while (cleanups.length > 0) {
    try {
      await cleanups.pop()();
    } catch (error) {
      console.error("clean-up failed:", error);
    }
  }
}

/** A test that closes whatever it opened. */
export function test(name, options, fn) {
  if (typeof options === "function") [options, fn] = [{}, options];
  return nodeTest(name, { timeout: 30_000, ...options }, async (context) => {
    try {
      await fn(context);
    } finally {
      await runCleanups();
    }
  });
}

/** Rejects when the promise has not settled in time. `detail` adds what came instead. */
export function within(promise, what, ms = DEADLINE, detail = () => "") {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing within ${ms} ms: expected ${what}${detail()}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Calls `probe` until it returns something truthy; only for facts that no event announces. */
export async function eventually(what, probe, ms = DEADLINE) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(10);
  }
}

/** A queue of things that arrive, read in order with a deadline. */
export class Inbox {
  #items = [];
  #waiting = [];
  #end;

  push(item) {
    if (this.#waiting.length > 0) this.#waiting.shift().resolve(item);
    else this.#items.push(item);
  }

  /** Nothing more will come; what has come can still be read. */
  end(why) {
    this.#end = why;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(why));
  }

  get length() {
    return this.#items.length;
  }

  /** Everything that has come and was not read. */
  drain() {
    return this.#items.splice(0);
  }

  next(what = "a message", ms = DEADLINE) {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift());
    if (this.#end !== undefined) return Promise.reject(new Error(`expected ${what}, but ${this.#end}`));
    const slot = withResolvers();
    this.#waiting.push(slot);
    return within(slot.promise, what, ms).catch((error) => {
      this.#waiting = this.#waiting.filter((other) => other !== slot);
      throw error;
    });
  }
}

export function withResolvers() {
  const slot = {};
  slot.promise = new Promise((resolve, reject) => Object.assign(slot, { resolve, reject }));
  return slot;
}
