import { type SourceFile, sourceFiles } from "./support/sources.ts";

/*
 * A file that is longer than a reader can hold in mind wants splitting. Long
 * functions are the linter's to find.
 */

const WARN_LINES = 400;
const FAIL_LINES = 600;

export interface LongFile {
  readonly path: string;
  readonly lines: number;
  readonly isTooLong: boolean;
}

export function longFiles(files: readonly SourceFile[]): LongFile[] {
  return files
    .map((file) => ({ path: file.path, lines: file.text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > WARN_LINES)
    .map((file) => ({ ...file, isTooLong: file.lines > FAIL_LINES }));
}

if (import.meta.main) {
  const files = sourceFiles("src", "workers", "schema", "test");
  const long = longFiles(files);
  for (const { path, lines, isTooLong } of long) {
    const text = `${path} has ${lines} lines; ${isTooLong ? `more than ${FAIL_LINES} are refused` : `past ${WARN_LINES} it wants splitting`}\n`;
    (isTooLong ? process.stderr : process.stdout).write(text);
  }
  process.stdout.write(`${files.length} files, ${long.length} of them long.\n`);
  if (long.some(({ isTooLong }) => isTooLong)) process.exitCode = 1;
}
