import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { BUILT_WORKERS, projectPath, type WorkerSource } from "./project.ts";

/*
 * What wrangler makes of a Worker's config for the local runtime. It is asked
 * when the Worker is built, because to load wrangler takes a fifth of a start.
 */

/** The members that are read by name; all others go to the runtime as they are. */
export type WorkerOptions = Pick<V4WorkerOptions, "bindings" | "serviceBindings" | "queueConsumers" | "assets" | "compatibilityDate">;

function optionsFile(folder: string): string {
  return path.join(folder, "options.json");
}

/** Writes the options of a Worker into the folder of its build, without paths: a built copy of the project may lie elsewhere. */
export async function writeWorkerOptions({ config }: WorkerSource, folder: string): Promise<void> {
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  const { rootPath: _here, ...options } = optionsOf(projectPath(config)).workerOptions;
  writeFileSync(optionsFile(folder), JSON.stringify(options, null, 1));
}

/** The options of a built Worker. Throws where it was never built. */
export function readWorkerOptions(name: WorkerSource["name"]): WorkerOptions {
  // Written above by this project's own build, whose freshness covers the config and wrangler's version.
  const options = JSON.parse(readFileSync(optionsFile(path.join(BUILT_WORKERS, name)), "utf8")) as WorkerOptions;
  return options.assets === undefined ? options : { ...options, assets: { ...options.assets, directory: projectPath("static") } };
}
