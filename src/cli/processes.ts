import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as v from "valibot";

/**
 * A process, named so that it cannot be mistaken: numbers are used again, but
 * not with the same start and the same command line.
 */
export const PROCESS_MARK = v.strictObject({ pid: v.number(), startedAt: v.string(), command: v.string() });
export type ProcessMark = v.InferOutput<typeof PROCESS_MARK>;

/** Whether there is a process of this number, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** The mark of a process that runs now; null when there is none. */
export function markOf(pid: number): ProcessMark | null {
  return existsSync("/proc/self/stat") ? markFromProc(pid) : markFromPs(pid);
}

/** Whether exactly this process still runs. */
export function isSameProcess(mark: ProcessMark): boolean {
  const now = markOf(mark.pid);
  return now !== null && now.startedAt === mark.startedAt && now.command === mark.command;
}

/** The Workers runtimes that this process has started and that run now. */
export function ownRuntimes(): ProcessMark[] {
  return childrenOf(process.pid).flatMap((pid) => markOf(pid) ?? []).filter(({ command }) => command.includes("workerd"));
}

/** Ends exactly this process and waits until it is gone; a process that took its number over is left alone. */
export async function endProcess(mark: ProcessMark): Promise<void> {
  for (let attempt = 0; attempt < 100 && isSameProcess(mark); attempt++) {
    try {
      process.kill(mark.pid, attempt < 20 ? "SIGTERM" : "SIGKILL");
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Linux: the 22nd field of `stat` is the start in clock ticks since boot; the name in field 2 may contain anything but is in parentheses. */
function markFromProc(pid: number): ProcessMark | null {
  const fields = statFields(pid);
  if (fields === null || fields.state === "Z") return null;
  try {
    return { pid, startedAt: fields.startedAt, command: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim() };
  } catch {
    return null;
  }
}

function statFields(pid: number): { readonly state: string; readonly parent: number; readonly startedAt: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", parent = "", ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent), startedAt: rest[17] ?? "" };
  } catch {
    return null;
  }
}

function markFromPs(pid: number): ProcessMark | null {
  // lstart has a fixed width of 24 characters.
  const line = ps(["-o", "lstart=,command=", "-p", String(pid)])[0];
  return line === undefined ? null : { pid, startedAt: line.slice(0, 24), command: line.slice(24).trim() };
}

function childrenOf(parent: number): number[] {
  if (!existsSync("/proc/self/stat")) {
    return ps(["-A", "-o", "pid=,ppid="]).map((line) => line.trim().split(/\s+/).map(Number)).filter(([, ppid]) => ppid === parent).map(([pid = 0]) => pid);
  }
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => statFields(pid)?.parent === parent);
}

function ps(parameters: readonly string[]): string[] {
  try {
    return execFileSync("ps", parameters, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n").filter((line) => line.trim() !== "");
  } catch {
    return [];
  }
}
