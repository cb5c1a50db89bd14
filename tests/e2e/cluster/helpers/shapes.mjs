// Shapes of messages: exact keys, and what each value must be. A mismatch is an error that names the place.

/** What a value must be: a function that throws. */
export const is = {
  anything: () => {},
  number: (value, where) => need(Number.isInteger(value) && value >= 0, where, "a whole number", value),
  boolean: (value, where) => need(typeof value === "boolean", where, "a boolean", value),
  text: (value, where) => need(typeof value === "string", where, "a string", value),
  object: (value, where) => need(isObject(value), where, "an object", value),
  exactly: (wanted) => (value, where) => need(value === wanted, where, JSON.stringify(wanted), value),
  matching: (pattern) => (value, where) =>
    need(typeof value === "string" && pattern.test(value), where, String(pattern), value),

  list: (item) => (value, where) => {
    need(Array.isArray(value), where, "an array", value);
    value.forEach((each, at) => item(each, `${where}[${at}]`));
  },

  /** An event with its arguments. */
  event: (value, where) => {
    need(Array.isArray(value) && value.length > 0, where, "an array that is not empty", value);
    is.text(value[0], `${where}[0]`);
  },

  /** These keys and no others; those that end in `?` may be missing. */
  shape: (keys) => (value, where) => {
    need(isObject(value), where, "an object", value);
    const known = new Set();
    for (const [key, rule] of Object.entries(keys)) {
      const optional = key.endsWith("?");
      const name = optional ? key.slice(0, -1) : key;
      known.add(name);
      if (name in value) rule(value[name], `${where}.${name}`);
      else need(optional, where, `an object with ${name}`, value);
    }
    for (const key of Object.keys(value)) need(known.has(key), `${where}.${key}`, "absent", value[key]);
  },
};

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

export function need(condition, where, wanted, value) {
  if (condition) return;
  const found = JSON.stringify(value) ?? String(value);
  throw new Error(`${where} is not ${wanted}: ${found.slice(0, 200)}`);
}
