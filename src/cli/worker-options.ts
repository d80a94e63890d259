import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { V4WorkerOptions } from "miniflare";
import { BUILT_WORKERS, projectPath, type WorkerSource } from "./project.ts";

/*
 * What wrangler makes of a Worker's config for the local runtime. It is asked
 * when the Worker is built, because to load wrangler takes a fifth of a start.
 */

/** The members that are read by name; all others go to the runtime as they are. */
export type BuiltOptions = Pick<V4WorkerOptions, "bindings" | "serviceBindings" | "queueConsumers" | "assets" | "compatibilityDate">;

/** Where a Worker's build keeps them. It is written last, so that its presence says that the build is complete. */
export function optionsFile(folder: string): string {
  return path.join(folder, "options.json");
}

/** Writes the options of a Worker into the folder of its build, with paths from the project on: a built copy of it may lie elsewhere. */
export async function writeBuiltOptions({ config }: WorkerSource, folder: string): Promise<void> {
  const { unstable_getMiniflareWorkerOptions: optionsOf, unstable_readConfig: readConfig } = await import("wrangler");
  const file = projectPath(config);
  // Wrangler types this as an Omit of a type with an index signature, which loses every name; these are the ones used here.
  const { rootPath: _here, assets, ...options } = optionsOf(file).workerOptions as BuiltOptions & { readonly rootPath?: string };
  // Wrangler adds what a .dev.vars beside the config says: a secret that would stay in the build, and as it was when that was made.
  const bindings = readConfig({ config: file }).vars;
  const kept = assets?.directory === undefined ? {} : { assets: { ...assets, directory: path.relative(projectPath(), assets.directory) } };
  writeFileSync(optionsFile(folder), JSON.stringify({ ...options, ...kept, bindings }, null, 1));
}

/** The options of a Worker's build in `folder`. Throws where it was never built. */
export function readBuiltOptions(name: WorkerSource["name"], folder = path.join(BUILT_WORKERS, name)): BuiltOptions {
  // Written above, by this project's own build: it is made again whenever the config, wrangler's version or this file is another.
  const options = JSON.parse(readFileSync(optionsFile(folder), "utf8")) as BuiltOptions;
  return options.assets?.directory === undefined ? options : { ...options, assets: { ...options.assets, directory: projectPath(options.assets.directory) } };
}
