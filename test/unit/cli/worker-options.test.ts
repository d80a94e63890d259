import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { DEPLOYED_WORKERS, LOCAL_WORKERS, projectPath } from "../../../src/cli/project.ts";
import { optionsFile, readBuiltOptions, writeBuiltOptions } from "../../../src/cli/worker-options.ts";

const folder = mkdtempSync(path.join(tmpdir(), "tranche-options-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const workerNamed = (name: string) => LOCAL_WORKERS.filter((worker) => worker.name === name);

describe("a Worker's options in its build", () => {
  test("are what its config binds", async () => {
    for (const worker of workerNamed("settlement")) await writeBuiltOptions(worker, folder);
    const { bindings, queueConsumers } = readBuiltOptions("settlement", folder);
    expect(bindings).toEqual({ ENVIRONMENT: "production" });
    expect(Object.keys(queueConsumers ?? {}).toSorted()).toEqual(["orders", "payments"]);
  });

  test("name no folder of the machine that built them, and lead to the folder of the machine that reads them", async () => {
    for (const worker of DEPLOYED_WORKERS) {
      await writeBuiltOptions(worker, folder);
      expect(readFileSync(optionsFile(folder), "utf8")).not.toContain(projectPath());
    }
    for (const worker of workerNamed("storefront")) await writeBuiltOptions(worker, folder);
    expect(readBuiltOptions("storefront", folder).assets?.directory).toBe(projectPath("static"));
  });
});
