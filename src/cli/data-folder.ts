import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { endProcess, isSameProcess, markOf, ownRuntimes, PROCESS_MARK } from "./processes.ts";

/** Says that a folder was made by us and may be emptied by us. */
const MARKER = "tranche-data.json";
const PROCESSES = "processes.json";
const PROCESSES_SHAPE = v.strictObject({ owner: v.nullable(PROCESS_MARK), runtimes: v.array(PROCESS_MARK) });

export interface DataFolder {
  readonly folder: string;
  /** Notes the runtimes that run now, so that the next start can end them if this process is killed. */
  noteProcesses(): void;
  /** Says that nobody uses the folder any more. */
  release(): void;
}

/**
 * Takes a data folder over: makes it where it is not there, ends what a killed
 * predecessor left running in it, and empties it when `isFresh`. The rejection
 * is a sentence for the terminal; a folder that is not ours is never emptied.
 */
export async function takeDataFolder(folder: string, isFresh: boolean): Promise<Result<DataFolder, string>> {
  const isOurs = existsSync(path.join(folder, MARKER));
  const isEmpty = !existsSync(folder) || readdirSync(folder).length === 0;
  if (!isOurs && !isEmpty) return rejected(`${folder} has other things in it. Choose another folder with --data; only a folder that npm start made itself is used or emptied.`);

  const earlier = readProcesses(folder);
  if (earlier?.owner && isSameProcess(earlier.owner)) {
    return rejected(`Another npm start (process ${earlier.owner.pid}) is using ${folder}. End it first, or choose another folder with --data.`);
  }
  for (const runtime of earlier?.runtimes ?? []) await endProcess(runtime);
  if (isFresh && isOurs) for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true, force: true });

  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, MARKER), `${JSON.stringify({ note: "npm start made this folder; npm start -- --fresh empties it." })}\n`);
  const owner = markOf(process.pid);
  let noted = "";
  const write = (text: string) => {
    if (text === noted) return;
    noted = text;
    // Renamed into its place: a start that is killed while writing must not hide its orphans.
    const file = path.join(folder, PROCESSES);
    writeFileSync(`${file}.next`, text);
    renameSync(`${file}.next`, file);
  };
  write(JSON.stringify({ owner, runtimes: [] }));
  return accepted({
    folder,
    noteProcesses: () => write(JSON.stringify({ owner, runtimes: ownRuntimes() })),
    release: () => write(JSON.stringify({ owner: null, runtimes: [] })),
  });
}

function readProcesses(folder: string): v.InferOutput<typeof PROCESSES_SHAPE> | null {
  const file = path.join(folder, PROCESSES);
  if (!existsSync(file)) return null;
  const read = v.safeParse(PROCESSES_SHAPE, JSON.parse(readFileSync(file, "utf8")));
  return read.success ? read.output : null;
}
