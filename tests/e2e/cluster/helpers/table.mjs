// The figures of the fault suites: one row for each scenario, as JSON and as a table for the documents.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

/** Keeps a row until the runner prints all of them. */
export function row(figures) {
  if (process.env.CLUSTER_ROWS) appendFileSync(process.env.CLUSTER_ROWS, `${JSON.stringify(figures)}\n`);
}

/** Prints all rows; `file` gets them as JSON. */
export function render(rows, file) {
  if (!existsSync(rows)) return void console.log("\nno rows: no suite of faults ran");
  const all = readFileSync(rows, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  if (file) writeFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
  // Rows that have other columns are another table.
  const tables = new Map();
  for (const each of all) {
    const columns = Object.keys(each).join(" | ");
    tables.set(columns, [...(tables.get(columns) ?? []), each]);
  }
  for (const [columns, list] of tables) {
    console.log(`\n| ${columns} |\n|${"---|".repeat(columns.split(" | ").length)}`);
    for (const each of list) console.log(`| ${Object.values(each).join(" | ")} |`);
  }
}
