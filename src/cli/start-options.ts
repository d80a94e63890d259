import path from "node:path";
import { parseArgs } from "node:util";
import { accepted, rejected, type Result } from "../kernel/result.ts";
import { projectPath } from "./project.ts";

export interface StartOptions {
  readonly config: string;
  readonly port: number;
  readonly data: string;
  readonly fresh: boolean;
  readonly json: boolean;
}

export const START_USAGE = "npm start -- [--config FILE] [--port N] [--data DIR] [--fresh] [--json]";

/** The options of `npm start`; paths count from the folder that it was called in. The rejection is a sentence. */
export function parseStartOptions(parameters: readonly string[]): Result<StartOptions, string> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...parameters],
      options: { config: { type: "string" }, port: { type: "string" }, data: { type: "string" }, fresh: { type: "boolean" }, json: { type: "boolean" } },
    }));
  } catch (error) {
    return rejected(`${error instanceof Error ? error.message : String(error)}\nUsage: ${START_USAGE}`);
  }
  const port = Number(values.port ?? "8787");
  // The sandbox takes the port after the store's.
  if (!Number.isInteger(port) || port < 1 || port > 65_534) return rejected("--port must be a number from 1 to 65534; the sandbox takes the one after it.");
  return accepted({
    port,
    config: values.config === undefined ? projectPath("wrangler.toml") : path.resolve(values.config),
    data: values.data === undefined ? projectPath(".data") : path.resolve(values.data),
    fresh: values.fresh ?? false,
    json: values.json ?? false,
  });
}
