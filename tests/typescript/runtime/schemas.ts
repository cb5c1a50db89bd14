// The generated JSON Schemas, compiled by ajv.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";

interface Described {
  args: unknown;
  ack?: unknown;
}

const text = readFileSync(new URL("../../generated/schemas.json", import.meta.url), "utf8");
export const document: { events: Record<string, Record<string, Described>> } = JSON.parse(text);

const ajv = new Ajv2020({ strictTypes: false, strictTuples: false, allErrors: true });
ajv.addFormat("ip", (text: string) => isIP(text) !== 0);
ajv.addVocabulary(["auth", "events"]);
ajv.addKeyword({ keyword: "x-binary", validate: (_: boolean, data: unknown) => data instanceof ArrayBuffer || ArrayBuffer.isView(data) });
ajv.addSchema(JSON.parse(text), "socket");

const pointer = (parts: string[]) =>
  parts.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");

/** The validator of a part of the document. */
export function validator(...parts: string[]): ValidateFunction {
  const found = ajv.getSchema(`socket#/${pointer(parts)}`);
  if (!found) throw new Error(`there is no schema at ${parts.join("/")}`);
  return found;
}

/** Throws if a value is not what the schema says. */
export function check(value: unknown, ...parts: string[]) {
  const validate = validator(...parts);
  if (!validate(value)) throw new Error(`${parts.join("/")}: ${ajv.errorsText(validate.errors)}: ${JSON.stringify(value)}`);
}
