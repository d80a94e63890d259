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
  /** The port where the calls into every object are counted; null where nobody asks. */
  readonly tracePort: number | null;
}

export const START_USAGE = "npm start -- [--config FILE] [--port N] [--data DIR] [--fresh] [--json] [--trace N]";

/** The options of `npm start`; paths count from the folder that it was called in. The rejection is a sentence. */
export function parseStartOptions(parameters: readonly string[]): Result<StartOptions, string> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...parameters],
      options: { config: { type: "string" }, port: { type: "string" }, data: { type: "string" }, fresh: { type: "boolean" }, json: { type: "boolean" }, trace: { type: "string" } },
    }));
  } catch (error) {
    return rejected(`${error instanceof Error ? error.message : String(error)}\nUsage: ${START_USAGE}`);
  }
  const port = Number(values.port ?? "8787");
  // The sandbox takes the port after the store's.
  if (!Number.isInteger(port) || port < 1 || port > 65_534) return rejected("--port must be a number from 1 to 65534; the sandbox takes the one after it.");
  const tracePort = values.trace === undefined ? null : Number(values.trace);
  const isFreeForIt = tracePort === null || (Number.isInteger(tracePort) && tracePort >= 1 && tracePort <= 65_535 && tracePort !== port && tracePort !== port + 1);
  if (!isFreeForIt) return rejected("--trace must be a port of its own, from 1 to 65535: what reaches each object is counted there.");
  return accepted({
    port,
    tracePort,
    config: values.config === undefined ? projectPath("wrangler.toml") : path.resolve(values.config),
    data: values.data === undefined ? projectPath(".data") : path.resolve(values.data),
    fresh: values.fresh ?? false,
    json: values.json ?? false,
  });
}
