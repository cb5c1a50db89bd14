// What every suite shares: the target, and cases for one of the servers only. Waiting and clean-up are in harness.mjs.
import { test } from "./harness.mjs";

export * from "./harness.mjs";

const url = process.env.SUITE_URL;
if (!url) throw new Error("SUITE_URL is not set: start the suites with run.mjs");
export const base = new URL(url);
export const target = process.env.SUITE_TARGET ?? "ours";
if (target !== "ours" && target !== "reference") throw new Error(`SUITE_TARGET must be ours or reference, not ${target}`);

/** A case in which our server differs from Node on purpose: runs against ours only. */
export function deliberate(name, options, fn) {
  if (typeof options === "function") [options, fn] = [{}, options];
  return test(`${name} (deliberate difference)`, { ...options, skip: target !== "ours" && "differs from Node" }, fn);
}

/** The twin of a deliberate difference: what Node does, runs against the reference only. */
export function nodeOnly(name, options, fn) {
  if (typeof options === "function") [options, fn] = [{}, options];
  return test(`${name} (Node)`, { ...options, skip: target !== "reference" && "behaviour of Node only" }, fn);
}
