import { spawn, type SpawnOptions } from "node:child_process";
import { projectPath, toolPath } from "./project.ts";

/** Runs wrangler in the foreground; answers its exit code. A signal to this process goes to wrangler, and wrangler ends with this process. */
export function runWrangler(parameters: readonly string[], options: Pick<SpawnOptions, "stdio" | "env"> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(toolPath("wrangler"), parameters, { cwd: projectPath(), stdio: options.stdio ?? "inherit", env: { ...process.env, WRANGLER_SEND_METRICS: "false", ...options.env } });
    process.once("exit", () => child.kill());
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
