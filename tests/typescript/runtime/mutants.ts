// Values that are wrong in one place, or only different: the schema and the server have to agree on which.

const REPLACEMENTS: unknown[] = [null, true, "x", "", 0, -1, 1.5, 300, 70_000, 5_000_000_000, ["x"], { x: 1 }];

/** Every value that differs from this one in one place. */
export function* mutants(value: unknown): Generator<unknown> {
  // A struct may also be written as a list, and the empty list is one of a struct whose fields have defaults. No client does that.
  yield* REPLACEMENTS.filter((other) => !(Array.isArray(other) && typeof value === "object" && !Array.isArray(value)));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return;
  if (Array.isArray(value)) {
    for (const [at, element] of value.entries()) {
      for (const other of mutants(element)) yield value.with(at, other);
      yield value.toSpliced(at, 1);
    }
    yield [...value, "more"];
  } else if (typeof value === "object" && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      for (const other of mutants(field)) yield { ...value, [key]: other };
      const { [key]: _, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
    yield { ...value, unexpected: 1 };
  }
}
