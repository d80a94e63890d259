import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

/** The project's folder, whatever the folder is that a command was called from. */
export const PROJECT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Where built Workers lie, one folder each, beside what else is made here and may be deleted. */
export const BUILT_WORKERS = path.join(PROJECT, ".build");

export interface WorkerSource {
  readonly name: "objects" | "settlement" | "desk" | "storefront" | "sandbox";
  /** Its wrangler config, from the project's folder. */
  readonly config: string;
}

/** The Workers that are deployed, in the order in which each finds what it binds. */
export const DEPLOYED_WORKERS: readonly WorkerSource[] = [
  { name: "objects", config: "workers/objects/wrangler.toml" },
  { name: "settlement", config: "workers/settlement/wrangler.toml" },
  { name: "desk", config: "workers/desk/wrangler.toml" },
  { name: "storefront", config: "wrangler.toml" },
];

/** Every Worker; the sandbox exists only on a developer's machine. */
export const LOCAL_WORKERS: readonly WorkerSource[] = [...DEPLOYED_WORKERS, { name: "sandbox", config: "workers/sandbox/wrangler.toml" }];

/** The path of a file of the project. */
export function projectPath(...parts: string[]): string {
  return path.join(PROJECT, ...parts);
}

/** The path of a program that the project's own dependencies bring. */
export function toolPath(name: string): string {
  return projectPath("node_modules", ".bin", name);
}

export function projectVersion(): string {
  return v.parse(v.object({ version: v.string() }), JSON.parse(readFileSync(projectPath("package.json"), "utf8"))).version;
}
