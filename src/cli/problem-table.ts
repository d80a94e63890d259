import { readFileSync, writeFileSync } from "node:fs";
import { PROBLEMS } from "../kernel/problem.ts";
import { projectPath } from "./project.ts";

/*
 * node src/cli/problem-table.ts           says whether the README's table of problems is up to date
 * node src/cli/problem-table.ts --write   brings it up to date
 */

const BEGIN = "<!-- problems: written by `npm run problems` -->";
const END = "<!-- end of problems -->";

/** The catalogue as a Markdown table, in its own order. */
function problemTable(): string {
  const rows = Object.entries(PROBLEMS).map(([code, { status, title, detail }]) => `| \`${code}\` | ${status} | ${title} | ${detail} |`);
  return ["| code | status | title | what it tells people |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

/** The text with its table of problems as it should be; null where the text has no place for one. */
export function withProblemTable(text: string): string | null {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) return null;
  return `${text.slice(0, from)}${BEGIN}\n${problemTable()}\n${text.slice(to)}`;
}

if (import.meta.main) {
  const file = projectPath("README.md");
  const text = readFileSync(file, "utf8");
  const right = withProblemTable(text);
  if (right === null) {
    process.stderr.write("README.md has no place for the table of problems.\n");
    process.exitCode = 1;
  } else if (process.argv.includes("--write")) {
    writeFileSync(file, right);
  } else if (right !== text) {
    process.stderr.write("The README's table of problems is not that of src/kernel/problem.ts. Run: npm run problems\n");
    process.exitCode = 1;
  }
}
